#include "runtime/envelope.h"

#include "base/token.h"
#include "base/wire.h"

#define CORRELATION_BYTES_MAX 256u /* Spring and NestJS have 16 to 36 */
#define TOPIC_CHARACTERS_MAX 249u  /* Kafka's own limit */
#define REQUEST_ID_CHARACTERS_MAX 128u
#define IDEMPOTENCY_KEY_BYTES_MAX 255u
#define FINGERPRINT_BYTES 32u
#define FAULT_HEADER "quire-fault"

enum { PARTITION, DEADLINE, NUMBERS };

struct header {
    const char *name;
    size_t offset; /* of the slice in struct values */
};

struct values {
    struct quire_envelope envelope;
    struct quire_slice numbers[NUMBERS];
};

#define IN_ENVELOPE(member) offsetof(struct values, envelope.member)

static const struct header known[] = {
    {QUIRE_HEADER_CORRELATION_ID, IN_ENVELOPE(correlation)},
    {QUIRE_HEADER_REPLY_TOPIC, IN_ENVELOPE(reply_topic)},
    {QUIRE_HEADER_REPLY_PARTITION, offsetof(struct values, numbers[PARTITION])},
    {QUIRE_HEADER_BULK_REPLY_TOPIC, IN_ENVELOPE(bulk_reply_topic)},
    {QUIRE_HEADER_REQUEST_ID, IN_ENVELOPE(request_id)},
    {QUIRE_HEADER_TRACEPARENT, IN_ENVELOPE(traceparent)},
    {QUIRE_HEADER_METHOD, IN_ENVELOPE(method)},
    {QUIRE_HEADER_DEADLINE, offsetof(struct values, numbers[DEADLINE])},
    {QUIRE_HEADER_SESSION, IN_ENVELOPE(session)},
    {QUIRE_HEADER_CLIENT, IN_ENVELOPE(client)},
    {QUIRE_HEADER_IDEMPOTENCY_KEY, IN_ENVELOPE(idempotency_key)},
    {QUIRE_HEADER_FINGERPRINT, IN_ENVELOPE(fingerprint)},
    {FAULT_HEADER, IN_ENVELOPE(fault)},
};

/* The first of each name counts, as everywhere in Kafka's own request-reply clients. */
static void read_all(const rd_kafka_headers_t *headers, struct values *values) {
    const char *name;
    const void *value;
    size_t size;

    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
            struct quire_slice *slice = (struct quire_slice *)((char *)values + known[k].offset);
            if (strcmp(name, known[k].name) == 0 && slice->bytes == NULL && value != NULL) {
                *slice = (struct quire_slice){value, size};
                break;
            }
        }
    }
}

static void read_address(struct values *values) {
    struct quire_envelope *envelope = &values->envelope;
    const struct quire_slice partition = values->numbers[PARTITION];

    envelope->reply_partition = RD_KAFKA_PARTITION_UA;
    if (partition.size == 4 && quire_get_u32(partition.bytes) <= INT32_MAX)
        envelope->reply_partition = (int32_t)quire_get_u32(partition.bytes);
    if (envelope->reply_topic.size > TOPIC_CHARACTERS_MAX)
        envelope->reply_topic = (struct quire_slice){0};
    if (envelope->bulk_reply_topic.size > TOPIC_CHARACTERS_MAX)
        envelope->bulk_reply_topic = (struct quire_slice){0};
}

static bool headers_hold(const struct values *values) {
    const struct quire_envelope *envelope = &values->envelope;
    const bool keyed = envelope->idempotency_key.size != 0;

    return envelope->correlation.size != 0 && envelope->correlation.size <= CORRELATION_BYTES_MAX &&
           values->numbers[DEADLINE].size == 8 && envelope->request_id.size <= REQUEST_ID_CHARACTERS_MAX &&
           (values->numbers[PARTITION].bytes == NULL || envelope->reply_partition != RD_KAFKA_PARTITION_UA) &&
           (envelope->session.bytes == NULL || envelope->session.size == QUIRE_SESSION_BYTES) &&
           envelope->idempotency_key.size <= IDEMPOTENCY_KEY_BYTES_MAX &&
           (keyed ? envelope->fingerprint.size == FINGERPRINT_BYTES : envelope->fingerprint.size == 0);
}

/* A call is served on its lane and its bulk lane only: what comes by another has been put there by mistake. */
static bool find_call(const struct quire_contract_service *service, uint32_t lane, struct quire_envelope *envelope) {
    if (quire_slice_equal(envelope->method, QUIRE_SLICE_LITERAL(QUIRE_HEALTH_METHOD))) {
        envelope->health = true;
        return true;
    }
    for (size_t i = 0; i < service->calls_count; i++) {
        const struct quire_call *call = &service->calls[i];
        if (quire_slice_equal(envelope->method, quire_slice_of(call->method)) &&
            (call->lane == lane || call->bulk_lane == lane)) {
            envelope->call = call;
            envelope->method_index = (unsigned)i;
            return true;
        }
    }
    return false;
}

enum quire_reason quire_envelope_decode(const struct quire_contract_service *service, uint32_t lane,
                                        const rd_kafka_headers_t *headers, struct quire_envelope *ret_envelope) {
    struct values values = {0};

    if (headers != NULL)
        read_all(headers, &values);
    read_address(&values);
    if (values.numbers[DEADLINE].size == 8)
        values.envelope.deadline_ms = quire_get_u64(values.numbers[DEADLINE].bytes);
    enum quire_reason reason = QUIRE_REASON_NONE;
    if (!headers_hold(&values))
        reason = QUIRE_REASON_HEADERS;
    else if (!find_call(service, lane, &values.envelope))
        reason = QUIRE_REASON_METHOD;
    *ret_envelope = values.envelope;
    return reason;
}

uint64_t quire_deadline_bounded(uint64_t deadline_ms, uint64_t now_ms, uint64_t skew_ms_max) {
    const uint64_t latest_ms = now_ms + QUIRE_DEADLINE_MS_MAX + skew_ms_max;
    return deadline_ms < latest_ms ? deadline_ms : latest_ms;
}

uint64_t quire_deadline_monotonic(uint64_t deadline_ms, uint64_t now_ms, uint64_t now_ns) {
    return deadline_ms <= now_ms ? now_ns : now_ns + (deadline_ms - now_ms) * 1000000u;
}
