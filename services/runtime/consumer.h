/* One worker's membership in its lane's consumer group: messages in, offsets back. Worker thread only, but for
 * quire_consumer_settled. */
#ifndef QUIRE_RUNTIME_CONSUMER_H
#define QUIRE_RUNTIME_CONSUMER_H

#include "base/kafka_access.h"
#include "base/log.h"
#include "base/metrics.h"

#include <librdkafka/rdkafka.h>

struct quire_consumer;

struct quire_consumer_options {
    const struct quire_kafka_access *kafka;
    const char *service, *group, *topic;
    size_t batch_max;
    size_t batch_bytes_max;
    int64_t heartbeat_ms, fetch_wait_ms;
    struct quire_log *log;
    struct quire_metrics *metrics;
};

/* A message to handle. It is the consumer's until quire_consumer_done. */
struct quire_delivery {
    rd_kafka_message_t *message;
    unsigned attempt; /* 1, or more when it may have been in a crash; above QUIRE_ATTEMPTS_MAX (partition.h) it must not
                         be tried again */
};

/* NULL after logging why. Joins no group yet. */
QUIRE_MUSTCHECK struct quire_consumer *quire_consumer_create(const struct quire_consumer_options *options);
/* Takes what is there, at most batch_max messages (ret_deliveries has room for them), after waiting at most wait_ms for
 * the first one. A suspect of a crash comes alone. Also serves rebalances, commits that are due, and, until the topic
 * exists, looks for it. */
size_t quire_consumer_take(struct quire_consumer *consumer, int wait_ms, struct quire_delivery *ret_deliveries);
/* Notes at the broker that this delivery is being tried, so that the next owner knows should we crash; call it before
 * handling one whose attempt is above 1. A note that fails is logged, and the message handled all the same. */
void quire_consumer_note_attempt(struct quire_consumer *consumer, const struct quire_delivery *delivery);
/* Gives the messages back; `handled`: their offsets are stored, so that they don't come again. */
void quire_consumer_done(struct quire_consumer *consumer, struct quire_delivery *deliveries, size_t count,
                         bool handled);
/* At most once a second: lag gauges, and whether the brokers are back. */
void quire_consumer_tick(struct quire_consumer *consumer, uint64_t now_ns);
/* Member of a group that has settled, on a topic that exists, with brokers that can be reached. Any thread. */
bool quire_consumer_settled(const struct quire_consumer *consumer);
/* The client has met an error that it can't mend. */
bool quire_consumer_failed(const struct quire_consumer *consumer);
/* False for at most 3 s after the group's last round: go on taking until then, or nobody takes over at once. */
bool quire_consumer_may_leave(const struct quire_consumer *consumer);
/* The answers of what was done lately may be lost: no more is committed, so that it comes again, to whoever follows. */
void quire_consumer_doubt(struct quire_consumer *consumer);
/* Commits as "clean" what is done, leaves the group, and takes the client down, which now and then takes a second: on
 * threads of their own, several consumers do that at once. Only quire_consumer_settled, _failed and _destroy may
 * follow.
 */
void quire_consumer_leave(struct quire_consumer *consumer);
/* After quire_consumer_leave, or before the first take. Takes NULL. */
void quire_consumer_destroy(struct quire_consumer *consumer);

#endif
