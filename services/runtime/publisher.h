/* A producer for what must be known to be in Kafka before its cause is forgotten: dead letters, events. Shared by all
 * threads of a process. */
#ifndef QUIRE_RUNTIME_PUBLISHER_H
#define QUIRE_RUNTIME_PUBLISHER_H

#include "base/kafka_access.h"
#include "base/log.h"

#include <librdkafka/rdkafka.h>

struct quire_publisher;

struct quire_message {
    const char *topic;
    struct quire_slice key, value;     /* a NULL key or value is sent as null */
    const rd_kafka_headers_t *headers; /* copied; NULL: none */
};

/* NULL after logging why. */
QUIRE_MUSTCHECK struct quire_publisher *quire_publisher_create(const struct quire_kafka_access *kafka,
                                                               const char *service, struct quire_log *log);
/* Looks up the topic `name``suffix` in quire_publisher_poll, before its first message. Before other threads use the
 * publisher. */
void quire_publisher_expect(struct quire_publisher *publisher, const char *name, const char *suffix);
/* Returns when Kafka has acknowledged all (acks=all), or when it is known that it hasn't: at most some 6 s. The order
 * is kept for each key. False: none or some are there; publish all again. */
QUIRE_MUSTCHECK bool quire_publisher_publish(struct quire_publisher *publisher, const struct quire_message *messages,
                                             size_t count);
/* The same for one message. *ret_too_large is set where Kafka will never take it: larger than its topic's limit. */
QUIRE_MUSTCHECK bool quire_publisher_publish_one(struct quire_publisher *publisher, const struct quire_message *message,
                                                 bool *ret_too_large);
/* As quire_replies_poll. */
void quire_publisher_poll(struct quire_publisher *publisher, uint64_t now_ns);
/* As quire_replies_failed. */
bool quire_publisher_failed(const struct quire_publisher *publisher);
#ifdef QUIRE_FAULTS
void quire_publisher_break(struct quire_publisher *publisher); /* for good, as faults.h has it */
#endif
void quire_publisher_destroy(struct quire_publisher *publisher);

#endif
