/* A message's headers as anybody who may write to a topic can make them: two bytes give a header's number and its
 * length, its value follows. On each lane of each service: what is taken has all that the files behind it count on, and
 * what isn't says so. */
#include "base/contract.h"
#include "base/token.h"
#include "base/wire.h"
#include "runtime/envelope.h"

#include <assert.h>

#define HEADERS_MAX 32u /* more find nothing that these don't, and cost */

static const char *const NAMES[] = {
    QUIRE_HEADER_CORRELATION_ID,
    QUIRE_HEADER_REPLY_TOPIC,
    QUIRE_HEADER_REPLY_PARTITION,
    QUIRE_HEADER_REQUEST_ID,
    QUIRE_HEADER_TRACEPARENT,
    QUIRE_HEADER_METHOD,
    QUIRE_HEADER_DEADLINE,
    QUIRE_HEADER_SESSION,
    QUIRE_HEADER_CLIENT,
    QUIRE_HEADER_IDEMPOTENCY_KEY,
    QUIRE_HEADER_FINGERPRINT,
    QUIRE_HEADER_BULK_REPLY_TOPIC,
    QUIRE_HEADER_STATUS,
    "quire-fault",
    "anything-else",
};

static rd_kafka_headers_t *make_headers(const uint8_t *data, size_t size) {
    rd_kafka_headers_t *headers = rd_kafka_headers_new(HEADERS_MAX);
    for (size_t at = 0, count = 0; at + 2 <= size && count < HEADERS_MAX; count++) {
        const char *name = NAMES[data[at] % (sizeof(NAMES) / sizeof(NAMES[0]))];
        size_t length = data[at + 1];
        at += 2;
        if (length > size - at)
            length = size - at;
        (void)rd_kafka_header_add(headers, name, -1, data + at, (ssize_t)length);
        at += length;
    }
    return headers;
}

/* Also of a message that is refused, as its sender is told. */
static void check_address(const struct quire_envelope *envelope) {
    assert(envelope->reply_topic.size <= 249 && envelope->bulk_reply_topic.size <= 249);
    assert(envelope->reply_partition >= 0 || envelope->reply_partition == RD_KAFKA_PARTITION_UA);
}

static void check_taken(const struct quire_envelope *envelope, uint32_t lane) {
    struct quire_correlation correlation;
    uint8_t again[QUIRE_CORRELATION_BYTES];
    assert(envelope->correlation.size >= 1 && envelope->correlation.size <= 256);
    assert(envelope->session.bytes == NULL || envelope->session.size == QUIRE_SESSION_BYTES);
    assert(envelope->request_id.size <= 128 && envelope->idempotency_key.size <= 255);
    assert(envelope->fingerprint.size == (envelope->idempotency_key.size > 0 ? 32 : 0));
    assert((envelope->call == NULL) == envelope->health);
    if (envelope->call != NULL)
        assert(quire_slice_equal(envelope->method, quire_slice_of(envelope->call->method)) &&
               (envelope->call->lane == lane || envelope->call->bulk_lane == lane));
    if (!quire_correlation_decode(envelope->correlation, &correlation))
        return;
    quire_correlation_encode(&correlation, again);
    assert(quire_slice_equal(envelope->correlation, (struct quire_slice){again, sizeof(again)}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rd_kafka_headers_t *headers = make_headers(data, size);
    for (size_t i = 0; i < quire_contract.services_count; i++) {
        const struct quire_contract_service *service = &quire_contract.services[i];
        for (uint32_t lane = 0; lane < service->lanes_count; lane++) {
            struct quire_envelope envelope;
            const enum quire_reason reason = quire_envelope_decode(service, lane, headers, &envelope);
            check_address(&envelope);
            if (reason == QUIRE_REASON_NONE)
                check_taken(&envelope, lane);
            else
                assert(reason == QUIRE_REASON_HEADERS || reason == QUIRE_REASON_METHOD);
        }
    }
    rd_kafka_headers_destroy(headers);
    return 0;
}
