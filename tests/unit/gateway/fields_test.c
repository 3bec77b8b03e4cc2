/* Request fields that the gateway obeys: each edge on both sides. */
#include "unit/suite.h"

#include "gateway/fields.h"

static struct http_field one_field[2];

static struct http_head head_of(const char *name, const char *value) {
    one_field[0] = one_field[1] = (struct http_field){quire_slice_of(name), quire_slice_of(value)};
    return (struct http_head){.minor = 1, .fields = one_field, .fields_count = value == NULL ? 0 : 1};
}

static bool accepts(const char *accept) {
    struct http_head head = head_of("Accept", accept);
    return fields_accept(&head, "application", "json");
}

static void accept_takes_the_closest_range(void) {
    CU_ASSERT_TRUE(accepts(NULL));
    CU_ASSERT_TRUE(accepts(""));
    CU_ASSERT_TRUE(accepts("*/*"));
    CU_ASSERT_TRUE(accepts("text/html, application/*;q=0.1"));
    CU_ASSERT_TRUE(accepts("APPLICATION/JSON; charset=utf-8"));
    CU_ASSERT_TRUE(accepts("*/*;q=0, application/json"));
    CU_ASSERT_FALSE(accepts("text/html"));
    CU_ASSERT_FALSE(accepts("application/json;q=0, */*"));
    CU_ASSERT_FALSE(accepts("application/json;q=0.000"));
    CU_ASSERT_TRUE(accepts("application/json;q=0.001"));
    CU_ASSERT_FALSE(accepts("application/jsonp"));
}

static unsigned timeout_of(const char *value) {
    struct http_head head = head_of("Request-Timeout", value);
    uint32_t timeout_ms = 0;
    return fields_timeout(&head, 5000, &timeout_ms) ? timeout_ms : 0;
}

static void timeouts_are_decimal_seconds_above_zero(void) {
    CU_ASSERT_EQUAL(timeout_of(NULL), 5000);
    CU_ASSERT_EQUAL(timeout_of("2"), 2000);
    CU_ASSERT_EQUAL(timeout_of("0.25"), 250);
    CU_ASSERT_EQUAL(timeout_of("0.0001"), 1);
    CU_ASSERT_EQUAL(timeout_of("0.00000000001"), 1);
    CU_ASSERT_EQUAL(timeout_of("30"), 30000);
    CU_ASSERT_EQUAL(timeout_of("30.5"), 30000);
    CU_ASSERT_EQUAL(timeout_of("99999999999999999999999999"), 30000);
    CU_ASSERT_EQUAL(timeout_of("010"), 10000);
    static const char *const bad[] = {"0", "0.0", "", "-1", "+1", "1.", ".5", "1e1", "1 ", "1,2", "1s", "inf"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(timeout_of(bad[i]), 0);
    struct http_head twice = head_of("Request-Timeout", "1");
    uint32_t timeout_ms;
    twice.fields_count = 2;
    CU_ASSERT_FALSE(fields_timeout(&twice, 5000, &timeout_ms));
}

static bool is_json(const char *type) {
    struct http_head head = head_of("Content-Type", type);
    return fields_json(&head);
}

static void content_is_json_in_utf8_or_refused(void) {
    CU_ASSERT_TRUE(is_json("application/json"));
    CU_ASSERT_TRUE(is_json("Application/JSON ; charset=\"utf-8\""));
    CU_ASSERT_FALSE(is_json(NULL));
    CU_ASSERT_FALSE(is_json("text/json"));
    CU_ASSERT_FALSE(is_json("application/json; charset=utf-16"));
    CU_ASSERT_FALSE(is_json("application/problem+json"));
}

static void content_is_plain_without_a_coding_or_with_one_that_does_nothing(void) {
    struct http_head head = head_of("Content-Encoding", NULL);
    CU_ASSERT_TRUE(fields_plain(&head));
    head = head_of("Content-Encoding", "Identity");
    CU_ASSERT_TRUE(fields_plain(&head));
    head = head_of("Content-Encoding", "gzip");
    CU_ASSERT_FALSE(fields_plain(&head));
    head = head_of("Content-Encoding", "identity, gzip");
    CU_ASSERT_FALSE(fields_plain(&head));
}

static void expectations_are_continue_or_unknown(void) {
    struct http_head head = head_of("Expect", "100-Continue");
    CU_ASSERT_EQUAL(fields_expect(&head), FIELDS_EXPECT_CONTINUE);
    head.minor = 0;
    CU_ASSERT_EQUAL(fields_expect(&head), FIELDS_EXPECT_NOTHING);
    head = head_of("Expect", "more");
    CU_ASSERT_EQUAL(fields_expect(&head), FIELDS_EXPECT_UNKNOWN);
}

static bool has_trace(const char *value) {
    struct http_head head = head_of("traceparent", value);
    return fields_traceparent(&head).size > 0;
}

static void traces_are_passed_on_when_valid(void) {
    CU_ASSERT_TRUE(has_trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    CU_ASSERT_TRUE(has_trace("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
    CU_ASSERT_FALSE(has_trace("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-m\xf6re"));
    CU_ASSERT_FALSE(has_trace("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-mo re"));
    CU_ASSERT_FALSE(has_trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
    CU_ASSERT_FALSE(has_trace("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    CU_ASSERT_FALSE(has_trace("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
    CU_ASSERT_FALSE(has_trace("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));
    CU_ASSERT_FALSE(has_trace("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    CU_ASSERT_FALSE(has_trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"));
}

static bool has_request_id(const char *value) {
    struct http_head head = head_of("X-Request-ID", value);
    return fields_request_id(&head).size > 0;
}

static void request_ids_are_bounded_and_plain(void) {
    char longest[130];
    memset(longest, 'a', sizeof longest);
    longest[128] = '\0';
    CU_ASSERT_TRUE(has_request_id(longest));
    longest[128] = 'a';
    longest[129] = '\0';
    CU_ASSERT_FALSE(has_request_id(longest));
    CU_ASSERT_TRUE(has_request_id("A.z_0:9-"));
    CU_ASSERT_FALSE(has_request_id(""));
    CU_ASSERT_FALSE(has_request_id("a b"));
    CU_ASSERT_FALSE(has_request_id("a/b"));
}

static void idempotency_keys_are_visible_ascii(void) {
    char longest[257];
    struct quire_slice key;
    memset(longest, '~', sizeof longest);
    longest[255] = '\0';
    struct http_head head = head_of("Idempotency-Key", longest);
    CU_ASSERT_TRUE(fields_idempotency_key(&head, &key) && key.size == 255);
    longest[255] = '~';
    longest[256] = '\0';
    head = head_of("Idempotency-Key", longest);
    CU_ASSERT_FALSE(fields_idempotency_key(&head, &key));
    head = head_of("Idempotency-Key", "");
    CU_ASSERT_FALSE(fields_idempotency_key(&head, &key));
    head = head_of("Idempotency-Key", "a\xc3\xa9");
    CU_ASSERT_FALSE(fields_idempotency_key(&head, &key));
    head = head_of("Idempotency-Key", NULL);
    CU_ASSERT_TRUE(fields_idempotency_key(&head, &key) && key.size == 0);
}

QUIRE_TEST_MAIN("fields", NULL, NULL, {"accept_takes_the_closest_range", accept_takes_the_closest_range},
                {"timeouts_are_decimal_seconds_above_zero", timeouts_are_decimal_seconds_above_zero},
                {"content_is_json_in_utf8_or_refused", content_is_json_in_utf8_or_refused},
                {"content_is_plain_without_a_coding_or_with_one_that_does_nothing",
                 content_is_plain_without_a_coding_or_with_one_that_does_nothing},
                {"expectations_are_continue_or_unknown", expectations_are_continue_or_unknown},
                {"traces_are_passed_on_when_valid", traces_are_passed_on_when_valid},
                {"request_ids_are_bounded_and_plain", request_ids_are_bounded_and_plain},
                {"idempotency_keys_are_visible_ascii", idempotency_keys_are_visible_ascii})
