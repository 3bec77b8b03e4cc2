/* Heads of answers, byte for byte: if it failed, a client would wait for bytes that never come, or take one answer for
 * two. */
#include "unit/suite.h"

#include "gateway/response.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define ALWAYS "Date: " DATE "\r\nX-Request-ID: r\r\nX-Process-Time: 1.000005\r\n"

static struct quire_arena arena;

static int set_up(void) {
    quire_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&arena);
    return 0;
}

static void check(struct response response, const char *expected) {
    struct quire_slice head = {NULL, 0};
    response.request_id = QUIRE_SLICE_LITERAL("r");
    response.date = DATE;
    response.process_us = 1000005;
    CU_ASSERT_TRUE(response_render(&arena, &response, &head));
    CU_ASSERT_TRUE(quire_slice_equal(head, quire_slice_of(expected)));
    if (!quire_slice_equal(head, quire_slice_of(expected)))
        printf("\n%.*s", (int)head.size, (const char *)head.bytes);
}

static void content_has_its_type_and_exact_length(void) {
    check((struct response){.status = 200, .content_type = "application/json", .content_bytes = 12345},
          "HTTP/1.1 200 OK\r\n" ALWAYS
          "Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 12345\r\n\r\n");
    check((struct response){.status = 200, .content_type = "text/html", .content_bytes = 0},
          "HTTP/1.1 200 OK\r\n" ALWAYS
          "Content-Type: text/html\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 0\r\n\r\n");
}

static void a_204_and_a_304_have_neither(void) {
    check((struct response){.status = 204, .content_type = "application/json", .content_bytes = 5, .allow = "GET"},
          "HTTP/1.1 204 No Content\r\n" ALWAYS "Allow: GET\r\n\r\n");
    check((struct response){.status = 304,
                            .content_bytes = 5,
                            .etag_name = QUIRE_SLICE_LITERAL("ETag"),
                            .etag = QUIRE_SLICE_LITERAL("\"1\"")},
          "HTTP/1.1 304 Not Modified\r\n" ALWAYS "ETag: \"1\"\r\n\r\n");
}

static void every_field_has_its_place(void) {
    check((struct response){.status = 429,
                            .content_type = "a/b",
                            .content_bytes = 1,
                            .accept = "c/d",
                            .accept_encoding = "identity",
                            .cache_control = "no-store",
                            .location = QUIRE_SLICE_LITERAL("/x"),
                            .challenge = true,
                            .retry_after_s = 7,
                            .rate_limit = QUIRE_SLICE_LITERAL("l"),
                            .rate_limit_policy = QUIRE_SLICE_LITERAL("p"),
                            .close = true,
                            .keep_alive = true},
          "HTTP/1.1 429 Too Many Requests\r\n" ALWAYS
          "Content-Type: a/b\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 1\r\n"
          "Accept: c/d\r\nAccept-Encoding: identity\r\nCache-Control: no-store\r\nLocation: /x\r\nWWW-Authenticate: "
          "Bearer\r\nRetry-After: 7\r\nRateLimit: "
          "l\r\nRateLimit-Policy: p\r\n"
          "Connection: close\r\n\r\n");
}

static void the_date_is_as_http_has_it(void) {
    char text[RESPONSE_DATE_CHARACTERS + 1];
    response_date(784111777, text);
    CU_ASSERT_STRING_EQUAL(text, DATE);
    response_date(0, text);
    CU_ASSERT_STRING_EQUAL(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    response_date(951782400, text);
    CU_ASSERT_STRING_EQUAL(text, "Tue, 29 Feb 2000 00:00:00 GMT");
}

static void without_memory_it_says_so(void) {
    struct quire_arena small;
    struct quire_slice head = {NULL, 0};
    quire_arena_init(&small, 16);
    CU_ASSERT_FALSE(response_render(&small, &(struct response){.status = 200, .date = DATE}, &head));
    CU_ASSERT_EQUAL(head.size, 0);
    quire_arena_deinit(&small);
}

QUIRE_TEST_MAIN("response", set_up, tear_down,
                {"content_has_its_type_and_exact_length", content_has_its_type_and_exact_length},
                {"a_204_and_a_304_have_neither", a_204_and_a_304_have_neither},
                {"every_field_has_its_place", every_field_has_its_place},
                {"the_date_is_as_http_has_it", the_date_is_as_http_has_it},
                {"without_memory_it_says_so", without_memory_it_says_so})
