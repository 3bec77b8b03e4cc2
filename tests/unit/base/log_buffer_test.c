/* Lines in batches: if it failed, a line would be torn, lost, or come after the answer that it tells of. */
#define _GNU_SOURCE /* pipe2, O_DIRECT, F_SETPIPE_SZ */
#include "base/log_buffer.h"

#include "unit/suite.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define UNIX_US UINT64_C(1767323045678901)

static struct fixture {
    int pipe[2]; /* of packets: each read brings what one write wrote, and no more */
    struct quire_log *log;
    struct quire_log_buffer *buffer;
    char text[131072]; /* more than a pipe holds */
} f;

static int set_up(void) {
    if (pipe2(f.pipe, O_DIRECT | O_NONBLOCK) != 0)
        return 1;
    f.log = quire_log_create("tester", "i1", QUIRE_INFO, f.pipe[1]);
    f.buffer = f.log == NULL ? NULL : quire_log_buffer_create(f.log);
    return f.buffer == NULL;
}

static int tear_down(void) {
    quire_log_buffer_destroy(f.buffer);
    quire_log_destroy(f.log);
    close(f.pipe[0]);
    close(f.pipe[1]);
    return 0;
}

static const char *read_text(int fd) {
    const ssize_t size = read(fd, f.text, sizeof(f.text) - 1);
    f.text[size < 0 ? 0 : size] = '\0';
    return f.text;
}

/* What the next write has written; "" when there was none. */
static const char *next_write(void) {
    return read_text(f.pipe[0]);
}

static void tell(struct quire_log_buffer *buffer, int64_t number, size_t padding) {
    static char spaces[QUIRE_LOG_LINE_BYTES];
    memset(spaces, ' ', sizeof(spaces));
    const struct quire_slice pad = {(const uint8_t *)spaces, padding < 1000 ? padding : 1000},
                             rest = {(const uint8_t *)spaces, padding - pad.size};
    const struct quire_log_field fields[] = {QUIRE_INTEGER("n", number), QUIRE_TEXT("pad", pad),
                                             QUIRE_TEXT("rest", rest)};
    quire_log_buffer_write_at(buffer, QUIRE_INFO, UNIX_US, "x", fields, 3);
}

/* How many lines there are, -1 when one of them isn't whole or its number isn't above the one before, `*last`. */
static int whole_lines(const char *text, long *last) {
    int lines = 0;
    while (*text != '\0') {
        const char *end = strchr(text, '\n'), *number = strstr(text, "\"n\":");
        if (end == NULL || text[0] != '{' || end[-1] != '}' || number == NULL || number > end ||
            strtol(number + 4, NULL, 10) <= *last)
            return -1;
        *last = strtol(number + 4, NULL, 10);
        lines++;
        text = end + 1;
    }
    return lines;
}

/* Else a line costs a write each, or the reader sees them in another order than they happened. */
static void lines_of_a_turn_leave_in_one_write_and_in_order(void) {
    long last = -1;
    for (unsigned i = 0; i < 5; i++)
        tell(f.buffer, i, 0);
    CU_ASSERT_STRING_EQUAL(next_write(), "");
    quire_log_buffer_flush(f.buffer);
    CU_ASSERT_EQUAL(whole_lines(next_write(), &last), 5);
    CU_ASSERT_STRING_EQUAL(next_write(), "");
}

/* A tool that reads lines must not see which of them waited. */
static void line_is_the_same_as_one_that_is_written_at_once(void) {
    const struct quire_log_field fields[] = {QUIRE_CTEXT("a", "\"\n"), QUIRE_NUMBER("b", 0.5), QUIRE_FLAG("c", true)};
    quire_log_write_at(f.log, QUIRE_WARN, UNIX_US, "x", fields, 3);
    char *at_once = strdup(next_write());
    CU_ASSERT_PTR_NOT_NULL_FATAL(at_once);
    quire_log_buffer_write_at(f.buffer, QUIRE_WARN, UNIX_US, "x", fields, 3);
    quire_log_buffer_flush(f.buffer);
    CU_ASSERT_STRING_EQUAL(next_write(), at_once);
    free(at_once);
}

/* A turn without a request flushes too. */
static void flush_of_nothing_writes_nothing(void) {
    quire_log_buffer_flush(f.buffer);
    CU_ASSERT_STRING_EQUAL(next_write(), "");
    tell(f.buffer, 0, 0);
    quire_log_buffer_flush(f.buffer);
    CU_ASSERT_STRING_NOT_EQUAL(next_write(), "");
    quire_log_buffer_flush(f.buffer);
    CU_ASSERT_STRING_EQUAL(next_write(), "");
}

static void lines_below_the_level_are_not_held(void) {
    quire_log_buffer_write_at(f.buffer, QUIRE_DEBUG, UNIX_US, "x", NULL, 0);
    quire_log_buffer_flush(f.buffer);
    CU_ASSERT_STRING_EQUAL(next_write(), "");
}

/* More than a pipe takes in one piece would mix with other threads' lines. */
static void full_buffer_writes_whole_lines_and_goes_on(void) {
    const char *text;
    long last = -1;
    int lines = 0, writes = 0;
    for (unsigned i = 0; i < 100; i++)
        tell(f.buffer, i, i);
    quire_log_buffer_flush(f.buffer);
    while (*(text = next_write()) != '\0') {
        const int count = whole_lines(text, &last);
        CU_ASSERT_TRUE_FATAL(count > 0 && strlen(text) <= PIPE_BUF);
        lines += count;
        writes++;
    }
    CU_ASSERT_EQUAL(lines, 100);
    CU_ASSERT_TRUE(writes < 100 / 10);
}

/* The line that fills the last byte goes along; one byte more, and those before it go first. */
static void line_that_just_fits_goes_along(void) {
    tell(f.buffer, 0, 1000);
    quire_log_buffer_flush(f.buffer);
    const size_t line_bytes = strlen(next_write()), rest_padding = 1000 + PIPE_BUF - 3 * line_bytes;
    for (unsigned more = 0; more < 2; more++) {
        long last = -1;
        tell(f.buffer, 0, 1000);
        tell(f.buffer, 1, 1000);
        tell(f.buffer, 2, rest_padding + more);
        quire_log_buffer_flush(f.buffer);
        CU_ASSERT_EQUAL(whole_lines(next_write(), &last), 3 - (int)more);
        CU_ASSERT_EQUAL(whole_lines(next_write(), &last), (int)more);
        CU_ASSERT_EQUAL(last, 2);
    }
}

/* It is formatted behind what is held, and must be cut at its own bound, not at what happens to be left. */
static void long_line_is_cut_alike_wherever_it_falls(void) {
    unsigned wrong = 0;
    char large[2000];
    memset(large, 'a', sizeof(large));
    const struct quire_slice text = {(const uint8_t *)large, sizeof(large)};
    const struct quire_log_field fields[] = {QUIRE_TEXT("a", text), QUIRE_TEXT("b", text), QUIRE_TEXT("c", text),
                                             QUIRE_TEXT("d", text), QUIRE_TEXT("e", text), QUIRE_INTEGER("f", 1)};
    quire_log_write_at(f.log, QUIRE_INFO, UNIX_US, "long", fields, 6);
    char *at_once = strdup(next_write());
    CU_ASSERT_PTR_NOT_NULL_FATAL(at_once);
    CU_ASSERT_PTR_NOT_NULL(strstr(at_once, "\"cut\":true}\n"));
    for (size_t padding = 0; padding < 1900; padding += 7) {
        long last = -1;
        tell(f.buffer, 0, padding);
        tell(f.buffer, 1, padding);
        quire_log_buffer_write_at(f.buffer, QUIRE_INFO, UNIX_US, "long", fields, 6);
        tell(f.buffer, 2, 0);
        quire_log_buffer_flush(f.buffer);
        wrong += whole_lines(next_write(), &last) != 2;
        wrong += strcmp(next_write(), at_once) != 0;
        wrong += whole_lines(next_write(), &last) != 1;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    free(at_once);
}

/* What was told of before a process ended would be missing. */
static void destroyed_buffer_has_written_what_it_held(void) {
    long last = -1;
    struct quire_log_buffer *buffer = quire_log_buffer_create(f.log);
    CU_ASSERT_PTR_NOT_NULL_FATAL(buffer);
    tell(buffer, 0, 0);
    tell(buffer, 1, 0);
    quire_log_buffer_destroy(buffer);
    CU_ASSERT_EQUAL(whole_lines(next_write(), &last), 2);
    quire_log_buffer_destroy(NULL);
}

/* A reader that has stopped reading: lines are lost, but no half of one stays, and the next are fine. */
static void full_pipe_loses_whole_lines_only(void) {
    int fds[2];
    long last = -1;
    CU_ASSERT_EQUAL_FATAL(pipe2(fds, O_NONBLOCK), 0);
    struct quire_log *log = quire_log_create("tester", "i1", QUIRE_INFO, fds[1]);
    struct quire_log_buffer *buffer = log == NULL ? NULL : quire_log_buffer_create(log);
    CU_ASSERT_PTR_NOT_NULL_FATAL(buffer);
    for (unsigned i = 0; i < 1000; i++)
        tell(buffer, i, 100);
    quire_log_buffer_flush(buffer);
    const int lines = whole_lines(read_text(fds[0]), &last);
    CU_ASSERT_TRUE(lines > 0 && lines < 1000);
    tell(buffer, last + 1, 0);
    quire_log_buffer_destroy(buffer);
    CU_ASSERT_EQUAL(whole_lines(read_text(fds[0]), &last), 1);
    quire_log_destroy(log);
    close(fds[0]);
    close(fds[1]);
}

#define THREADS 3u
#define THREAD_LINES 5000u

struct teller {
    struct quire_log *log;
    const char *name;
    bool at_once; /* without a buffer */
};

static void *tell_lines(void *argument) {
    const struct teller *teller = argument;
    struct quire_log_buffer *buffer = quire_log_buffer_create(teller->log);
    for (unsigned i = 0; buffer != NULL && i < THREAD_LINES; i++) {
        const struct quire_log_field fields[] = {QUIRE_CTEXT("who", teller->name), QUIRE_INTEGER("n", i)};
        if (teller->at_once)
            quire_log_write_at(teller->log, QUIRE_INFO, UNIX_US, "x", fields, 2);
        else
            quire_log_buffer_write_at(buffer, QUIRE_INFO, UNIX_US, "x", fields, 2);
        if (i % 64 == 63)
            quire_log_buffer_flush(buffer);
    }
    quire_log_buffer_destroy(buffer);
    return NULL;
}

/* Of a small pipe whose writers wait for its reader, as a container's do under load: a line of one in the middle of
 * another's, and neither can be read. */
static void lines_of_threads_do_not_mix_on_a_pipe(void) {
    static const char *const names[THREADS] = {"a", "b", "c"};
    struct teller tellers[THREADS];
    pthread_t threads[THREADS];
    unsigned counts[THREADS] = {0}, wrong = 0, lines = 0;
    int fds[2];
    CU_ASSERT_EQUAL_FATAL(pipe2(fds, 0), 0);
    CU_ASSERT_TRUE(fcntl(fds[1], F_SETPIPE_SZ, PIPE_BUF) >= PIPE_BUF);
    struct quire_log *log = quire_log_create("tester", "i1", QUIRE_INFO, fds[1]);
    FILE *reader = fdopen(fds[0], "r");
    CU_ASSERT_TRUE_FATAL(log != NULL && reader != NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        tellers[i] = (struct teller){.log = log, .name = names[i], .at_once = i == 0};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, tell_lines, &tellers[i]), 0);
    }
    while (lines < THREADS * THREAD_LINES && fgets(f.text, sizeof(f.text), reader) != NULL) {
        char who;
        unsigned number;
        lines++;
        if (sscanf(f.text,
                   "{\"time\":\"2026-01-02T03:04:05.678901Z\",\"level\":\"info\",\"event\":\"x\","
                   "\"service\":\"tester\",\"instance\":\"i1\",\"who\":\"%c\",\"n\":%u}",
                   &who, &number) == 2 &&
            who >= 'a' && who < 'a' + (int)THREADS && number == counts[who - 'a'] &&
            strcmp(f.text + strlen(f.text) - 2, "}\n") == 0)
            counts[who - 'a']++;
        else
            wrong++;
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(lines, THREADS * THREAD_LINES);
    quire_log_destroy(log);
    fclose(reader);
    close(fds[1]);
}

#define TEST(function) {#function, function}
QUIRE_TEST_MAIN("log_buffer", set_up, tear_down, TEST(lines_of_a_turn_leave_in_one_write_and_in_order),
                TEST(line_is_the_same_as_one_that_is_written_at_once), TEST(flush_of_nothing_writes_nothing),
                TEST(lines_below_the_level_are_not_held), TEST(full_buffer_writes_whole_lines_and_goes_on),
                TEST(line_that_just_fits_goes_along), TEST(long_line_is_cut_alike_wherever_it_falls),
                TEST(destroyed_buffer_has_written_what_it_held), TEST(full_pipe_loses_whole_lines_only),
                TEST(lines_of_threads_do_not_mix_on_a_pipe))
