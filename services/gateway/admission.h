/* Which requests may still join a lane's queue: those that the lane can answer in time, judged by what it has answered
 * of late.
 *
 * By Little's law a request that joins waits for (requests in flight) / (answers a second). Both are counted here, a
 * lane by itself, over the last `queue_ns`; a request whose wait would be longer than that, or than its own time, is
 * refused at once rather than queued for a 504. So a queue is as long as its consumers are quick, whatever they are and
 * however many gateways share them: each ring sees its own share of the requests and the same share of the answers.
 *
 * Ring thread only. Times are the shard's now_ns: CLOCK_MONOTONIC, never going back. */
#ifndef QUIRE_GATEWAY_ADMISSION_H
#define QUIRE_GATEWAY_ADMISSION_H

#include "base/contract.h"

struct admission;
struct admission_lane;

/* queue_ns 0: every request is admitted. NULL without memory. */
QUIRE_MUSTCHECK struct admission *admission_create(const struct quire_contract *contract, uint64_t queue_ns);
void admission_destroy(struct admission *admission);

/* `lane` is the service's. It lives as long as the admission. */
struct admission_lane *admission_lane_of(struct admission *admission, const struct quire_contract_service *service,
                                         uint32_t lane);
/* Whether a request that allows itself timeout_ns may join. A refusal is counted. */
QUIRE_MUSTCHECK bool admission_admits(struct admission_lane *lane, uint64_t now_ns, uint64_t timeout_ns);

/* How a request's stay in a lane ends. */
enum admission_end {
    ADMISSION_ANSWERED,
    ADMISSION_EXPIRED,   /* at its deadline: its consumer drops it */
    ADMISSION_ABANDONED, /* nobody waits for it any more, but its consumer will handle it */
};

/* A request is on its way to the lane, and has left it. */
void admission_begin(struct admission_lane *lane, uint64_t now_ns);
void admission_end(struct admission_lane *lane, uint64_t now_ns, enum admission_end end);

/* A reply came took_ns after its request had been sent; and how long replies take of late (0: none has come yet). */
void admission_reply_took(struct admission_lane *lane, uint64_t took_ns);
uint64_t admission_reply_ns(const struct admission_lane *lane);

/* What a lane has refused since it began to. */
struct admission_news {
    const char *topic;
    bool ended; /* no refusal for a second; otherwise the first one */
    uint64_t refused, seconds;
};
/* Call until false, each tick: one outage of a lane is told twice, when it begins and when it has ended. */
bool admission_next_news(struct admission *admission, uint64_t now_ns, struct admission_news *ret_news);

#endif
