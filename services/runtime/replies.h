/* Answers on their way back to the gateways: one producer for small ones and one for large ones, so that no large one
 * stands before a small one. Shared by all workers of a process; any thread. */
#ifndef QUIRE_RUNTIME_REPLIES_H
#define QUIRE_RUNTIME_REPLIES_H

#include "base/kafka_access.h"
#include "base/log.h"
#include "base/metrics.h"
#include "runtime/envelope.h"

struct quire_replies;

struct quire_replies_options {
    const struct quire_kafka_access *kafka;
    const char *service;
    const char *topic,
        *bulk_topic; /* where gateways wait, as a rule: looked up before the first reply; an envelope may name others */
    struct quire_log *log;
    struct quire_metrics *metrics;
};

/* NULL after logging why. Texts outlive it. */
QUIRE_MUSTCHECK struct quire_replies *quire_replies_create(const struct quire_replies_options *options);
/* Puts the answer to `envelope`'s sender into the producer's queue; everything is copied. Waits at most 500 ms for room
 * in a full queue. False: it is lost (counted); its caller meets the deadline. Nothing is sent, and true returned,
 * where nobody waits. */
bool quire_replies_send(struct quire_replies *replies, const struct quire_envelope *envelope, const char *request_id,
                        unsigned status, struct quire_slice value);
/* Waits at most wait_ms until Kafka has what was sent so far: before something that may be a crash. */
void quire_replies_flush(struct quire_replies *replies, int wait_ms);
/* Serves librdkafka's callbacks and ends outages; call it at least each second from one thread. */
void quire_replies_poll(struct quire_replies *replies, uint64_t now_ns);
/* It knows the reply topics and can reach a broker. */
bool quire_replies_ready(const struct quire_replies *replies);
/* A producer has failed for good (librdkafka's INTRODUCTION.md, "Fatal errors"): nothing is sent any more. Any thread.
 */
bool quire_replies_failed(const struct quire_replies *replies);
#ifdef QUIRE_FAULTS
void quire_replies_break(struct quire_replies *replies); /* for good, as faults.h has it */
#endif
/* Waits at most wait_ms for what is queued, then drops it. Takes NULL. */
void quire_replies_destroy(struct quire_replies *replies, int wait_ms);

#endif
