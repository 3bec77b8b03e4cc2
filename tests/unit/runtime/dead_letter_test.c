#include "runtime/dead_letter.h"
#include "unit/runtime/contract.h"
#include "unit/suite.h"

static bool has(const rd_kafka_headers_t *headers, const char *name, const char *text) {
    const void *value;
    size_t size;
    return rd_kafka_header_get_last(headers, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           size == strlen(text) && memcmp(value, text, size) == 0;
}

static void a_dead_letter_keeps_its_headers_and_says_why_and_whence(void) {
    rd_kafka_headers_t *own =
        test_headers_new(&(struct test_headers){.method = "test.Test/Read", .request_id = "R", .deadline_ms = 9});
    rd_kafka_headers_t *headers = quire_dead_letter_headers(own, "test.main", 3, 1234567890123, QUIRE_REASON_CRASHED);
    CU_ASSERT_TRUE(has(headers, QUIRE_HEADER_METHOD, "test.Test/Read"));
    CU_ASSERT_TRUE(has(headers, QUIRE_HEADER_REQUEST_ID, "R"));
    CU_ASSERT_TRUE(has(headers, QUIRE_HEADER_DLT_REASON, "crashed"));
    CU_ASSERT_TRUE(has(headers, QUIRE_HEADER_DLT_TOPIC, "test.main"));
    CU_ASSERT_TRUE(has(headers, QUIRE_HEADER_DLT_PARTITION, "3"));
    CU_ASSERT_TRUE(has(headers, QUIRE_HEADER_DLT_OFFSET, "1234567890123"));
    CU_ASSERT_FALSE(has(own, QUIRE_HEADER_DLT_REASON, "crashed")); /* they are the message's */
    rd_kafka_headers_destroy(headers);
    rd_kafka_headers_destroy(own);
}

/* A letter that was put back and died again would else have two reasons. */
static void a_second_death_replaces_the_first(void) {
    rd_kafka_headers_t *first = quire_dead_letter_headers(NULL, "test.main", 1, 1, QUIRE_REASON_PAYLOAD);
    rd_kafka_headers_t *second = quire_dead_letter_headers(first, "test.main", 2, 7, QUIRE_REASON_FAILED);
    CU_ASSERT_EQUAL(rd_kafka_header_cnt(second), 4);
    CU_ASSERT_TRUE(has(second, QUIRE_HEADER_DLT_REASON, "failed"));
    CU_ASSERT_TRUE(has(second, QUIRE_HEADER_DLT_OFFSET, "7"));
    rd_kafka_headers_destroy(first);
    rd_kafka_headers_destroy(second);
}

QUIRE_TEST_MAIN("dead_letter", NULL, NULL,
                {"a_dead_letter_keeps_its_headers_and_says_why_and_whence",
                 a_dead_letter_keeps_its_headers_and_says_why_and_whence},
                {"a_second_death_replaces_the_first", a_second_death_replaces_the_first})
