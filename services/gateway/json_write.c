#include "gateway/json_write.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define JSON_CAPACITY_MIN 256u

/* Makes room for `bytes` more. The old block stays in the arena until its reset, so growth doubles: all blocks together
 * are at most twice the text. */
static bool json_reserve(struct json_writer *writer, size_t bytes) {
    if (writer->failed)
        return false;
    if (bytes <= writer->capacity - writer->size)
        return true;
    if (bytes > writer->bytes_max - writer->size) {
        writer->failed = writer->too_long = true;
        return false;
    }
    size_t capacity = writer->capacity > writer->bytes_max / 2 ? writer->bytes_max : writer->capacity * 2;
    if (capacity < writer->size + bytes)
        capacity = writer->size + bytes;
    uint8_t *grown = quire_arena_alloc(writer->arena, capacity);
    if (grown == NULL) {
        writer->failed = true;
        return false;
    }
    if (writer->size > 0)
        memcpy(grown, writer->bytes, writer->size);
    writer->bytes = grown;
    writer->capacity = capacity;
    return true;
}

static void json_put(struct json_writer *writer, const void *bytes, size_t size) {
    if (size > 0 && json_reserve(writer, size)) {
        memcpy(writer->bytes + writer->size, bytes, size);
        writer->size += size;
    }
}

static void json_put_byte(struct json_writer *writer, char byte) {
    json_put(writer, &byte, 1);
}

static void json_separate(struct json_writer *writer) {
    if (writer->comma)
        json_put_byte(writer, ',');
    writer->comma = true;
}

void json_writer_init(struct json_writer *writer, struct quire_arena *arena, size_t expected_bytes, size_t bytes_max) {
    *writer = (struct json_writer){.arena = arena, .bytes_max = bytes_max};
    size_t capacity = expected_bytes < JSON_CAPACITY_MIN ? JSON_CAPACITY_MIN : expected_bytes;
    capacity = capacity > bytes_max ? bytes_max : capacity;
    writer->bytes = quire_arena_alloc(arena, capacity == 0 ? 1 : capacity);
    writer->failed = writer->bytes == NULL;
    writer->capacity = writer->failed ? 0 : capacity;
}

bool json_writer_end(const struct json_writer *writer, struct quire_slice *ret_json) {
    if (writer->failed)
        return false;
    *ret_json = (struct quire_slice){writer->bytes, writer->size};
    return true;
}

void json_begin(struct json_writer *writer, char bracket) {
    json_separate(writer);
    json_put_byte(writer, bracket);
    writer->comma = false;
}

void json_end(struct json_writer *writer, char bracket) {
    json_put_byte(writer, bracket);
    writer->comma = true;
}

void json_name(struct json_writer *writer, struct quire_slice name) {
    json_string(writer, name);
    json_colon(writer);
}

void json_colon(struct json_writer *writer) {
    json_put_byte(writer, ':');
    writer->comma = false;
}

/* What stands after the backslash; 0 where the byte stands for itself; 'u' for \u00XX (RFC 8259 7). */
static char json_escape_of(uint8_t byte) {
    switch (byte) {
    case '"':
    case '\\':
        return (char)byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return byte < 0x20 ? 'u' : 0;
    }
}

/* High bit set in a byte of the result: the byte of `word` at that place may need an escape. May be true of more bytes
 * than need one (borrows run upwards), never of fewer in the whole word. */
static uint64_t json_word_suspects(uint64_t word) {
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
    uint64_t below = (word - ones * 0x20) & ~word;
    return (below | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs;
}

/* Bytes from `from` on that stand for themselves: eight at a time, as a document has few others. */
static size_t json_plain_run(struct quire_slice text, size_t from) {
    size_t at = from;
    while (at + 8 <= text.size) {
        uint64_t word;
        memcpy(&word, text.bytes + at, sizeof(word));
        if (json_word_suspects(word) != 0)
            break;
        at += 8;
    }
    while (at < text.size && json_escape_of(text.bytes[at]) == 0)
        at++;
    return at - from;
}

size_t json_escapes_bytes(struct quire_slice text) {
    size_t more = 0;
    for (size_t at = json_plain_run(text, 0); at < text.size; at += 1 + json_plain_run(text, at + 1))
        more += json_escape_of(text.bytes[at]) == 'u' ? 5 : 1;
    return more;
}

static void json_put_escape(struct json_writer *writer, uint8_t byte) {
    char text[8] = {'\\', json_escape_of(byte)};
    size_t size = 2;
    if (text[1] == 'u')
        size = (size_t)snprintf(text, sizeof(text), "\\u%04x", byte);
    json_put(writer, text, size);
}

void json_string(struct json_writer *writer, struct quire_slice text) {
    json_separate(writer);
    json_put_byte(writer, '"');
    for (size_t at = 0; at < text.size && !writer->failed;) {
        size_t run = json_plain_run(text, at);
        if (run > 0)
            json_put(writer, text.bytes + at, run);
        at += run;
        if (at < text.size)
            json_put_escape(writer, text.bytes[at++]);
    }
    json_put_byte(writer, '"');
}

void json_raw(struct json_writer *writer, struct quire_slice json) {
    json_separate(writer);
    json_put(writer, json.bytes, json.size);
}

static void json_text(struct json_writer *writer, const char *text) {
    json_raw(writer, quire_slice_of(text));
}

void json_integer(struct json_writer *writer, int64_t value) {
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    json_text(writer, text);
}

void json_unsigned(struct json_writer *writer, uint64_t value) {
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    json_text(writer, text);
}

void json_number(struct json_writer *writer, double value) {
    if (!isfinite(value)) {
        json_null(writer);
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) { /* 17 always read back exactly (IEEE 754 binary64) */
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (!(back < value) && !(back > value))
            break;
    }
    json_text(writer, text);
}

void json_boolean(struct json_writer *writer, bool value) {
    json_text(writer, value ? "true" : "false");
}

void json_null(struct json_writer *writer) {
    json_text(writer, "null");
}
