/* When a consumer joins its group, told by the requests that its client sends and the answers that it gets: librdkafka
 * doesn't say. While it joins, nothing may be committed: a commit behind a JoinGroup waits on the same connection until
 * the group has a new generation, is refused for the old one, and makes the client forget its own, so that the whole
 * group goes round again. And a member shouldn't leave before the others can take over: in the middle of a round nobody
 * hears it, and within a second of the last one librdkafka doesn't join. */
#ifndef QUIRE_RUNTIME_MEMBERSHIP_H
#define QUIRE_RUNTIME_MEMBERSHIP_H

#include "base/slice.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

struct quire_membership {
    /* Written by the client's threads. */
    atomic_uint_fast64_t joined_ns; /* CLOCK_MONOTONIC of the last JoinGroup; 0: none */
    atomic_bool joining;            /* it, or the SyncGroup behind it, isn't answered */
    uint64_t join_each_ns;          /* how long after a JoinGroup a member may not have sent the next */
};

/* Watches the client that will be made of this configuration, whose heartbeats are so far apart. The membership
 * outlives it. */
void quire_membership_watch(struct quire_membership *membership, rd_kafka_conf_t *conf, int64_t heartbeat_ms);
/* From the JoinGroup to the SyncGroup's answer, at most 3 s: a coordinator that vanished answers neither. Any thread.
 */
bool quire_membership_joining(const struct quire_membership *membership, uint64_t now_ns);
/* Neither joining, nor within the second and a heartbeat in which the others may not join again. Any thread. */
bool quire_membership_may_leave(const struct quire_membership *membership, uint64_t now_ns);

#endif
