/* The memory that a crowd of waiting requests needed is given back when it has gone.
 *
 * An exchange's memory is freed after its answer, but the allocator keeps what it has once had (8,000 waiting at once
 * leave some 80 MB, seen), as pages between those of longer life. malloc_trim gives such pages back, for a few
 * milliseconds of the thread that asks: hence only after a crowd, and not often. Ring thread. */
#ifndef QUIRE_GATEWAY_CROWD_H
#define QUIRE_GATEWAY_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#define CROWD_REQUESTS 1024u           /* fewer are no crowd */
#define CROWD_INTERVAL_NS 10000000000u /* between two times that memory is given back */

/* Zero at first. */
struct crowd {
    uint32_t most;       /* waiting at once since memory was given back last */
    uint64_t trimmed_ns; /* CLOCK_MONOTONIC */
};

/* Each tick. `waiting`: requests of the ring whose replies are awaited. True when a crowd has gone, three quarters of
 * it at least: call malloc_trim. */
bool crowd_has_gone(struct crowd *crowd, uint32_t waiting, uint64_t now_ns);

#endif
