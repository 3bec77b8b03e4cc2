#include "runtime/publisher.h"

#include "runtime/kafka.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define TOPIC_BYTES 256u /* Kafka's names have at most 249 characters */
#define LEARN_EACH_NS UINT64_C(1000000000)

struct quire_publisher {
    struct quire_kafka_link link;
    rd_kafka_t *client;
    struct quire_log *log;
    atomic_bool failing; /* an outage has been told */
    struct quire_kafka_topics topics;
    char names[QUIRE_KAFKA_TOPICS_MAX][TOPIC_BYTES]; /* of topics */
    uint64_t learn_after_ns;
};

/* One call of quire_publisher_publish, on its stack. librdkafka reports each message exactly once, within
 * message.timeout.ms: the call returns only when none is pending, so no report comes later than its struct lives. */
struct wait {
    atomic_size_t pending, failed;
    atomic_int error;
};

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    struct wait *wait = message->_private;
    (void)client;
    (void)opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        atomic_store(&wait->error, (int)message->err);
        atomic_fetch_add(&wait->failed, 1);
    }
    atomic_fetch_sub(&wait->pending, 1);
}

struct quire_publisher *quire_publisher_create(const struct quire_kafka_access *kafka, const char *service,
                                               struct quire_log *log) {
    const struct quire_kafka_property settings[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"linger.ms", "1"},
        {"message.timeout.ms", "5000"},
        {"queue.buffering.max.messages", "10000"},
        {"queue.buffering.max.kbytes", "131072"},
        {"partitioner",
         "murmur2_random"}, /* Java's: other programs' messages with the same key come to the same partition */
    };
    struct quire_publisher *publisher = calloc(1, sizeof(*publisher));

    if (publisher == NULL)
        return NULL;
    publisher->log = log;
    publisher->link = (struct quire_kafka_link){.log = log, .role = "publisher"};
    rd_kafka_conf_t *conf =
        quire_kafka_conf(&publisher->link, kafka, service, settings, sizeof(settings) / sizeof(settings[0]));
    if (conf != NULL) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        publisher->client = quire_kafka_client(&publisher->link, RD_KAFKA_PRODUCER, conf);
    }
    if (publisher->client == NULL) {
        free(publisher);
        return NULL;
    }
    return publisher;
}

void quire_publisher_expect(struct quire_publisher *publisher, const char *name, const char *suffix) {
    const size_t index = publisher->topics.count;

    if (index == QUIRE_KAFKA_TOPICS_MAX)
        return; /* then its first message waits */
    (void)snprintf(publisher->names[index], TOPIC_BYTES, "%s%s", name, suffix);
    publisher->topics.names[index] = publisher->names[index];
    publisher->topics.count++;
}

static bool produce(struct quire_publisher *publisher, const struct quire_message *message, struct wait *wait) {
    rd_kafka_headers_t *headers =
        message->headers == NULL ? rd_kafka_headers_new(1) : rd_kafka_headers_copy(message->headers);
    const rd_kafka_vu_t units[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = message->topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = (void *)(uintptr_t)message->key.bytes, .size = message->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = (void *)(uintptr_t)message->value.bytes, .size = message->value.size}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = wait},
    };

    atomic_fetch_add(&wait->pending, 1);
    rd_kafka_error_t *error = rd_kafka_produceva(publisher->client, units, sizeof(units) / sizeof(units[0]));
    if (error == NULL)
        return true; /* the headers are the message's now */
    atomic_store(&wait->error, (int)rd_kafka_error_code(error));
    atomic_fetch_sub(&wait->pending, 1);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    return false;
}

static rd_kafka_resp_err_t publish(struct quire_publisher *publisher, const struct quire_message *messages,
                                   size_t count) {
    struct wait wait = {0};
    bool queued = true;

    for (size_t i = 0; queued && i < count; i++)
        queued = produce(publisher, &messages[i], &wait);
    while (atomic_load(&wait.pending) != 0)
        rd_kafka_poll(publisher->client, 5); /* another thread's poll may serve our reports: look again soon */
    return queued && atomic_load(&wait.failed) == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR
                                                    : (rd_kafka_resp_err_t)atomic_load(&wait.error);
}

/* True when there was none. */
static bool tell(struct quire_publisher *publisher, const char *topic, rd_kafka_resp_err_t error) {
    const bool published = error == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!published && !atomic_exchange(&publisher->failing, true))
        QUIRE_LOG(publisher->log, QUIRE_WARN, "publish.failing", QUIRE_CTEXT("topic", topic),
                  QUIRE_CTEXT("error", rd_kafka_err2name(error)));
    if (published && atomic_exchange(&publisher->failing, false))
        QUIRE_LOG(publisher->log, QUIRE_INFO, "publish.works_again", QUIRE_CTEXT("topic", topic));
    return published;
}

bool quire_publisher_publish(struct quire_publisher *publisher, const struct quire_message *messages, size_t count) {
    return tell(publisher, messages[0].topic, publish(publisher, messages, count));
}

bool quire_publisher_publish_one(struct quire_publisher *publisher, const struct quire_message *message,
                                 bool *ret_too_large) {
    const rd_kafka_resp_err_t error = publish(publisher, message, 1);
    *ret_too_large = error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    return tell(publisher, message->topic, error);
}

void quire_publisher_poll(struct quire_publisher *publisher, uint64_t now_ns) {
    rd_kafka_poll(publisher->client, 0);
    quire_kafka_probe(&publisher->link, publisher->client, now_ns);
    if (now_ns < publisher->learn_after_ns)
        return;
    publisher->learn_after_ns = now_ns + LEARN_EACH_NS;
    (void)quire_kafka_learn(publisher->client, &publisher->topics); /* one that isn't there is looked for again */
}

bool quire_publisher_failed(const struct quire_publisher *publisher) {
    return atomic_load(&publisher->link.fatal);
}

#ifdef QUIRE_FAULTS
void quire_publisher_break(struct quire_publisher *publisher) {
    (void)rd_kafka_test_fatal_error(publisher->client, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a fault");
}
#endif

void quire_publisher_destroy(struct quire_publisher *publisher) {
    if (publisher == NULL)
        return;
    quire_kafka_forget(&publisher->topics);
    rd_kafka_destroy(publisher->client); /* nothing is pending: every publication has been waited for */
    free(publisher);
}
