/* The requests of one ring that wait for a reply: a bounded table of slots with generations, and a heap of deadlines.
 *
 * Ring thread only. A correlation id names slot and generation; a reply whose generation has passed meets nobody. */
#ifndef QUIRE_GATEWAY_INFLIGHT_H
#define QUIRE_GATEWAY_INFLIGHT_H

#include "base/slice.h"

struct inflight;

struct inflight_id {
    uint32_t slot, generation;
};

QUIRE_MUSTCHECK struct inflight *inflight_create(uint32_t entries_max);
void inflight_destroy(struct inflight *inflight);

/* `waiter` stays the caller's and outlives the entry. deadline_ns is CLOCK_MONOTONIC. False when entries_max wait
 * already: answer 503. */
QUIRE_MUSTCHECK bool inflight_add(struct inflight *inflight, void *waiter, uint64_t deadline_ns,
                                  struct inflight_id *ret_id);
/* Takes the entry out and returns its waiter; NULL when it is gone already. */
void *inflight_take(struct inflight *inflight, struct inflight_id id);
/* Takes out one entry whose deadline has passed; NULL when there is none. Call until NULL. */
void *inflight_expire(struct inflight *inflight, uint64_t now_ns);
/* The earliest deadline, exactly; UINT64_MAX when none waits. */
uint64_t inflight_next_ns(const struct inflight *inflight);
/* True when inflight_add would say no. */
bool inflight_full(const struct inflight *inflight);
uint32_t inflight_count(const struct inflight *inflight);

#endif
