/* A small service to test the runtime with: no service of Quire's, as the runtime knows none. Its calls take a
 * HealthCheck (which has required fields, so that a payload can be wrong) and answer with one. */
#ifndef QUIRE_UNIT_RUNTIME_CONTRACT_H
#define QUIRE_UNIT_RUNTIME_CONTRACT_H

#include "base/contract.h"
#include "base/token.h"
#include "base/wire.h"
#include "quire/wire.pb-c.h"

#include <librdkafka/rdkafka.h>

enum { TEST_READ, TEST_WRITE, TEST_PUBLIC, TEST_BULK, TEST_NOTE, TEST_CALLS };
enum { TEST_LANE, TEST_BULK_LANE, TEST_OTHER_LANE };

static const struct quire_lane test_lanes[] = {
    {"main", "test.main", 8, 1, 0},
    {"bulk", "test.bulk", 1, 1, 10},
    {"other", "test.other", 8, 2, 0},
};
static const struct quire_field_spec test_fields[4];
static const struct quire_message_spec test_message = {&quire__health_check__descriptor, test_fields};
static const char *const test_depends_on[] = {"postgres_primary", "postgres_replicas", "redis"};
static const struct quire_call test_calls[TEST_CALLS] = {
    [TEST_READ] = {.method = "test.Test/Read", .status = 200, .input = &test_message, .output = &test_message},
    [TEST_WRITE] = {.method = "test.Test/Write",
                    .status = 201,
                    .write = true,
                    .idempotency_key = true,
                    .input = &test_message,
                    .output = &test_message},
    [TEST_PUBLIC] = {.method = "test.Test/Public",
                     .status = 201,
                     .write = true,
                     .access = QUIRE_PUBLIC,
                     .input = &test_message,
                     .output = &test_message},
    [TEST_BULK] = {.method = "test.Test/Bulk",
                   .lane = TEST_OTHER_LANE,
                   .bulk_lane = TEST_BULK_LANE,
                   .status = 200,
                   .input = &test_message,
                   .output = &test_message},
    [TEST_NOTE] = {.method = "test.Test/Note",
                   .status = 200,
                   .wants_session_note = true,
                   .input = &test_message,
                   .output = &test_message},
};
static const struct quire_contract_service test_service = {
    .name = "test",
    .calls = test_calls,
    .calls_count = TEST_CALLS,
    .lanes = test_lanes,
    .lanes_count = 3,
    .depends_on = test_depends_on,
    .depends_on_count = 3,
};

struct test_headers {
    const char *method, *request_id;
    uint64_t deadline_ms;   /* 0: none */
    const uint8_t *session; /* QUIRE_SESSION_BYTES or NULL */
    const char *idempotency_key;
    bool no_correlation;
};

static inline void test_add(rd_kafka_headers_t *headers, const char *name, const void *value, size_t size) {
    (void)rd_kafka_header_add(headers, name, -1, value, (ssize_t)size);
}

/* The caller destroys them. */
static inline rd_kafka_headers_t *test_headers_new(const struct test_headers *values) {
    static const uint8_t fingerprint[32] = {7};
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    uint8_t number[8];

    if (!values->no_correlation)
        test_add(headers, QUIRE_HEADER_CORRELATION_ID, "0123456789abcdef012345678901", 28);
    test_add(headers, QUIRE_HEADER_REPLY_TOPIC, "replies", 7);
    quire_put_u32(number, 5);
    test_add(headers, QUIRE_HEADER_REPLY_PARTITION, number, 4);
    test_add(headers, QUIRE_HEADER_METHOD, values->method, strlen(values->method));
    if (values->request_id != NULL)
        test_add(headers, QUIRE_HEADER_REQUEST_ID, values->request_id, strlen(values->request_id));
    quire_put_u64(number, values->deadline_ms);
    if (values->deadline_ms != 0)
        test_add(headers, QUIRE_HEADER_DEADLINE, number, 8);
    if (values->session != NULL)
        test_add(headers, QUIRE_HEADER_SESSION, values->session, QUIRE_SESSION_BYTES);
    if (values->idempotency_key != NULL) {
        test_add(headers, QUIRE_HEADER_IDEMPOTENCY_KEY, values->idempotency_key, strlen(values->idempotency_key));
        test_add(headers, QUIRE_HEADER_FINGERPRINT, fingerprint, sizeof(fingerprint));
    }
    return headers;
}

#endif
