/* TLS on the way to Redis: who is believed, and the handshake. The server must show a certificate of our authorities in
 * the name that it was called by (RFC 9525). One context serves many connections; any thread, constant after create. */
#ifndef QUIRE_RUNTIME_REDIS_TLS_H
#define QUIRE_RUNTIME_REDIS_TLS_H

#include "base/slice.h"

#include <hiredis/hiredis.h>

#define QUIRE_TLS_ERROR_CHARACTERS 160u

struct quire_redis_tls;

/* `ca` is a PEM text with one or more certificates; empty: the system's authorities. NULL after writing why. */
QUIRE_MUSTCHECK struct quire_redis_tls *quire_redis_tls_create(const char *ca,
                                                               char ret_error[QUIRE_TLS_ERROR_CHARACTERS]);
void quire_redis_tls_destroy(struct quire_redis_tls *tls);

/* Handshakes on the context's connected, non-blocking socket until deadline_ns (CLOCK_MONOTONIC); from then on hiredis
 * reads and writes through it, and frees it with the context. `host` is a name or an address. False after writing why:
 * the context is then of no use. */
QUIRE_MUSTCHECK bool quire_redis_tls_start(const struct quire_redis_tls *tls, redisContext *context, const char *host,
                                           uint64_t deadline_ns, char ret_error[QUIRE_TLS_ERROR_CHARACTERS]);

#endif
