/* A message's headers as anybody who may write to a topic can make them: four bytes give a header's number, its length,
 * and the rest its value. */
#include "base/contract.h"
#include "base/wire.h"
#include "runtime/envelope.h"

#include <stdlib.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rd_kafka_headers_t *headers = rd_kafka_headers_new(16);
    for (size_t at = 0; at + 2 <= size;) {
        const char *name = NAMES[data[at] % (sizeof(NAMES) / sizeof(NAMES[0]))];
        size_t length = data[at + 1];
        at += 2;
        if (length > size - at)
            length = size - at;
        (void)rd_kafka_header_add(headers, name, -1, data + at, (ssize_t)length);
        at += length;
    }
    for (size_t i = 0; i < quire_contract.services_count; i++) {
        struct quire_envelope envelope;
        for (uint32_t lane = 0; lane < quire_contract.services[i].lanes_count; lane++) {
            (void)!quire_envelope_decode(&quire_contract.services[i], lane, headers, &envelope);
            if (envelope.correlation.size > 0) {
                struct quire_correlation correlation;
                (void)!quire_correlation_decode(envelope.correlation, &correlation);
            }
        }
    }
    rd_kafka_headers_destroy(headers);
    return 0;
}
