/* HTTP parsing: if it failed, two parties could read one stream of bytes in two ways, and one caller's bytes become
 * another's request. */
#include "unit/suite.h"

#include "case_file.h"
#include "gateway/http.h"

struct collected {
    struct case_buffer events; /* one line each, as the cases have them */
    struct case_buffer body;
};

static void collect_body(void *context, struct quire_slice piece) {
    case_put(&((struct collected *)context)->body, piece.bytes, piece.size);
}

static void add_event(struct collected *collected, const char *text, struct quire_slice rest) {
    case_put(&collected->events, text, strlen(text));
    if (rest.size > 0)
        case_put(&collected->events, rest.bytes, rest.size);
}

/* Feeds `bytes` in pieces of `step`; the next message begins where one ended, as on a connection. */
static void parse(struct quire_slice bytes, const struct http_bounds *bounds, size_t step,
                  struct collected *collected) {
    struct http_parser parser;
    struct quire_arena arena;
    char text[64];
    quire_arena_init(&arena, 1 << 20);
    http_init(&parser, bounds, collect_body, collected);
    http_begin(&parser, &arena);
    size_t at = 0;
    enum http_event event = HTTP_EVENT_MORE;
    while (at < bytes.size || event == HTTP_EVENT_HEAD) {
        size_t size = bytes.size - at < step ? bytes.size - at : step;
        at += http_feed(&parser, (struct quire_slice){bytes.bytes + at, size}, &event);
        if (event == HTTP_EVENT_HEAD) {
            add_event(collected, http_method_text(parser.head.method), QUIRE_SLICE_LITERAL(" "));
            add_event(collected, "", parser.head.target);
            add_event(collected, parser.head.keep_alive ? " keep" : " close", quire_slice_of(NULL));
        } else if (event == HTTP_EVENT_COMPLETE) {
            add_event(collected, " [", (struct quire_slice){collected->body.bytes, collected->body.size});
            add_event(collected, "]\n", quire_slice_of(NULL));
            collected->body.size = 0;
            quire_arena_reset(&arena);
            http_begin(&parser, &arena);
        } else if (event == HTTP_EVENT_BROKEN) {
            (void)snprintf(
                text, sizeof text, "%s%u\n",
                collected->events.size > 0 && collected->events.bytes[collected->events.size - 1] != '\n' ? " " : "",
                parser.fault.status);
            add_event(collected, text, quire_slice_of(NULL));
            break;
        }
    }
    quire_arena_deinit(&arena);
}

static bool matches(const struct case_block *block, const struct http_bounds *bounds, struct quire_slice sent,
                    const struct case_buffer *expected, size_t step) {
    struct collected collected = {{NULL, 0, 0}, {NULL, 0, 0}};
    parse(sent, bounds, step, &collected);
    struct quire_slice events = {collected.events.bytes, collected.events.size};
    bool equal = quire_slice_equal(events, (struct quire_slice){expected->bytes, expected->size});
    if (!equal)
        printf("\n%s, in pieces of %zu: expected\n%.*s---- but got\n%.300s----\n", block->name, step,
               (int)expected->size, expected->size > 0 ? (const char *)expected->bytes : "",
               events.size > 0 ? (const char *)events.bytes : "(nothing)");
    free(collected.events.bytes);
    free(collected.body.bytes);
    return equal;
}

/* "send" lines are put together; "expect" lines are what comes out. "from: proxy" is one that is trusted. */
static void check_block(const struct case_block *block) {
    const struct http_bounds *bounds = &http_bounds_client;
    struct case_buffer sent = {NULL, 0, 0}, expected = {NULL, 0, 0};
    for (size_t i = 0; i < block->lines_count; i++) {
        const struct case_line *line = &block->lines[i];
        if (strcmp(line->key, "send") == 0)
            case_put(&sent, line->bytes, line->size);
        if (strcmp(line->key, "from") == 0)
            bounds = &http_bounds_proxied;
        if (strcmp(line->key, "expect") == 0) {
            case_put(&expected, line->bytes, line->size);
            case_put(&expected, "\n", 1);
        }
    }
    static const size_t steps[] = {1 << 20, 1, 2, 7};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        CU_ASSERT_TRUE(matches(block, bounds, (struct quire_slice){sent.bytes, sent.size}, &expected, steps[i]));
    free(sent.bytes);
    free(expected.bytes);
}

static void every_case_in_the_folder_holds_whole_and_in_pieces(void) {
    CU_ASSERT(case_read_folder(QUIRE_TEST_FOLDER "/unit/gateway/http_cases", check_block) > 40);
}

static void a_head_has_its_fields_trimmed_and_found_in_any_case(void) {
    struct http_parser parser;
    struct quire_arena arena;
    struct collected collected = {{NULL, 0, 0}, {NULL, 0, 0}};
    enum http_event event;
    size_t count;
    quire_arena_init(&arena, 1 << 20);
    http_init(&parser, &http_bounds_client, collect_body, &collected);
    http_begin(&parser, &arena);
    (void)http_feed(&parser, QUIRE_SLICE_LITERAL("GET / HTTP/1.1\r\nHost: a\r\nX-One: \t b c \t \r\nx-one:\r\n\r\n"),
                    &event);
    CU_ASSERT_EQUAL(event, HTTP_EVENT_HEAD);
    const struct http_field *field = http_find(&parser.head, "x-ONE", &count);
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_TRUE(field != NULL && quire_slice_equal(field->value, QUIRE_SLICE_LITERAL("b c")));
    CU_ASSERT_PTR_NULL(http_find(&parser.head, "X-Two", NULL));
    quire_arena_deinit(&arena);
}

QUIRE_TEST_MAIN("http", NULL, NULL,
                {"every_case_in_the_folder_holds_whole_and_in_pieces",
                 every_case_in_the_folder_holds_whole_and_in_pieces},
                {"a_head_has_its_fields_trimmed_and_found_in_any_case",
                 a_head_has_its_fields_trimmed_and_found_in_any_case})
