#include "runtime/kafka.h"

#include <stdio.h>

#define PROBE_EACH_NS UINT64_C(500000000)
#define PROBE_WAIT_MS 200
#define LEARN_WAIT_MS 100

/* librdkafka tells every failed attempt to connect: for people that is one outage, so its own lines are for debugging
 * only. */
static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text) {
    const struct quire_kafka_link *link = rd_kafka_opaque(client);
    QUIRE_LOG(link->log, QUIRE_DEBUG, "kafka.client", QUIRE_CTEXT("role", link->role), QUIRE_INTEGER("severity", level),
              QUIRE_CTEXT("facility", facility), QUIRE_CTEXT("text", text));
}

/* No broker lets us in; a refused certificate or password comes first, and its text tells more. */
static bool is_outage(int error) {
    return error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || error == RD_KAFKA_RESP_ERR__SSL ||
           error == RD_KAFKA_RESP_ERR__AUTHENTICATION;
}

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque) {
    struct quire_kafka_link *link = opaque;
    char text[512];

    if (is_outage(error)) {
        if (!atomic_exchange(&link->down, true))
            QUIRE_LOG(link->log, QUIRE_WARN, "kafka.down", QUIRE_CTEXT("role", link->role),
                      QUIRE_CTEXT("text", reason));
    } else if (error == RD_KAFKA_RESP_ERR__FATAL) {
        const rd_kafka_resp_err_t cause = rd_kafka_fatal_error(client, text, sizeof(text));
        atomic_store(&link->fatal, true);
        QUIRE_LOG(link->log, QUIRE_ERROR, "kafka.fatal", QUIRE_CTEXT("role", link->role),
                  QUIRE_CTEXT("error", rd_kafka_err2name(cause)), QUIRE_CTEXT("text", text));
    } else {
        QUIRE_LOG(link->log, QUIRE_DEBUG, "kafka.error", QUIRE_CTEXT("role", link->role),
                  QUIRE_CTEXT("error", rd_kafka_err2name((rd_kafka_resp_err_t)error)), QUIRE_CTEXT("text", reason));
    }
}

static bool set(struct quire_kafka_link *link, rd_kafka_conf_t *conf, const char *name, const char *value) {
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK)
        return true;
    QUIRE_LOG(link->log, QUIRE_ERROR, "kafka.setting_refused", QUIRE_CTEXT("setting", name), QUIRE_CTEXT("text", text));
    return false;
}

static bool set_all(struct quire_kafka_link *link, rd_kafka_conf_t *conf, const struct quire_kafka_property *properties,
                    size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!set(link, conf, properties[i].name, properties[i].value))
            return false;
    return true;
}

rd_kafka_conf_t *quire_kafka_conf(struct quire_kafka_link *link, const struct quire_kafka_access *access,
                                  const char *client, const struct quire_kafka_property *properties, size_t count) {
    static const struct quire_kafka_property common[] = {
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "500"},
        {"retry.backoff.ms", "50"},
        {"topic.metadata.refresh.interval.ms", "10000"},
        {"message.max.bytes", QUIRE_MESSAGE_BYTES_MAX},
        {"receive.message.max.bytes", QUIRE_RECEIVE_BYTES_MAX},
        {"socket.timeout.ms", "10000"}, /* for a broker that hangs; the largest message takes less */
    };
    struct quire_kafka_property entry[QUIRE_KAFKA_PROPERTIES_MAX];
    const size_t entry_count = quire_kafka_access_properties(access, entry);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    const bool fine = set(link, conf, "client.id", client) && set_all(link, conf, entry, entry_count) &&
                      set_all(link, conf, common, sizeof(common) / sizeof(common[0])) &&
                      set_all(link, conf, properties, count);
    if (!fine) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_opaque(conf, link);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    return conf;
}

rd_kafka_t *quire_kafka_client(struct quire_kafka_link *link, rd_kafka_type_t type, rd_kafka_conf_t *conf) {
    char text[256];
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof(text));

    if (client == NULL) {
        QUIRE_LOG(link->log, QUIRE_ERROR, "kafka.client_failed", QUIRE_CTEXT("role", link->role),
                  QUIRE_CTEXT("text", text));
        rd_kafka_conf_destroy(conf);
    }
    return client;
}

void quire_kafka_probe(struct quire_kafka_link *link, rd_kafka_t *client, uint64_t now_ns) {
    const struct rd_kafka_metadata *metadata = NULL;

    if (!atomic_load(&link->down) || now_ns < link->probe_after_ns)
        return;
    link->probe_after_ns = now_ns + PROBE_EACH_NS;
    if (rd_kafka_metadata(client, 0, NULL, &metadata, PROBE_WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    rd_kafka_metadata_destroy(metadata);
    atomic_store(&link->down, false);
    QUIRE_LOG(link->log, QUIRE_INFO, "kafka.up", QUIRE_CTEXT("role", link->role));
}

static bool topic_known(rd_kafka_t *client, rd_kafka_topic_t *topic) {
    const struct rd_kafka_metadata *metadata = NULL;

    if (rd_kafka_metadata(client, 0, topic, &metadata, LEARN_WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    const bool known = metadata->topic_cnt == 1 && metadata->topics[0].partition_cnt > 0;
    rd_kafka_metadata_destroy(metadata);
    return known;
}

bool quire_kafka_learn(rd_kafka_t *client, struct quire_kafka_topics *topics) {
    while (topics->known < topics->count) {
        rd_kafka_topic_t **topic = &topics->handles[topics->known];
        if (*topic == NULL)
            *topic = rd_kafka_topic_new(client, topics->names[topics->known], NULL);
        if (*topic == NULL || !topic_known(client, *topic))
            return false;
        topics->known++;
    }
    return true;
}

void quire_kafka_forget(struct quire_kafka_topics *topics) {
    for (size_t i = 0; i < topics->count; i++) {
        if (topics->handles[i] != NULL)
            rd_kafka_topic_destroy(topics->handles[i]);
    }
    topics->count = topics->known = 0;
}
