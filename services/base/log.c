#include "base/log_internal.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_BYTES_MAX                                                                                                 \
    (QUIRE_LOG_LINE_BYTES / 4) /* escaped; so that one long text leaves room for the other fields                      \
                                */

static const char *const level_names[] = {
    [QUIRE_DEBUG] = "debug", [QUIRE_INFO] = "info", [QUIRE_WARN] = "warn", [QUIRE_ERROR] = "error"};
static const char cut_mark[] = "\xe2\x80\xa6"; /* an ellipsis ends a text that was cut */
static const char line_end[] = "}\n";
static const char cut_line_end[] = ",\"cut\":true}\n"; /* fields are missing */

/* origin: what is the same in every line, as it stands there: ,"service":"...","instance":"..." */
struct quire_log {
    enum quire_log_level level;
    int fd;
    size_t origin_bytes;
    char origin[];
};

/* bytes: QUIRE_LOG_LINE_BYTES. size <= QUIRE_LOG_LINE_BYTES - sizeof(cut_line_end), so that the line can always be
 * ended. */
struct line {
    char *bytes;
    size_t size;
    bool cut;
};

#define LINE_ROOM (QUIRE_LOG_LINE_BYTES - sizeof(cut_line_end))

bool quire_log_level_parse(const char *text, enum quire_log_level *ret_level) {
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum quire_log_level)i;
            return true;
        }
    }
    return false;
}

/* Appends all or nothing. */
static bool put(struct line *line, const char *bytes, size_t size) {
    if (size > LINE_ROOM - line->size)
        return false;
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
    return true;
}

/* One character as it may stand in a JSON string and on a terminal: C0, DEL and C1 escaped, what is no UTF-8 replaced
 * by U+FFFD. Returns how many bytes of the text it took; *ret_size is how many it wrote, at most 6. */
static size_t escape(struct quire_slice text, char ret_bytes[8], size_t *ret_size) {
    size_t taken = quire_utf8_character_bytes(text, 0);
    unsigned control = 0x100;
    if (taken == 0) {
        memcpy(ret_bytes, "\xef\xbf\xbd", 3);
        *ret_size = 3;
        return 1;
    }
    if (taken == 1 && (text.bytes[0] < 0x20 || text.bytes[0] == 0x7f))
        control = text.bytes[0];
    else if (taken == 2 && text.bytes[0] == 0xc2 && text.bytes[1] < 0xa0)
        control = text.bytes[1];
    if (control < 0x100) {
        *ret_size = (size_t)snprintf(ret_bytes, 8, "\\u%04x", control);
        return taken;
    }
    size_t size = 0;
    if (text.bytes[0] == '"' || text.bytes[0] == '\\')
        ret_bytes[size++] = '\\';
    memcpy(ret_bytes + size, text.bytes, taken);
    *ret_size = size + taken;
    return taken;
}

/* How many bytes at the start of text stand for themselves. Most texts do so altogether, and are copied at once. */
static size_t plain_size(struct quire_slice text) {
    size_t i = 0;
    while (i < text.size && text.bytes[i] >= 0x20 && text.bytes[i] < 0x7f && text.bytes[i] != '"' &&
           text.bytes[i] != '\\')
        i++;
    return i;
}

/* False when not even an empty text fits. */
static bool put_text(struct line *line, struct quire_slice text) {
    const size_t ending = sizeof(cut_mark) - 1 + 1; /* mark and closing quote */
    if (LINE_ROOM - line->size < 1 + ending)
        return false;
    line->bytes[line->size++] = '"';
    size_t end = line->size + TEXT_BYTES_MAX;
    if (end > LINE_ROOM - ending)
        end = LINE_ROOM - ending;
    bool cut = false;
    while (text.size > 0 && !cut) {
        size_t taken = plain_size(text);
        if (taken > 0) {
            cut = taken > end - line->size;
            taken = cut ? end - line->size : taken;
            memcpy(line->bytes + line->size, text.bytes, taken);
            line->size += taken;
        } else {
            char escaped[8];
            size_t size;
            taken = escape(text, escaped, &size);
            cut = size > end - line->size;
            if (!cut) {
                memcpy(line->bytes + line->size, escaped, size);
                line->size += size;
            }
        }
        text.bytes += taken;
        text.size -= taken;
    }
    if (cut) {
        memcpy(line->bytes + line->size, cut_mark, sizeof(cut_mark) - 1);
        line->size += sizeof(cut_mark) - 1;
    }
    line->bytes[line->size++] = '"';
    return true;
}

#define DECIMAL_BYTES_MAX 20u /* of 64 bits, with the sign */

static bool put_integer(struct line *line, int64_t value) {
    char digits[DECIMAL_BYTES_MAX];
    size_t at = sizeof(digits);
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        digits[--at] = '-';
    return put(line, digits + at, sizeof(digits) - at);
}

static bool put_thousandths(struct line *line, int64_t value) {
    const char fraction[] = {'.', (char)('0' + value / 100 % 10), (char)('0' + value / 10 % 10),
                             (char)('0' + value % 10)};
    size_t size = sizeof(fraction);
    while (size > 0 && (fraction[size - 1] == '0' || fraction[size - 1] == '.'))
        size--;
    return put_integer(line, value / 1000) && put(line, fraction, size);
}

#define THOUSANDTHS_BELOW 1e9 /* with three decimals that is 12 digits, as any number has at most */

/* Nearly all numbers are milliseconds with whole microseconds; printf would cost a third of a line for one of them. */
static bool put_number(struct line *line, double number) {
    char text[32];
    if (!isfinite(number)) /* JSON has no infinity */
        return put(line, "null", 4);
    if (number >= 0 && number < THOUSANDTHS_BELOW) {
        const int64_t thousandths = llround(number * 1000);
        if ((double)thousandths / 1000 == number)
            return put_thousandths(line, thousandths);
    }
    return put(line, text, (size_t)snprintf(text, sizeof(text), "%.12g", number));
}

static bool put_value(struct line *line, const struct quire_log_field *field) {
    switch (field->type) {
    case QUIRE_LOG_TEXT:
        return put_text(line, field->text);
    case QUIRE_LOG_INTEGER:
        return put_integer(line, field->integer);
    case QUIRE_LOG_NUMBER:
        return put_number(line, field->number);
    case QUIRE_LOG_BOOLEAN:
        return field->integer != 0 ? put(line, "true", 4) : put(line, "false", 5);
    }
    return false; /* no such type */
}

/* With what parts it from the field before. A name is a literal of ours: nothing in it needs an escape. */
static bool put_name(struct line *line, const char *name) {
    const size_t size = strlen(name);
    char *at = line->bytes + line->size;
    if (size + strlen(",\"\":") > LINE_ROOM - line->size)
        return false;
    if (line->size > 1)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, name, size);
    at += size;
    *at++ = '"';
    *at++ = ':';
    line->size = (size_t)(at - line->bytes);
    return true;
}

/* The whole field or, when it doesn't fit, nothing and the line is marked. */
static void put_field(struct line *line, const struct quire_log_field *field) {
    size_t before = line->size;
    if (!put_name(line, field->name) || !put_value(line, field)) {
        line->size = before;
        line->cut = true;
    }
}

struct quire_log *quire_log_create(const char *service, const char *instance, enum quire_log_level level, int fd) {
    char bytes[QUIRE_LOG_LINE_BYTES];
    struct line origin = {.bytes = bytes};
    (void)put(&origin, ",", 1); /* for what a line has before; an empty line has room */
    put_field(&origin, &QUIRE_CTEXT("service", service));
    put_field(&origin, &QUIRE_CTEXT("instance", instance));
    struct quire_log *log = malloc(sizeof(*log) + origin.size);
    if (log == NULL)
        return NULL;
    *log = (struct quire_log){.level = level, .fd = fd, .origin_bytes = origin.size};
    memcpy(log->origin, origin.bytes, origin.size);
    return log;
}

void quire_log_destroy(struct quire_log *log) {
    free(log);
}

bool quire_log_on(const struct quire_log *log, enum quire_log_level level) {
    return level >= log->level;
}

size_t quire_log_format(const struct quire_log *log, enum quire_log_level level, uint64_t unix_us, const char *event,
                        const struct quire_log_field *fields, size_t fields_count,
                        char ret_line[QUIRE_LOG_LINE_BYTES]) {
    char time[QUIRE_TIME_US_CHARACTERS + 1];
    struct line line = {.bytes = ret_line};
    quire_time_us_text((int64_t)unix_us, time);
    line.bytes[line.size++] = '{';
    put_field(&line, &QUIRE_CTEXT("time", time));
    put_field(&line, &QUIRE_CTEXT("level", level_names[level]));
    put_field(&line, &QUIRE_CTEXT("event", event));
    if (!put(&line, log->origin, log->origin_bytes))
        line.cut = true;
    for (size_t i = 0; i < fields_count; i++)
        put_field(&line, &fields[i]);
    const char *end = line.cut ? cut_line_end : line_end;
    memcpy(line.bytes + line.size, end, strlen(end));
    return line.size + strlen(end);
}

void quire_log_send(const struct quire_log *log, const char *lines, size_t size) {
    while (size > 0) {
        ssize_t written = write(log->fd, lines, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        lines += written;
        size -= (size_t)written;
    }
}

void quire_log_write_at(struct quire_log *log, enum quire_log_level level, uint64_t unix_us, const char *event,
                        const struct quire_log_field *fields, size_t fields_count) {
    char line[QUIRE_LOG_LINE_BYTES];
    if (!quire_log_on(log, level))
        return;
    quire_log_send(log, line, quire_log_format(log, level, unix_us, event, fields, fields_count, line));
}

void quire_log_write(struct quire_log *log, enum quire_log_level level, const char *event,
                     const struct quire_log_field *fields, size_t fields_count) {
    if (quire_log_on(log, level))
        quire_log_write_at(log, level, quire_wall_us(), event, fields, fields_count);
}
