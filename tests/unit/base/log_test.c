#include "base/log.h"

#include "unit/suite.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
    int pipe[2];
    struct quire_log *log;
    char line[65536];
} f;

static int set_up(void) {
    if (pipe(f.pipe) != 0 || fcntl(f.pipe[0], F_SETFL, O_NONBLOCK) != 0)
        return 1;
    f.log = quire_log_create("tester", "i1", QUIRE_INFO, f.pipe[1]);
    return f.log == NULL;
}

static int tear_down(void) {
    quire_log_destroy(f.log);
    close(f.pipe[0]);
    close(f.pipe[1]);
    return 0;
}

/* What has been written since the last call. */
static const char *written(void) {
    ssize_t size = read(f.pipe[0], f.line, sizeof(f.line) - 1);
    f.line[size < 0 ? 0 : size] = '\0';
    return f.line;
}

/* The line from the event on, as its time varies. */
static const char *event_part(void) {
    const char *part = strstr(written(), "\"event\"");
    return part == NULL ? "" : part;
}

static void line_has_its_fields_in_order(void) {
    QUIRE_LOG(f.log, QUIRE_WARN, "request.late", QUIRE_CTEXT("request_id", "r1"), QUIRE_INTEGER("bytes", -5),
              QUIRE_NUMBER("ms", 1.5), QUIRE_FLAG("again", true), QUIRE_FLAG("first", false));
    const char *line = written();
    CU_ASSERT_EQUAL(strncmp(line, "{\"time\":\"20", 11), 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(line, "Z\",\"level\":\"warn\",\"event\":\"request.late\",\"service\":\"tester\",\"instance\":\"i1\","
                     "\"request_id\":\"r1\",\"bytes\":-5,\"ms\":1.5,\"again\":true,\"first\":false}\n"));
}

static void lines_below_the_level_are_not_written(void) {
    CU_ASSERT_FALSE(quire_log_on(f.log, QUIRE_DEBUG));
    CU_ASSERT_TRUE(quire_log_on(f.log, QUIRE_INFO));
    QUIRE_LOG(f.log, QUIRE_DEBUG, "x", QUIRE_INTEGER("n", 1));
    quire_log_write(f.log, QUIRE_DEBUG, "x", NULL, 0);
    CU_ASSERT_STRING_EQUAL(written(), "");
    quire_log_write(f.log, QUIRE_ERROR, "x", NULL, 0);
    CU_ASSERT_STRING_EQUAL(event_part(), "\"event\":\"x\",\"service\":\"tester\",\"instance\":\"i1\"}\n");
}

/* A trace is put together by these times. */
static void line_says_the_time_that_its_writer_knows(void) {
    quire_log_write_at(f.log, QUIRE_INFO, UINT64_C(1767323045678901), "x", NULL, 0);
    CU_ASSERT_STRING_EQUAL(written(), "{\"time\":\"2026-01-02T03:04:05.678901Z\",\"level\":\"info\",\"event\":\"x\","
                                      "\"service\":\"tester\",\"instance\":\"i1\"}\n");
    quire_log_write_at(f.log, QUIRE_DEBUG, 0, "x", NULL, 0);
    CU_ASSERT_STRING_EQUAL(written(), "");
}

/* Else a caller writes log lines of their own, or commands to an operator's terminal. */
static void foreign_text_ends_no_line_and_colours_no_terminal(void) {
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"a\"b\\c", "a\\\"b\\\\c"},
        {"a\nb\tc\x1b[31m\x7f", "a\\u000ab\\u0009c\\u001b[31m\\u007f"},
        {"\xc2\x9b"
         "31m",
         "\\u009b31m"}, /* C1: CSI in one character */
        {"\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* a surrogate */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* above U+10FFFF */
        {"x\xe2\x82", "x\xef\xbf\xbd\xef\xbf\xbd"},                               /* cut short */
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[128];
        (void)snprintf(expected, sizeof(expected), "\"t\":\"%s\"}\n", cases[i].json);
        QUIRE_LOG(f.log, QUIRE_INFO, "x", QUIRE_CTEXT("t", cases[i].text));
        CU_ASSERT_PTR_NOT_NULL(strstr(written(), expected));
    }
    QUIRE_LOG(f.log, QUIRE_INFO, "x", QUIRE_TEXT("t", QUIRE_SLICE_LITERAL("a\0b")), QUIRE_CTEXT("n", NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(written(), "\"t\":\"a\\u0000b\",\"n\":\"\"}\n"));
}

static void what_json_cannot_say_is_null(void) {
    QUIRE_LOG(f.log, QUIRE_INFO, "x", QUIRE_NUMBER("a", NAN), QUIRE_NUMBER("b", INFINITY), QUIRE_NUMBER("c", -INFINITY),
              QUIRE_INTEGER("d", INT64_MIN));
    CU_ASSERT_PTR_NOT_NULL(strstr(written(), "\"a\":null,\"b\":null,\"c\":null,\"d\":-9223372036854775808}\n"));
}

/* The short way for milliseconds must not be seen: a tool would read another number than before. */
static void number_reads_as_printf_has_it(void) {
    static const double others[] = {-1.5,          -0.001,         0.0004,      0.0005,  0.0015,
                                    0.1 + 0.2,     1e-7,           123456.7891, 1e8 / 3, 99999999.9996,
                                    999999999.999, 999999999.9996, 1e9,         1e12,    1e300};
    const size_t others_count = sizeof(others) / sizeof(others[0]);
    unsigned wrong = 0;
    for (size_t i = 0; i < others_count + 3000; i++) {
        const double number = i < others_count ? others[i] : (double)((i - others_count) * 37) / 1000;
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "\"ms\":%.12g}\n", number);
        QUIRE_LOG(f.log, QUIRE_INFO, "x", QUIRE_NUMBER("ms", number));
        wrong += strstr(written(), expected) == NULL;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void integer_reads_as_it_is_at_its_bounds(void) {
    QUIRE_LOG(f.log, QUIRE_INFO, "x", QUIRE_INTEGER("a", 0), QUIRE_INTEGER("b", 9), QUIRE_INTEGER("c", -10),
              QUIRE_INTEGER("d", INT64_MAX), QUIRE_INTEGER("e", INT64_MIN));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(written(), "\"a\":0,\"b\":9,\"c\":-10,\"d\":9223372036854775807,\"e\":-9223372036854775808}\n"));
}

/* A text of any size leaves room for the fields after it. */
static void long_text_is_cut_and_marked(void) {
    char large[10000];
    memset(large, 'a', sizeof(large));
    QUIRE_LOG(f.log, QUIRE_INFO, "x", QUIRE_TEXT("t", ((struct quire_slice){(const uint8_t *)large, sizeof(large)})),
              QUIRE_INTEGER("after", 1));
    const char *line = written();
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "aaa\xe2\x80\xa6\",\"after\":1}\n"));
    CU_ASSERT_TRUE(strlen(line) < QUIRE_LOG_LINE_BYTES);
}

/* Escapes grow sixfold, characters have up to four bytes: neither may be cut in its middle, at any offset, and each
 * line must still be one. */
static void line_at_its_bound_is_whole_at_every_offset(void) {
    char escapes[2048], wide[2048];
    unsigned wrong = 0, cut = 0;
    memset(escapes, 1, sizeof(escapes));
    for (size_t i = 0; i < sizeof(wide); i += 4)
        memcpy(wide + i, "\xf0\x9f\x98\x80", 4);
    for (size_t size = 0; size < 1100; size++) {
        struct quire_slice pad = {(const uint8_t *)escapes, size % 50}, all = {(const uint8_t *)escapes, size},
                           wides = {(const uint8_t *)wide, size / 4 * 4};
        QUIRE_LOG(f.log, QUIRE_INFO, "x", QUIRE_TEXT("a", pad), QUIRE_TEXT("b", all), QUIRE_TEXT("c", wides),
                  QUIRE_TEXT("d", wides), QUIRE_TEXT("e", wides), QUIRE_TEXT("f", all), QUIRE_INTEGER("g", 5),
                  QUIRE_TEXT("h", wides), QUIRE_INTEGER("i", 5));
        const char *line = written();
        size_t length = strlen(line);
        wrong += length > QUIRE_LOG_LINE_BYTES || length < 3 || strcmp(line + length - 2, "}\n") != 0 ||
                 strchr(line, '\n') != line + length - 1;
        wrong += strstr(line, "\\u000\"") != NULL || strstr(line, "\\u00\"") != NULL;
        cut += strstr(line, ",\"cut\":true}\n") != NULL;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(cut > 0 && cut < 1100);
}

static void *write_lines(void *unused) {
    (void)unused;
    for (unsigned i = 0; i < 100; i++)
        QUIRE_LOG(f.log, QUIRE_INFO, "together", QUIRE_CTEXT("t", "0123456789012345678901234567890123456789"));
    return NULL;
}

/* Lines of two threads must not mix, or neither can be read. */
static void lines_of_threads_do_not_mix(void) {
    pthread_t threads[2];
    unsigned lines = 0, wrong = 0;
    for (unsigned i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    char *rest = (char *)(uintptr_t)written(), *line;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        lines++;
        wrong += line[0] != '{' || line[strlen(line) - 1] != '}' || strstr(line + 1, "{\"time\"") != NULL;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(lines, 200);
}

/* A word that is mistyped must stop a start, not turn the log off. */
static void level_is_one_of_four_words(void) {
    static const char *const words[] = {"debug", "info", "warn", "error"};
    static const char *const others[] = {"", "DEBUG", "warning", "info ", "0"};
    enum quire_log_level level = QUIRE_ERROR;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        CU_ASSERT_FALSE(quire_log_level_parse(others[i], &level));
    CU_ASSERT_EQUAL(level, QUIRE_ERROR);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        CU_ASSERT_TRUE(quire_log_level_parse(words[i], &level));
        CU_ASSERT_EQUAL(level, (enum quire_log_level)i);
    }
}

/* A reader that is gone must not take the service with it. */
static void log_that_cannot_be_written_is_lost_quietly(void) {
    struct quire_log *log = quire_log_create("tester", "i1", QUIRE_DEBUG, -1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(log);
    QUIRE_LOG(log, QUIRE_ERROR, "x", QUIRE_INTEGER("n", 1));
    quire_log_destroy(log);
    QUIRE_LOG(f.log, QUIRE_ERROR, "next", QUIRE_INTEGER("n", 1));
    CU_ASSERT_PTR_NOT_NULL(strstr(event_part(), "next"));
}

QUIRE_TEST_MAIN("log", set_up, tear_down, {"line_has_its_fields_in_order", line_has_its_fields_in_order},
                {"level_is_one_of_four_words", level_is_one_of_four_words},
                {"lines_below_the_level_are_not_written", lines_below_the_level_are_not_written},
                {"line_says_the_time_that_its_writer_knows", line_says_the_time_that_its_writer_knows},
                {"foreign_text_ends_no_line_and_colours_no_terminal",
                 foreign_text_ends_no_line_and_colours_no_terminal},
                {"what_json_cannot_say_is_null", what_json_cannot_say_is_null},
                {"number_reads_as_printf_has_it", number_reads_as_printf_has_it},
                {"integer_reads_as_it_is_at_its_bounds", integer_reads_as_it_is_at_its_bounds},
                {"long_text_is_cut_and_marked", long_text_is_cut_and_marked},
                {"line_at_its_bound_is_whole_at_every_offset", line_at_its_bound_is_whole_at_every_offset},
                {"lines_of_threads_do_not_mix", lines_of_threads_do_not_mix},
                {"log_that_cannot_be_written_is_lost_quietly", log_that_cannot_be_written_is_lost_quietly})
