/* What stands on the topics beside the protobuf value: header names, the correlation id, and the codings of both.
 * docs/WIRE.md describes the same for writers of consumers in other languages. Any thread. */
#ifndef QUIRE_BASE_WIRE_H
#define QUIRE_BASE_WIRE_H

#include "base/slice.h"

/* Request and reply; named as Spring Kafka and NestJS name them, so that their consumers serve a topic unchanged. */
#define QUIRE_HEADER_CORRELATION_ID "kafka_correlationId"
#define QUIRE_HEADER_REPLY_TOPIC "kafka_replyTopic"
#define QUIRE_HEADER_REPLY_PARTITION "kafka_replyPartition" /* 4 bytes, big-endian */
#define QUIRE_HEADER_REQUEST_ID "x-request-id"
#define QUIRE_HEADER_TRACEPARENT "traceparent"
/* Request. */
#define QUIRE_HEADER_METHOD "quire-method"     /* "quire.Documents/Get" */
#define QUIRE_HEADER_DEADLINE "quire-deadline" /* 8 bytes, big-endian: milliseconds since 1970 */
#define QUIRE_HEADER_SESSION "quire-session"   /* QUIRE_SESSION_BYTES: tag and SHA-256 of the token; absent: no token */
#define QUIRE_HEADER_CLIENT "quire-client"     /* the caller's address as text */
#define QUIRE_HEADER_IDEMPOTENCY_KEY "quire-idempotency-key"
#define QUIRE_HEADER_FINGERPRINT "quire-fingerprint" /* 32 bytes: SHA-256 of method, path and body; only with a key */
#define QUIRE_HEADER_BULK_REPLY_TOPIC                                                                                  \
    "quire-bulk-reply-topic" /* where a reply above QUIRE_BULK_BYTES goes; same partition */
/* Reply. */
#define QUIRE_HEADER_STATUS                                                                                            \
    "quire-status" /* decimal text. Absent or 2xx: the value is the call's output; 304: the output                     \
                      with only its header fields; 4xx, 5xx: quire.Problem */
/* Dead letters, beside the message's own. */
#define QUIRE_HEADER_DLT_REASON "quire-dlt-reason"
#define QUIRE_HEADER_DLT_TOPIC "quire-dlt-topic"
#define QUIRE_HEADER_DLT_PARTITION "quire-dlt-partition"
#define QUIRE_HEADER_DLT_OFFSET "quire-dlt-offset"
#define QUIRE_HEADER_DLT_LOST_BYTES "quire-dlt-lost-bytes"

#define QUIRE_HEALTH_METHOD "quire.Health/Check"

/* Values above this go by the bulk topics, so that no large one stands before a small one. */
#define QUIRE_BULK_BYTES (64u * 1024u)

#define QUIRE_INSTANCE_BYTES 16u
#define QUIRE_CORRELATION_BYTES 28u

/* Who waits for a reply. `instance` is random at each process start, so no correlation id ever comes twice.
 *   0..15 instance | 16..17 ring | 18..19 zero | 20..23 slot | 24..27 generation     (big-endian) */
struct quire_correlation {
    uint8_t instance[QUIRE_INSTANCE_BYTES];
    uint16_t ring;
    uint32_t slot, generation;
};

void quire_correlation_encode(const struct quire_correlation *correlation, uint8_t ret_bytes[QUIRE_CORRELATION_BYTES]);
/* False when bytes are no correlation id of Quire's. */
QUIRE_MUSTCHECK bool quire_correlation_decode(struct quire_slice bytes, struct quire_correlation *ret_correlation);

void quire_put_u32(uint8_t *bytes, uint32_t value);
void quire_put_u64(uint8_t *bytes, uint64_t value);
uint32_t quire_get_u32(const uint8_t *bytes);
uint64_t quire_get_u64(const uint8_t *bytes);

#endif
