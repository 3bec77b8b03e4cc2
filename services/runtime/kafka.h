/* What the runtime's librdkafka clients have in common: their settings, their log lines, and the outage of the brokers,
 * told when it begins and when it ends. A link belongs to one client and outlives it. */
#ifndef QUIRE_RUNTIME_KAFKA_H
#define QUIRE_RUNTIME_KAFKA_H

#include "base/kafka_access.h"
#include "base/log.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

/* The largest message: the largest document (15 MiB) and its envelope; compose/kafka/server.properties has the broker's
 * side. What a consumer fetches at once must hold one, what it receives at once must hold what it fetches. */
#define QUIRE_MESSAGE_BYTES_MAX "20971520"
#define QUIRE_FETCH_BYTES_MAX "33554432"
#define QUIRE_RECEIVE_BYTES_MAX "67108864"

struct quire_kafka_link {
    struct quire_log *log;
    const char *role;        /* of the client, in log lines: "consumer quire.documents.read" */
    atomic_bool down;        /* no broker can be reached; any thread */
    atomic_bool fatal;       /* the client can't go on; any thread */
    uint64_t probe_after_ns; /* of the thread that calls quire_kafka_probe */
};

/* A configuration with these properties, those of `access` and "client.id", and callbacks that tell `link`. NULL after
 * logging which property was refused. */
QUIRE_MUSTCHECK rd_kafka_conf_t *quire_kafka_conf(struct quire_kafka_link *link,
                                                  const struct quire_kafka_access *access, const char *client,
                                                  const struct quire_kafka_property *properties, size_t count);
/* Takes the configuration in any case. NULL after logging why. */
QUIRE_MUSTCHECK rd_kafka_t *quire_kafka_client(struct quire_kafka_link *link, rd_kafka_type_t type,
                                               rd_kafka_conf_t *conf);
/* Topics that a producer is to know before the first message for them: looked up then, they cost that message up to a
 * second. */
#define QUIRE_KAFKA_TOPICS_MAX 32u
struct quire_kafka_topics {
    const char *names[QUIRE_KAFKA_TOPICS_MAX];
    rd_kafka_topic_t *handles[QUIRE_KAFKA_TOPICS_MAX]; /* kept, so that librdkafka keeps what it knows up to date */
    size_t count, known;                               /* the first `known` are */
};
/* Looks up what isn't known yet, waiting at most 100 ms. True when all are known. */
bool quire_kafka_learn(rd_kafka_t *client, struct quire_kafka_topics *topics);
/* Before the client is destroyed. */
void quire_kafka_forget(struct quire_kafka_topics *topics);
/* While the link is down, asks the brokers now and then (at most each 500 ms, waiting at most 200 ms) whether they are
 * back. */
void quire_kafka_probe(struct quire_kafka_link *link, rd_kafka_t *client, uint64_t now_ns);

#endif
