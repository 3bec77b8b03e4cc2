/* A request target (RFC 9112 3.2) taken apart: authority, path segments, query. Pure; memory from the arena given. */
#ifndef QUIRE_GATEWAY_TARGET_H
#define QUIRE_GATEWAY_TARGET_H

#include "base/arena.h"

#define TARGET_SEGMENTS_MAX 16u

enum target_form { TARGET_ORIGIN, TARGET_ABSOLUTE, TARGET_ASTERISK };

enum target_result {
    TARGET_FINE,
    TARGET_MALFORMED, /* 400 */
    TARGET_FOREIGN,   /* an absolute form of another scheme than http and https: 421 */
    TARGET_TOO_DEEP,  /* more segments than any route has: 404 */
    TARGET_NO_MEMORY,
};

struct target {
    enum target_form form;
    struct quire_slice authority;                     /* of the absolute form, else empty */
    struct quire_slice path;                          /* as sent, "/" at least */
    struct quire_slice query;                         /* after '?', as sent */
    struct quire_slice segments[TARGET_SEGMENTS_MAX]; /* decoded; "/" has one, empty */
    size_t segments_count;
};

QUIRE_MUSTCHECK enum target_result target_parse(struct quire_arena *arena, struct quire_slice text,
                                                struct target *ret_target);

/* Is the host of "host:port" or "[v6]:port" in a comma-separated list of names (any case)? An empty list has every
 * host. */
bool target_host_listed(struct quire_slice authority, const char *names);

#endif
