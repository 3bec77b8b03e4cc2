/* The admin port of every process: /metrics, /metrics/about (what each means, as Markdown), /livez, /readyz; not for
 * the public side. One thread of libmicrohttpd's. */
#ifndef QUIRE_BASE_ADMIN_H
#define QUIRE_BASE_ADMIN_H

#include "base/log.h"
#include "base/metrics.h"

struct quire_admin;

struct quire_admin_options {
    const char *address; /* "0.0.0.0" */
    uint16_t port;       /* 0: the system chooses */
    struct quire_metrics *metrics;
    struct quire_log *log;
    bool (*ready)(void *context);   /* called on the admin thread */
    void (*refresh)(void *context); /* before each /metrics, to set gauges; may be NULL */
    void *context;
};

/* NULL after logging why. */
QUIRE_MUSTCHECK struct quire_admin *quire_admin_start(const struct quire_admin_options *options);
uint16_t quire_admin_port(const struct quire_admin *admin);
/* Returns when the thread has ended. Takes NULL. */
void quire_admin_stop(struct quire_admin *admin);

#endif
