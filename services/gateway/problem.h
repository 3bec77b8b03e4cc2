/* A failure as a client sees it: problem+json (RFC 9457), and the one table of the reasons for which the gateway itself
 * ends a request. */
#ifndef QUIRE_GATEWAY_PROBLEM_H
#define QUIRE_GATEWAY_PROBLEM_H

#include "base/arena.h"

struct problem_fault {
    const char *field, *message; /* NUL-terminated, arena or constant */
};

struct problem {
    unsigned status;
    const char *slug;   /* NULL: "about:blank", and with faults "invalid" */
    const char *title;  /* NULL: the status' own */
    const char *detail; /* NULL: the status' own */
    struct problem_fault *faults;
    size_t faults_count;
    unsigned retry_after_s; /* 0: no Retry-After; a 503 and 429 always have one (1 by default) */
    uint32_t pace_us;       /* of a service's refusal (pacer.h); 0: none */
    struct quire_slice rate_limit, rate_limit_policy;
};

/* The standard title of a status: "Not Found". "Unknown" for what isn't registered. */
const char *problem_title(unsigned status);

/* The body. `instance` is the request id. False without memory. */
QUIRE_MUSTCHECK bool problem_render(struct quire_arena *arena, const struct problem *problem,
                                    struct quire_slice instance, struct quire_slice *ret_json);
/* Reads a quire.Problem. False: it is none. */
QUIRE_MUSTCHECK bool problem_decode(struct quire_arena *arena, struct quire_slice value, struct problem *ret_problem);

#endif
