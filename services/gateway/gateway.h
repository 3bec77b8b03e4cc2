/* What all rings of a gateway process share: constants of the start, and a few atomics. Wiring only, no behaviour but
 * reading the phase. */
#ifndef QUIRE_GATEWAY_GATEWAY_H
#define QUIRE_GATEWAY_GATEWAY_H

#include "gateway/budget.h"
#include "gateway/bus.h"
#include "gateway/client_address.h"
#include "gateway/config.h"
#include "gateway/keyring.h"
#include "gateway/route.h"

/* A process goes through these in order and never back. */
enum gateway_phase {
    GATEWAY_SERVING,
    GATEWAY_UNREADY, /* told to stop: /readyz says 503, everything else goes on, so that a proxy can turn away first */
    GATEWAY_CLOSING, /* answers carry Connection: close, idle connections are closed, listeners last */
    GATEWAY_ENDING,  /* what is owed still is given up */
};

struct gateway {
    const struct gateway_config *config;
    const struct quire_contract *contract;
    struct quire_log *log;
    struct quire_metrics *metrics;
    struct router *router;
    struct bus *bus;
    struct keyring *keyring;
    struct client_proxies proxies;
    struct budget budget;
    uint32_t rings_count;
    bool limits_off;
    atomic_int phase;        /* written by the main thread */
    atomic_uint rings_ready; /* rings whose reply partitions work; each adds and takes itself */
};

static inline enum gateway_phase gateway_phase(const struct gateway *gateway) {
    return (enum gateway_phase)atomic_load_explicit(&gateway->phase, memory_order_relaxed);
}

/* True when every ring can serve and no one asked the process to stop. Any thread. */
static inline bool gateway_ready(const struct gateway *gateway) {
    return gateway_phase(gateway) == GATEWAY_SERVING &&
           atomic_load_explicit(&gateway->rings_ready, memory_order_relaxed) == gateway->rings_count;
}

#endif
