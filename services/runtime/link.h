/* One connection to one server, whatever its protocol: opened on a thread of its own, so that neither name resolution
 * nor a host that swallows packets ever stops a worker; behind a breaker, so that a server that is away costs nothing;
 * its outages logged when they begin and end.
 *
 * Worker thread only, but for `open`, which runs on the link's thread. */
#ifndef QUIRE_RUNTIME_LINK_H
#define QUIRE_RUNTIME_LINK_H

#include "base/log.h"
#include "base/metrics.h"

#define QUIRE_LINK_ERROR_CHARACTERS 200u

struct quire_link;

struct quire_link_options {
    const char *server; /* "primary"; in logs */
    const char *away_event, *back_event;
    /* Opens the connection within a bound of its own. NULL after writing why; no logging. */
    void *(*open)(void *context, char ret_error[QUIRE_LINK_ERROR_CHARACTERS]);
    void (*close)(void *object);
    void *context; /* the link's from here on, also where creating fails: an attempt may outlive the link */
    void (*destroy_context)(void *context);
    uint32_t first_wait_ms; /* how long the first attempt of all is waited for */
    uint32_t retry_ms;      /* between attempts that failed */
    struct quire_log *log;
    struct quire_series *connected;  /* gauge: links that are open */
    struct quire_series *reconnects; /* counter: attempts after the first */
};

/* Texts must outlive the link. Never connects. NULL without memory. */
QUIRE_MUSTCHECK struct quire_link *quire_link_create(const struct quire_link_options *options);
/* Waits for a running attempt, at most 2.5 s; one that takes longer closes what it opened by itself. */
void quire_link_destroy(struct quire_link *link);

/* The open connection, still the link's; or NULL: away. Begins an attempt when it is time for one, and waits for a
 * running one until until_ns (CLOCK_MONOTONIC; 0: not at all), but at most 50 ms after the attempt began (the first of
 * all: first_wait_ms; after one that failed: not at all), so that a server that was only restarted is hardly noticed,
 * and one that is gone stops nobody.
 */
void *quire_link_get(struct quire_link *link, uint64_t until_ns);
/* Connected, or an attempt has failed: what can be known about the server is known. */
bool quire_link_settled(const struct quire_link *link);
/* Closes the connection, if there is one, because of `error`. */
void quire_link_drop(struct quire_link *link, const char *error);

#endif
