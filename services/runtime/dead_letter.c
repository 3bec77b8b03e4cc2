#include "runtime/dead_letter.h"

#include "base/wire.h"

#include <stdio.h>

#define TOPIC_BYTES 256u /* Kafka's names have at most 249 characters */
#define KEPT_BYTES_MAX 256u

static void add_text(rd_kafka_headers_t *headers, const char *name, const char *text) {
    /* Replaces what an earlier journey through a dead letter topic has left. */
    (void)rd_kafka_header_remove(headers, name);            /* most have none */
    (void)rd_kafka_header_add(headers, name, -1, text, -1); /* fails only for read-only headers; these are our copy */
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t number) {
    char text[24];
    (void)snprintf(text, sizeof(text), "%lld", (long long)number);
    add_text(headers, name, text);
}

rd_kafka_headers_t *quire_dead_letter_headers(const rd_kafka_headers_t *own, const char *topic, int32_t partition,
                                              int64_t offset, enum quire_reason reason) {
    rd_kafka_headers_t *headers = own == NULL ? rd_kafka_headers_new(4) : rd_kafka_headers_copy(own);

    add_text(headers, QUIRE_HEADER_DLT_REASON, quire_reason_name(reason));
    add_text(headers, QUIRE_HEADER_DLT_TOPIC, topic);
    add_number(headers, QUIRE_HEADER_DLT_PARTITION, partition);
    add_number(headers, QUIRE_HEADER_DLT_OFFSET, offset);
    return headers;
}

/* What a compressed message holds may be larger than its topic would take as it is, and so than the dead letters'
 * would; a lane must not stand still for it. Kept are where it stood, how large it was, and whose it was. */
static bool send_remains(struct quire_publisher *publisher, const rd_kafka_message_t *message,
                         const struct quire_message *letter, const rd_kafka_headers_t *own, enum quire_reason reason,
                         const char *topic) {
    static const char *const kept[] = {QUIRE_HEADER_CORRELATION_ID, QUIRE_HEADER_METHOD, QUIRE_HEADER_REQUEST_ID,
                                       QUIRE_HEADER_DEADLINE};
    rd_kafka_headers_t *headers = quire_dead_letter_headers(NULL, topic, message->partition, message->offset, reason);
    for (size_t i = 0; own != NULL && i < sizeof(kept) / sizeof(kept[0]); i++) {
        const void *value;
        size_t size;
        if (rd_kafka_header_get_last(own, kept[i], &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR &&
            size <= KEPT_BYTES_MAX)
            (void)rd_kafka_header_add(headers, kept[i], -1, value, (ssize_t)size); /* fails for read-only ones */
    }
    add_number(headers, QUIRE_HEADER_DLT_LOST_BYTES, (int64_t)message->len);
    const struct quire_message remains = {
        .topic = letter->topic, .value = {(const uint8_t *)"", 0}, .headers = headers};
    const bool sent = quire_publisher_publish(publisher, &remains, 1);
    rd_kafka_headers_destroy(headers);
    return sent;
}

bool quire_dead_letter_send(struct quire_publisher *publisher, const rd_kafka_message_t *message, const char *topic,
                            enum quire_reason reason) {
    rd_kafka_headers_t *own = NULL;
    char dead_topic[TOPIC_BYTES];

    (void)rd_kafka_message_headers(message, &own); /* stays NULL without headers; they are the message's */
    (void)snprintf(dead_topic, sizeof(dead_topic), "%s-dlt", topic);
    rd_kafka_headers_t *headers = quire_dead_letter_headers(own, topic, message->partition, message->offset, reason);
    const struct quire_message letter = {
        .topic = dead_topic,
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
        .headers = headers,
    };
    bool too_large = false;
    const bool sent = quire_publisher_publish_one(publisher, &letter, &too_large);
    rd_kafka_headers_destroy(headers);
    return sent || (too_large && send_remains(publisher, message, &letter, own, reason, topic));
}
