/* librdkafka's clients: every setting that is not its default, and what its callbacks do. */
#include "gateway/bus_internal.h"

#include "base/clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#define BUS_LOG_INTERVAL_MS 1000u
/* Headers and framing around a value of message_bytes_max. */
#define BUS_MESSAGE_OVERHEAD_BYTES (64u * 1024u)

/* Both ends. A dead broker is noticed, and a returned one met, within a probe's time rather than librdkafka's ten
 * seconds. */
static const struct quire_kafka_property bus_common_settings[] = {
    {"client.id", "quire-gateway"},
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"socket.timeout.ms", "6000"},
    {"socket.connection.setup.timeout.ms", "2000"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "500"},
    {"topic.metadata.refresh.interval.ms", "60000"},
    {"log.connection.close", "false"},
};

static const struct quire_kafka_property bus_producer_settings[] = {
    {"acks", "all"},
    {"enable.idempotence", "true"},
    {"compression.codec", "none"},
    {"request.timeout.ms", "5000"},
    {"retry.backoff.ms", "20"},
    {"retry.backoff.max.ms", "200"},
    /* A message each would cost more than sending; failures alone come back. */
    {"delivery.report.only.error", "true"},
};

/* auto.offset.reset counts only when the topic was cut behind our back: from its beginning no reply is missed, and
 * those that are too old meet no waiter. */
static const struct quire_kafka_property bus_consumer_settings[] = {
    {"enable.auto.commit", "false"}, {"enable.auto.offset.store", "false"}, {"auto.offset.reset", "earliest"},
    {"fetch.min.bytes", "1"},        {"fetch.wait.max.ms", "500"},          {"fetch.error.backoff.ms", "20"},
    {"fetch.queue.backoff.ms", "5"}, {"allow.auto.create.topics", "false"}, {"check.crcs", "false"},
};

static bool bus_set(struct bus *bus, rd_kafka_conf_t *conf, const char *name, const char *value) {
    char error[200];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) == RD_KAFKA_CONF_OK)
        return true;
    QUIRE_LOG(bus->options.log, QUIRE_ERROR, "kafka.setting_refused", QUIRE_CTEXT("setting", name),
              QUIRE_CTEXT("reason", error)); /* not the value: it may be a password */
    return false;
}

static bool bus_set_number(struct bus *bus, rd_kafka_conf_t *conf, const char *name, size_t value) {
    char text[24];
    (void)snprintf(text, sizeof(text), "%zu", value);
    return bus_set(bus, conf, name, text);
}

static bool bus_set_all(struct bus *bus, rd_kafka_conf_t *conf, const struct quire_kafka_property *settings,
                        size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!bus_set(bus, conf, settings[i].name, settings[i].value))
            return false;
    return true;
}

/* Any of librdkafka's threads. At most one line a second: while a broker is away each client says so at each attempt.
 */
static void bus_on_log(const rd_kafka_t *client, int level, const char *facility, const char *text) {
    const struct bus_road *road = rd_kafka_opaque(client);
    struct bus *bus = road->bus;
    uint64_t now_ms = quire_monotonic_ns() / 1000000u, next_ms = atomic_load(&bus->log_next_ms);
    if (now_ms < next_ms ||
        !atomic_compare_exchange_strong(&bus->log_next_ms, &next_ms, now_ms + BUS_LOG_INTERVAL_MS)) {
        atomic_fetch_add(&bus->log_dropped, 1);
        return;
    }
    enum quire_log_level ours = level <= LOG_WARNING ? QUIRE_WARN : level <= LOG_INFO ? QUIRE_INFO : QUIRE_DEBUG;
    QUIRE_LOG(bus->options.log, ours, "kafka.client", QUIRE_CTEXT("road", road->name),
              QUIRE_CTEXT("facility", facility), QUIRE_CTEXT("text", text),
              QUIRE_INTEGER("left_out", atomic_exchange(&bus->log_dropped, 0)));
}

void bus_ask_for_restart(struct bus *bus, const char *road, const char *reason) {
    QUIRE_LOG(bus->options.log, QUIRE_ERROR, "kafka.client_failed", QUIRE_CTEXT("road", road),
              QUIRE_CTEXT("reason", reason),
              QUIRE_CTEXT("instead", "the process drains and ends, to be started again"));
    (void)kill(getpid(), SIGTERM);
}

/* Bus thread. librdkafka retries everything but a fatal error by itself. */
static void bus_on_error(rd_kafka_t *client, int error, const char *reason, void *opaque) {
    struct bus_road *road = opaque;
    struct bus *bus = road->bus;
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        atomic_fetch_add(&bus->losses, 1);
        quire_series_add(bus->losses_total, 1);
        if (bus->lost_ns == 0)
            QUIRE_LOG(bus->options.log, QUIRE_WARN, "kafka.lost", QUIRE_CTEXT("road", road->name),
                      QUIRE_CTEXT("instead", "calls are refused with 503 until a probe comes back"));
        bus->lost_ns = quire_monotonic_ns();
    } else if (error == RD_KAFKA_RESP_ERR__FATAL) {
        char detail[256] = "";
        (void)rd_kafka_fatal_error(client, detail, sizeof(detail));
        bus_ask_for_restart(bus, road->name,
                            detail); /* never sends again (librdkafka's INTRODUCTION.md, "Fatal error") */
    } else {
        QUIRE_LOG(bus->options.log, QUIRE_DEBUG, "kafka.error", QUIRE_CTEXT("road", road->name),
                  QUIRE_CTEXT("reason", reason));
    }
}

/* Bus thread; only for messages that were not delivered. Their callers meet their deadlines; one line a second tells of
 * all. */
static void bus_on_undelivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client;
    struct bus_road *road = opaque;
    struct bus *bus = road->bus;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    quire_series_add(road->undelivered, 1);
    bus->undelivered_unlogged++;
    uint64_t now_ms = quire_monotonic_ns() / 1000000u;
    if (now_ms < bus->undelivered_log_ms)
        return;
    QUIRE_LOG(bus->options.log, QUIRE_WARN, "kafka.undelivered", QUIRE_CTEXT("road", road->name),
              QUIRE_CTEXT("topic", rd_kafka_topic_name(message->rkt)),
              QUIRE_CTEXT("reason", rd_kafka_err2str(message->err)),
              QUIRE_INTEGER("messages", bus->undelivered_unlogged));
    bus->undelivered_log_ms = now_ms + BUS_LOG_INTERVAL_MS;
    bus->undelivered_unlogged = 0;
}

static rd_kafka_conf_t *bus_common_conf(struct bus_road *road) {
    struct bus *bus = road->bus;
    struct quire_kafka_property entry[QUIRE_KAFKA_PROPERTIES_MAX];
    const size_t entry_count = quire_kafka_access_properties(bus->options.kafka, entry);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, road);
    rd_kafka_conf_set_log_cb(conf, bus_on_log);
    rd_kafka_conf_set_error_cb(conf, bus_on_error);
    if (bus_set_all(bus, conf, bus_common_settings, sizeof(bus_common_settings) / sizeof(bus_common_settings[0])) &&
        bus_set_all(bus, conf, entry, entry_count) &&
        bus_set_number(bus, conf, "message.max.bytes", bus->options.message_bytes_max + BUS_MESSAGE_OVERHEAD_BYTES))
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

/* Takes conf over. */
static rd_kafka_t *bus_client_create(struct bus_road *road, rd_kafka_type_t type, rd_kafka_conf_t *conf) {
    char error[200];
    rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof(error));
    if (client == NULL) {
        QUIRE_LOG(road->bus->options.log, QUIRE_ERROR, "kafka.client_refused", QUIRE_CTEXT("road", road->name),
                  QUIRE_CTEXT("reason", error));
        rd_kafka_conf_destroy(conf);
    }
    return client;
}

static bool bus_set_linger(struct bus *bus, rd_kafka_conf_t *conf, unsigned linger_us) {
    char text[24];
    (void)snprintf(text, sizeof(text), "%u.%03u", linger_us / 1000, linger_us % 1000);
    return bus_set(bus, conf, "linger.ms", text);
}

static rd_kafka_t *bus_producer_create(struct bus_road *road, unsigned linger_us) {
    struct bus *bus = road->bus;
    const struct bus_options *options = &bus->options;
    rd_kafka_conf_t *conf = bus_common_conf(road);
    if (conf == NULL)
        return NULL;
    rd_kafka_conf_set_dr_msg_cb(conf, bus_on_undelivered);
    if (!bus_set_all(bus, conf, bus_producer_settings,
                     sizeof(bus_producer_settings) / sizeof(bus_producer_settings[0])) ||
        !bus_set_linger(bus, conf, linger_us) ||
        !bus_set_number(bus, conf, "message.timeout.ms", options->message_timeout_ms) ||
        !bus_set_number(bus, conf, "queue.buffering.max.messages", options->queue_messages_max) ||
        !bus_set_number(bus, conf, "queue.buffering.max.kbytes", (options->queue_bytes_max + 1023) / 1024)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return bus_client_create(road, RD_KAFKA_PRODUCER, conf);
}

static bool bus_outlet_open(struct bus_road *road, struct bus_outlet *outlet, unsigned linger_us) {
    const struct bus *bus = road->bus;
    outlet->producer = bus_producer_create(road, linger_us);
    outlet->lane_topics = calloc(bus->lanes_count + 1, sizeof(*outlet->lane_topics));
    if (outlet->producer == NULL || outlet->lane_topics == NULL)
        return false;
    for (size_t lane = 0; lane < bus->lanes_count; lane++) {
        outlet->lane_topics[lane] = rd_kafka_topic_new(outlet->producer, bus->lane_topic_names[lane], NULL);
        if (outlet->lane_topics[lane] == NULL)
            return false;
    }
    return true;
}

/* Those that are there come first: each is open only if the one before is. */
static bool bus_outlets_open(struct bus_road *road, bool bulk) {
    const unsigned gather_us = bulk ? 0 : road->bus->options.gather_us, crowd_us = road->bus->options.crowd_us;
    const unsigned waits_us[BUS_OUTLETS] = {0, gather_us, gather_us > 0 && crowd_us > gather_us ? crowd_us : 0};
    for (int index = 0; index < BUS_OUTLETS; index++) {
        const bool wanted = index == BUS_AT_ONCE || waits_us[index] > 0;
        road->waits_ns[index] = wanted ? waits_us[index] * UINT64_C(1000) : UINT64_MAX;
        if (wanted && !bus_outlet_open(road, &road->outlets[index], waits_us[index]))
            return false;
    }
    return true;
}

static bool bus_consumer_create(struct bus_road *road, bool bulk) {
    struct bus *bus = road->bus;
    rd_kafka_conf_t *conf = bus_common_conf(road);
    if (conf == NULL)
        return false;
    size_t partition_bytes = bulk ? bus->options.message_bytes_max + BUS_MESSAGE_OVERHEAD_BYTES : 1024u * 1024u;
    if (!bus_set_all(bus, conf, bus_consumer_settings,
                     sizeof(bus_consumer_settings) / sizeof(bus_consumer_settings[0])) ||
        !bus_set_number(bus, conf, "max.partition.fetch.bytes", partition_bytes) ||
        !bus_set_number(bus, conf, "queued.max.messages.kbytes", bulk ? 64u * 1024u : 16u * 1024u)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    road->consumer = bus_client_create(road, RD_KAFKA_CONSUMER, conf);
    return road->consumer != NULL;
}

static void bus_road_metrics(struct bus_road *road) {
    struct quire_metrics *metrics = road->bus->options.metrics;
    road->produced = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_kafka_produced_total",
                                       "Messages put into the producer's queue.", "road", road->name);
    road->gathered = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_kafka_gathered_total",
                                       "Messages that waited a moment in the producer for others.", "road", road->name);
    road->refused = quire_metrics_one(
        metrics, QUIRE_COUNTER, "quire_kafka_produce_refused_total",
        "Messages that the producer's queue did not take (full, too large, topic unknown).", "road", road->name);
    road->undelivered = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_kafka_undelivered_total",
                                          "Messages from the producer's queue that no broker acknowledged in time.",
                                          "road", road->name);
    road->replies = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_kafka_replies_total", "Replies to this process.",
                                      "road", road->name);
    road->queued = quire_metrics_one(metrics, QUIRE_GAUGE, "quire_kafka_queue_messages",
                                     "Messages and requests in the producer.", "road", road->name);
}

bool bus_road_open(struct bus *bus, enum bus_road_index index) {
    struct bus_road *road = &bus->roads[index];
    road->bus = bus;
    road->name = index == BUS_BULK ? "bulk" : "small";
    road->reply_topic = index == BUS_BULK ? bus->options.bulk_reply_topic : bus->options.reply_topic;
    bus_road_metrics(road);
    if (!bus_outlets_open(road, index == BUS_BULK) || !bus_consumer_create(road, index == BUS_BULK))
        return false;
    road->probe_topic = rd_kafka_topic_new(road->outlets[BUS_AT_ONCE].producer, road->reply_topic, NULL);
    road->listen_topic = rd_kafka_topic_new(road->consumer, road->reply_topic, NULL);
    return road->probe_topic != NULL && road->listen_topic != NULL;
}

static void bus_topic_destroy(rd_kafka_topic_t *topic) {
    if (topic != NULL)
        rd_kafka_topic_destroy(topic);
}

/* Its other topics must be gone. */
static void bus_outlet_close(const struct bus *bus, struct bus_outlet *outlet) {
    for (size_t lane = 0; outlet->lane_topics != NULL && lane < bus->lanes_count; lane++)
        bus_topic_destroy(outlet->lane_topics[lane]);
    free(outlet->lane_topics);
    if (outlet->producer != NULL)
        rd_kafka_destroy(outlet->producer);
}

void bus_road_close(struct bus_road *road) {
    bus_topic_destroy(road->probe_topic);
    bus_topic_destroy(road->listen_topic);
    if (road->consumer != NULL)
        rd_kafka_destroy(road->consumer);
    for (int index = 0; index < BUS_OUTLETS; index++)
        bus_outlet_close(road->bus, &road->outlets[index]);
    *road = (struct bus_road){0};
}
