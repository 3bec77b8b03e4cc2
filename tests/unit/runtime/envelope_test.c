#include "runtime/envelope.h"
#include "unit/runtime/contract.h"
#include "unit/suite.h"

static enum quire_reason decode(const struct test_headers *values, uint32_t lane, struct quire_envelope *ret_envelope) {
    rd_kafka_headers_t *headers = test_headers_new(values);
    enum quire_reason reason = quire_envelope_decode(&test_service, lane, headers, ret_envelope);
    /* Slices point into the headers: only what is copied is looked at after this. */
    rd_kafka_headers_destroy(headers);
    return reason;
}

static void a_whole_envelope_is_read(void) {
    static const uint8_t session[QUIRE_SESSION_BYTES] = {1, 2, 3};
    rd_kafka_headers_t *headers = test_headers_new(&(struct test_headers){.method = "test.Test/Write",
                                                                          .request_id = "R",
                                                                          .deadline_ms = 1234,
                                                                          .session = session,
                                                                          .idempotency_key = "K"});
    struct quire_envelope envelope;
    CU_ASSERT_EQUAL(quire_envelope_decode(&test_service, TEST_LANE, headers, &envelope), QUIRE_REASON_NONE);
    CU_ASSERT_PTR_EQUAL(envelope.call, &test_calls[TEST_WRITE]);
    CU_ASSERT_EQUAL(envelope.method_index, TEST_WRITE);
    CU_ASSERT_EQUAL(envelope.deadline_ms, 1234);
    CU_ASSERT_EQUAL(envelope.reply_partition, 5);
    CU_ASSERT_TRUE(quire_slice_equal(envelope.reply_topic, QUIRE_SLICE_LITERAL("replies")));
    CU_ASSERT_TRUE(quire_slice_equal(envelope.session, (struct quire_slice){session, sizeof(session)}));
    CU_ASSERT_EQUAL(envelope.fingerprint.size, 32);
    rd_kafka_headers_destroy(headers);
}

/* Else a refused message's caller would wait for its deadline. */
static void a_bad_envelope_still_gives_the_reply_address(void) {
    struct quire_envelope envelope;
    CU_ASSERT_EQUAL(decode(&(struct test_headers){.method = "test.Test/Read"}, TEST_LANE, &envelope),
                    QUIRE_REASON_HEADERS); /* no deadline */
    CU_ASSERT_EQUAL(envelope.reply_topic.size, 7);
    CU_ASSERT_EQUAL(envelope.reply_partition, 5);
    CU_ASSERT_EQUAL(envelope.correlation.size, 28);
}

static void no_headers_at_all_are_bad_headers(void) {
    struct quire_envelope envelope;
    CU_ASSERT_EQUAL(quire_envelope_decode(&test_service, TEST_LANE, NULL, &envelope), QUIRE_REASON_HEADERS);
    CU_ASSERT_EQUAL(envelope.reply_topic.size, 0);
    CU_ASSERT_EQUAL(decode(&(struct test_headers){.method = "test.Test/Read", .deadline_ms = 1, .no_correlation = true},
                           TEST_LANE, &envelope),
                    QUIRE_REASON_HEADERS);
}

static void a_session_of_another_length_is_refused(void) {
    rd_kafka_headers_t *headers =
        test_headers_new(&(struct test_headers){.method = "test.Test/Read", .deadline_ms = 1});
    struct quire_envelope envelope;
    test_add(headers, QUIRE_HEADER_SESSION, "short", 5);
    CU_ASSERT_EQUAL(quire_envelope_decode(&test_service, TEST_LANE, headers, &envelope), QUIRE_REASON_HEADERS);
    rd_kafka_headers_destroy(headers);
}

/* Else two callers could be compared by nothing, and one get the other's answer as a repetition. */
static void a_key_needs_its_fingerprint(void) {
    rd_kafka_headers_t *headers =
        test_headers_new(&(struct test_headers){.method = "test.Test/Write", .deadline_ms = 1});
    struct quire_envelope envelope;
    test_add(headers, QUIRE_HEADER_IDEMPOTENCY_KEY, "K", 1);
    CU_ASSERT_EQUAL(quire_envelope_decode(&test_service, TEST_LANE, headers, &envelope), QUIRE_REASON_HEADERS);
    rd_kafka_headers_destroy(headers);
}

static void a_call_is_served_on_its_lanes_only(void) {
    const struct test_headers bulk = {.method = "test.Test/Bulk", .deadline_ms = 1},
                              unknown = {.method = "test.Test/Nope", .deadline_ms = 1};
    struct quire_envelope envelope;
    CU_ASSERT_EQUAL(decode(&bulk, TEST_OTHER_LANE, &envelope), QUIRE_REASON_NONE);
    CU_ASSERT_EQUAL(decode(&bulk, TEST_BULK_LANE, &envelope), QUIRE_REASON_NONE);
    CU_ASSERT_EQUAL(decode(&bulk, TEST_LANE, &envelope), QUIRE_REASON_METHOD);
    CU_ASSERT_EQUAL(decode(&unknown, TEST_LANE, &envelope), QUIRE_REASON_METHOD);
}

static void health_is_a_method_of_every_service(void) {
    struct quire_envelope envelope;
    CU_ASSERT_EQUAL(
        decode(&(struct test_headers){.method = QUIRE_HEALTH_METHOD, .deadline_ms = 1}, TEST_LANE, &envelope),
        QUIRE_REASON_NONE);
    CU_ASSERT_TRUE(envelope.health);
    CU_ASSERT_PTR_NULL(envelope.call);
}

/* A gateway whose clock is an hour ahead must not make its requests live for an hour. */
static void a_deadline_too_far_ahead_is_cut(void) {
    const uint64_t now_ms = 1000000, latest_ms = now_ms + QUIRE_DEADLINE_MS_MAX + 500;
    CU_ASSERT_EQUAL(quire_deadline_bounded(latest_ms, now_ms, 500), latest_ms);
    CU_ASSERT_EQUAL(quire_deadline_bounded(latest_ms + 1, now_ms, 500), latest_ms);
    CU_ASSERT_EQUAL(quire_deadline_bounded(UINT64_MAX, now_ms, 500), latest_ms);
    CU_ASSERT_EQUAL(quire_deadline_bounded(now_ms - 1, now_ms, 500), now_ms - 1);
}

static void a_deadline_keeps_its_distance_on_the_other_clock(void) {
    CU_ASSERT_EQUAL(quire_deadline_monotonic(1005, 1000, 77), 77 + 5000000);
    CU_ASSERT_EQUAL(quire_deadline_monotonic(1000, 1000, 77), 77);
    CU_ASSERT_EQUAL(quire_deadline_monotonic(1, 1000, 77), 77);
}

QUIRE_TEST_MAIN("envelope", NULL, NULL, {"a_whole_envelope_is_read", a_whole_envelope_is_read},
                {"a_bad_envelope_still_gives_the_reply_address", a_bad_envelope_still_gives_the_reply_address},
                {"no_headers_at_all_are_bad_headers", no_headers_at_all_are_bad_headers},
                {"a_session_of_another_length_is_refused", a_session_of_another_length_is_refused},
                {"a_key_needs_its_fingerprint", a_key_needs_its_fingerprint},
                {"a_call_is_served_on_its_lanes_only", a_call_is_served_on_its_lanes_only},
                {"health_is_a_method_of_every_service", health_is_a_method_of_every_service},
                {"a_deadline_too_far_ahead_is_cut", a_deadline_too_far_ahead_is_cut},
                {"a_deadline_keeps_its_distance_on_the_other_clock", a_deadline_keeps_its_distance_on_the_other_clock})
