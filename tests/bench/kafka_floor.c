/* The Kafka floor: a request and its reply with plain librdkafka on both ends, so many in flight, nothing else.
 *
 *     kafka_floor BROKERS REQUEST_TOPIC REPLY_TOPIC IN_FLIGHT SECONDS [RATE]
 *
 * Two threads: one answers every message of the request topic's partition 0; the other keeps IN_FLIGHT requests of 200
 * bytes on their way, each with the time of its sending inside. With a RATE a third one sends so many a second from the
 * first reply on, however many are on their way, each with the time at which it was due. Prints {"requests_per_s",
 * "p50_us", "p95_us", "p99_us"}. The client's settings are those of Quire's own. */
#include <librdkafka/rdkafka.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VALUE_BYTES 200
#define SAMPLES_MAX 4000000
#define BATCH_MAX 1024
#define WARM_UP_NS 1000000000ull
#define FIRST_REPLY_NS 30000000000ull

struct floor {
    const char *brokers, *request_topic, *reply_topic;
    pthread_barrier_t
        both_follow; /* a request from before the responder knows where it begins would never be answered */
    _Atomic bool stopping;
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static rd_kafka_t *open_client(const char *brokers, rd_kafka_type_t type) {
    char error[256];
    const char *const settings[][2] = {
        {"bootstrap.servers", brokers},   {"linger.ms", "0"},
        {"socket.nagle.disable", "true"}, {"acks", "all"},
        {"enable.idempotence", "true"},   {"fetch.queue.backoff.ms", "2"},
        {"fetch.wait.max.ms", "100"},     {"group.id", "floor"},
        {"enable.auto.commit", "false"},  {"queue.buffering.max.messages", "1000000"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        const char *name = settings[i][0];
        const bool of_producer = strcmp(name, "linger.ms") == 0 || strcmp(name, "acks") == 0 ||
                                 strcmp(name, "enable.idempotence") == 0 ||
                                 strcmp(name, "queue.buffering.max.messages") == 0;
        const bool of_consumer =
            strncmp(name, "fetch.", 6) == 0 || strcmp(name, "group.id") == 0 || strcmp(name, "enable.auto.commit") == 0;
        if ((type == RD_KAFKA_PRODUCER && of_consumer) || (type == RD_KAFKA_CONSUMER && of_producer))
            continue;
        if (rd_kafka_conf_set(conf, name, settings[i][1], error, sizeof(error)) != RD_KAFKA_CONF_OK) {
            fprintf(stderr, "%s\n", error);
            exit(1);
        }
    }
    rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof(error));
    if (client == NULL) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    return client;
}

/* Partition 0 of a topic from its present end on. */
static rd_kafka_queue_t *follow(rd_kafka_t *consumer, const char *topic) {
    int64_t low = 0, high = 0;
    if (rd_kafka_query_watermark_offsets(consumer, topic, 0, &low, &high, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fprintf(stderr, "no watermark of %s\n", topic);
        exit(1);
    }
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(partitions, topic, 0)->offset = high;
    (void)rd_kafka_assign(consumer, partitions);
    rd_kafka_topic_partition_list_destroy(partitions);
    return rd_kafka_queue_get_consumer(consumer);
}

/* One message with the wait, the rest without: rd_kafka_consume_batch_queue would wait its whole time for a full batch.
 */
static size_t take(rd_kafka_queue_t *queue, rd_kafka_message_t **messages, int wait_ms) {
    ssize_t count = rd_kafka_consume_batch_queue(queue, wait_ms, messages, 1);
    if (count <= 0)
        return 0;
    const ssize_t more = rd_kafka_consume_batch_queue(queue, 0, messages + 1, BATCH_MAX - 1);
    return (size_t)(count + (more > 0 ? more : 0));
}

static void send_value(rd_kafka_t *producer, const char *topic, const void *value, size_t size) {
    while (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                             RD_KAFKA_V_VALUE((void *)(uintptr_t)value, size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_poll(producer, 1);
}

static void *answer(void *argument) {
    struct floor *floor = argument;
    rd_kafka_t *consumer = open_client(floor->brokers, RD_KAFKA_CONSUMER),
               *producer = open_client(floor->brokers, RD_KAFKA_PRODUCER);
    rd_kafka_queue_t *queue = follow(consumer, floor->request_topic);
    rd_kafka_message_t *messages[BATCH_MAX];
    (void)pthread_barrier_wait(&floor->both_follow);
    while (!atomic_load(&floor->stopping)) {
        const size_t count = take(queue, messages, 50);
        for (size_t i = 0; i < count; i++) {
            if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR)
                send_value(producer, floor->reply_topic, messages[i]->payload, messages[i]->len);
            rd_kafka_message_destroy(messages[i]);
        }
        rd_kafka_poll(producer, 0);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    rd_kafka_flush(producer, 1000);
    rd_kafka_destroy(producer);
    return NULL;
}

/* Requests at a constant rate. */
struct pace {
    rd_kafka_t *producer;
    const char *topic;
    uint64_t rate;
    _Atomic bool stopping;
};

static void *send_at_rate(void *argument) {
    struct pace *pace = argument;
    const uint64_t begin = now_ns();
    uint8_t value[VALUE_BYTES] = {0};
    for (uint64_t count = 0; !atomic_load(&pace->stopping); count++) {
        const uint64_t due = begin + count * 1000000000ull / pace->rate, now = now_ns();
        if (due > now)
            (void)nanosleep(&(struct timespec){.tv_nsec = (long)(due - now)}, NULL); /* a rate is at least 1 a second */
        memcpy(value, &due, sizeof(due));
        send_value(pace->producer, pace->topic, value, sizeof(value));
    }
    return NULL;
}

static int ascending(const void *a, const void *b) {
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void ask(struct floor *floor, size_t in_flight, uint64_t seconds, uint64_t rate) {
    rd_kafka_t *consumer = open_client(floor->brokers, RD_KAFKA_CONSUMER),
               *producer = open_client(floor->brokers, RD_KAFKA_PRODUCER);
    rd_kafka_queue_t *queue = follow(consumer, floor->reply_topic);
    uint32_t *samples_us = malloc(SAMPLES_MAX * sizeof(*samples_us));
    rd_kafka_message_t *messages[BATCH_MAX];
    uint8_t value[VALUE_BYTES] = {0};
    size_t samples = 0, answered = 0, waiting = 0;
    struct pace pace = {.producer = producer, .topic = floor->request_topic, .rate = rate};
    pthread_t pacer;
    (void)pthread_barrier_wait(&floor->both_follow);
    /* The time begins with the first reply: until then both clients learn where the topics are. */
    uint64_t begin = UINT64_MAX, end = now_ns() + FIRST_REPLY_NS;
    for (uint64_t now = now_ns(); now < end; now = now_ns()) {
        while (waiting < in_flight && (rate == 0 || begin == UINT64_MAX)) {
            const uint64_t sent = now_ns();
            memcpy(value, &sent, sizeof(sent));
            send_value(producer, floor->request_topic, value, sizeof(value));
            waiting++;
        }
        const size_t count = take(queue, messages, 1000);
        const uint64_t arrived = now_ns();
        for (size_t i = 0; i < count; i++) {
            uint64_t sent = 0;
            if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR && messages[i]->len == VALUE_BYTES) {
                memcpy(&sent, messages[i]->payload, sizeof(sent));
                waiting--;
                if (begin == UINT64_MAX) {
                    begin = arrived + WARM_UP_NS;
                    end = begin + seconds * 1000000000ull;
                    if (rate > 0 && pthread_create(&pacer, NULL, send_at_rate, &pace) != 0)
                        exit(1);
                }
                if (sent >= begin) {
                    answered++;
                    if (samples < SAMPLES_MAX)
                        samples_us[samples++] = (uint32_t)((arrived - sent) / 1000);
                }
            }
            rd_kafka_message_destroy(messages[i]);
        }
        rd_kafka_poll(producer, 0);
    }
    if (samples == 0)
        exit(1);
    atomic_store(&pace.stopping, true);
    if (rate > 0)
        pthread_join(pacer, NULL);
    qsort(samples_us, samples, sizeof(*samples_us), ascending);
    printf("{\"requests_per_s\": %" PRIu64 ", \"p50_us\": %u, \"p95_us\": %u, \"p99_us\": %u}\n",
           (uint64_t)answered / seconds, samples_us[samples / 2], samples_us[samples * 95 / 100],
           samples_us[samples * 99 / 100]);
    free(samples_us);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    rd_kafka_destroy(producer);
}

int main(int argc, char **argv) {
    if (argc != 6 && argc != 7) {
        fprintf(stderr, "usage: kafka_floor BROKERS REQUEST_TOPIC REPLY_TOPIC IN_FLIGHT SECONDS [RATE]\n");
        return 2;
    }
    struct floor floor = {.brokers = argv[1], .request_topic = argv[2], .reply_topic = argv[3]};
    pthread_t responder;
    if (pthread_barrier_init(&floor.both_follow, NULL, 2) != 0 || pthread_create(&responder, NULL, answer, &floor) != 0)
        return 1;
    ask(&floor, strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10), argc == 7 ? strtoull(argv[6], NULL, 10) : 0);
    atomic_store(&floor.stopping, true);
    pthread_join(responder, NULL);
    return 0;
}
