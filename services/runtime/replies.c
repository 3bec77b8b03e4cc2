#include "runtime/replies.h"

#include "base/wire.h"
#include "runtime/kafka.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define TOPIC_CHARACTERS_MAX 249u
#define FULL_POLLS_MAX 50 /* times 10 ms */
#define HEADERS_MAX 4u

struct producer {
    struct quire_kafka_link link;
    rd_kafka_t *client;
    struct quire_kafka_topics topics; /* of the thread that polls */
    atomic_bool ready;                /* knows its topics; any thread */
};

struct quire_replies {
    struct producer small, bulk;
    struct quire_log *log;
    struct quire_series *lost;
};

/* Only failures are reported. The link comes first in its struct producer, the opaque of the client; the series is the
 * message's. */
static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client;
    (void)opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && message->_private != NULL)
        quire_series_add(message->_private, 1);
}

static bool create_producer(struct producer *producer, const struct quire_replies_options *options, const char *role,
                            const char *topic, const char *kbytes) {
    /* A reply that is older than the longest deadline helps nobody. */
    const struct quire_kafka_property settings[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"linger.ms", "0"}, /* a batch's replies still go together: they are queued faster than the sender wakes */
        {"message.timeout.ms", "30000"},
        {"delivery.report.only.error", "true"},
        {"queue.buffering.max.messages", "100000"},
        {"queue.buffering.max.kbytes", kbytes},
    };
    producer->link = (struct quire_kafka_link){.log = options->log, .role = role};
    rd_kafka_conf_t *conf = quire_kafka_conf(&producer->link, options->kafka, options->service, settings,
                                             sizeof(settings) / sizeof(settings[0]));
    if (conf == NULL)
        return false;
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    producer->topics = (struct quire_kafka_topics){.names = {topic}, .count = 1};
    producer->client = quire_kafka_client(&producer->link, RD_KAFKA_PRODUCER, conf);
    return producer->client != NULL;
}

struct quire_replies *quire_replies_create(const struct quire_replies_options *options) {
    struct quire_replies *replies = calloc(1, sizeof(*replies));

    if (replies == NULL)
        return NULL;
    replies->log = options->log;
    replies->lost = quire_metrics_one(options->metrics, QUIRE_COUNTER, "quire_replies_lost_total",
                                      "Answers that Kafka did not take in time.", "", NULL);
    if (!create_producer(&replies->small, options, "replies", options->topic, "65536") ||
        !create_producer(&replies->bulk, options, "bulk replies", options->bulk_topic, "262144")) {
        quire_replies_destroy(replies, 0);
        return NULL;
    }
    return replies;
}

static bool add_header(rd_kafka_headers_t *headers, const char *name, const void *value, size_t size) {
    return rd_kafka_header_add(headers, name, -1, value, (ssize_t)size) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Headers of our own, not RD_KAFKA_VTYPE_HEADER units: librdkafka (2.8) destroys those twice when the partition doesn't
 * exist, and the partition is whatever a request's header says. */
static rd_kafka_headers_t *reply_headers(const struct quire_envelope *envelope, const char *request_id,
                                         const char *status) {
    rd_kafka_headers_t *headers = rd_kafka_headers_new(HEADERS_MAX);
    const bool added =
        add_header(headers, QUIRE_HEADER_CORRELATION_ID, envelope->correlation.bytes, envelope->correlation.size) &&
        add_header(headers, QUIRE_HEADER_STATUS, status, strlen(status)) &&
        (request_id == NULL || add_header(headers, QUIRE_HEADER_REQUEST_ID, request_id, strlen(request_id))) &&
        (envelope->traceparent.size == 0 ||
         add_header(headers, QUIRE_HEADER_TRACEPARENT, envelope->traceparent.bytes, envelope->traceparent.size));
    assert(added); /* fails only for read-only headers, which these are not */
    return headers;
}

/* Takes the headers over. */
static rd_kafka_resp_err_t produce(struct quire_replies *replies, rd_kafka_t *client, const char *topic,
                                   int32_t partition, struct quire_slice value, rd_kafka_headers_t *headers) {
    const rd_kafka_vu_t units[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {.ptr = (void *)(uintptr_t)value.bytes, .size = value.size}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = replies->lost},
    };

    for (int polls = 0;; polls++) {
        rd_kafka_error_t *error = rd_kafka_produceva(client, units, sizeof(units) / sizeof(units[0]));
        if (error == NULL)
            return RD_KAFKA_RESP_ERR_NO_ERROR; /* the headers are the message's now */
        const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || polls == FULL_POLLS_MAX) {
            rd_kafka_headers_destroy(headers);
            return code;
        }
        rd_kafka_poll(client, 10);
    }
}

bool quire_replies_send(struct quire_replies *replies, const struct quire_envelope *envelope, const char *request_id,
                        unsigned status, struct quire_slice value) {
    const bool bulk = value.size > QUIRE_BULK_BYTES && envelope->bulk_reply_topic.size != 0;
    const struct quire_slice name = bulk ? envelope->bulk_reply_topic : envelope->reply_topic;
    char topic[TOPIC_CHARACTERS_MAX + 1], status_text[12];

    if (envelope->reply_topic.size == 0 || envelope->correlation.size == 0)
        return true;
    memcpy(topic, name.bytes, name.size);
    topic[name.size] = '\0';
    (void)snprintf(status_text, sizeof(status_text), "%u", status);
    rd_kafka_headers_t *headers = reply_headers(envelope, request_id, status_text);
    struct producer *producer = bulk ? &replies->bulk : &replies->small;
    const rd_kafka_resp_err_t error =
        produce(replies, producer->client, topic, envelope->reply_partition, value, headers);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    if (rd_kafka_fatal_error(producer->client, NULL, 0) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) /* before the next poll says so: the batch must not count as answered */
        atomic_store(&producer->link.fatal, true);
    quire_series_add(replies->lost, 1);
    QUIRE_LOG(replies->log, QUIRE_WARN, "reply.lost", QUIRE_CTEXT("request_id", request_id),
              QUIRE_CTEXT("error", rd_kafka_err2name(error)));
    return false;
}

void quire_replies_flush(struct quire_replies *replies, int wait_ms) {
    (void)rd_kafka_flush(replies->small.client, wait_ms); /* not in time: as lost as anything that a crash takes */
    (void)rd_kafka_flush(replies->bulk.client, wait_ms);
}

void quire_replies_poll(struct quire_replies *replies, uint64_t now_ns) {
    struct producer *const producers[] = {&replies->small, &replies->bulk};
    for (size_t i = 0; i < 2; i++) {
        rd_kafka_poll(producers[i]->client, 0);
        if (!atomic_load(&producers[i]->ready) && quire_kafka_learn(producers[i]->client, &producers[i]->topics))
            atomic_store(&producers[i]->ready, true);
        quire_kafka_probe(&producers[i]->link, producers[i]->client, now_ns);
    }
}

bool quire_replies_ready(const struct quire_replies *replies) {
    return atomic_load(&replies->small.ready) && atomic_load(&replies->bulk.ready) &&
           !atomic_load(&replies->small.link.down);
}

bool quire_replies_failed(const struct quire_replies *replies) {
    return atomic_load(&replies->small.link.fatal) || atomic_load(&replies->bulk.link.fatal);
}

#ifdef QUIRE_FAULTS
void quire_replies_break(struct quire_replies *replies) {
    (void)rd_kafka_test_fatal_error(replies->small.client, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a fault");
}
#endif

static void destroy_producer(struct producer *producer, int wait_ms) {
    if (producer->client == NULL)
        return;
    if (wait_ms > 0)
        (void)rd_kafka_flush(producer->client, wait_ms); /* what is still queued then has no one waiting */
    rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(producer->client, 0);
    quire_kafka_forget(&producer->topics);
    rd_kafka_destroy(producer->client);
}

void quire_replies_destroy(struct quire_replies *replies, int wait_ms) {
    if (replies == NULL)
        return;
    destroy_producer(&replies->small, wait_ms);
    destroy_producer(&replies->bulk, wait_ms);
    free(replies);
}
