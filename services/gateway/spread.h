/* Which partition of a lane the next request goes to: round robin, but requests that come close together go together.
 *
 * Few in flight are dear otherwise: a producer sends a request of its own for each partition, a broker wakes a fetch
 * for each, and a worker runs a batch of one. Ring thread only; each ring and lane has a spread of its own. */
#ifndef QUIRE_GATEWAY_SPREAD_H
#define QUIRE_GATEWAY_SPREAD_H

#include <stdint.h>

/* How long after the first of them requests may still go to the same partition: short, so that whoever asks again after
 * a failure comes to another worker. */
#define SPREAD_TOGETHER_NS 2000000u
#define SPREAD_TOGETHER_LEAST 4u

/* Zero, or with any `turn` to begin elsewhere than at partition 0. */
struct spread {
    uint32_t turn;     /* partitions that were chosen so far; the present one is (turn - 1) % partitions */
    uint32_t left;     /* requests that may still go there */
    uint64_t until_ns; /* CLOCK_MONOTONIC */
};

/* 0..partitions - 1. `partitions` may change from call to call. together_max: so many go together at most. Neither is
 * 0.
 */
uint32_t spread_next(struct spread *spread, uint32_t partitions, uint32_t together_max, uint64_t now_ns);

/* How many requests of a lane may go together, by what a worker takes at once: an eighth of it, so that a crowd comes
 * to several workers; of a small batch half or SPREAD_TOGETHER_LEAST, as fewer would cost the broker a request each;
 * one by one where a message keeps a core busy. Never 0. */
uint32_t spread_together_max(uint32_t batch_max);

#endif
