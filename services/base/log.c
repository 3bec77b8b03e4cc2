#include "base/log.h"

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

struct quire_log {
    const char *service, *instance;
    enum quire_log_level level;
    int fd;
};

/* size <= QUIRE_LOG_LINE_BYTES - sizeof(cut_line_end), so that the line can always be ended. */
struct line {
    size_t size;
    bool cut;
    char bytes[QUIRE_LOG_LINE_BYTES];
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

struct quire_log *quire_log_create(const char *service, const char *instance, enum quire_log_level level, int fd) {
    struct quire_log *log = malloc(sizeof(*log));
    if (log != NULL)
        *log = (struct quire_log){.service = service, .instance = instance, .level = level, .fd = fd};
    return log;
}

void quire_log_destroy(struct quire_log *log) {
    free(log);
}

bool quire_log_on(const struct quire_log *log, enum quire_log_level level) {
    return level >= log->level;
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

static bool put_value(struct line *line, const struct quire_log_field *field) {
    char number[32];
    int size = 0;
    switch (field->type) {
    case QUIRE_LOG_TEXT:
        return put_text(line, field->text);
    case QUIRE_LOG_INTEGER:
        size = snprintf(number, sizeof(number), "%lld", (long long)field->integer);
        break;
    case QUIRE_LOG_NUMBER: /* JSON has no infinity */
        size = isfinite(field->number) ? snprintf(number, sizeof(number), "%.12g", field->number)
                                       : snprintf(number, sizeof(number), "null");
        break;
    case QUIRE_LOG_BOOLEAN:
        size = snprintf(number, sizeof(number), "%s", field->integer != 0 ? "true" : "false");
        break;
    }
    return put(line, number, (size_t)size);
}

/* The whole field or, when it doesn't fit, nothing and the line is marked. */
static void put_field(struct line *line, const struct quire_log_field *field) {
    size_t before = line->size;
    if ((before > 1 && !put(line, ",", 1)) || !put_text(line, quire_slice_of(field->name)) || !put(line, ":", 1) ||
        !put_value(line, field)) {
        line->size = before;
        line->cut = true;
    }
}

/* A log that can't be written (a closed pipe, a full one that doesn't block) is nothing that a request may wait or fail
 * for: the line is lost. */
static void write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        bytes += written;
        size -= (size_t)written;
    }
}

void quire_log_write_at(struct quire_log *log, enum quire_log_level level, uint64_t unix_us, const char *event,
                        const struct quire_log_field *fields, size_t fields_count) {
    char time[QUIRE_TIME_US_CHARACTERS + 1];
    struct line line;
    if (!quire_log_on(log, level))
        return;
    line.size = 0; /* the bytes need no zeroes */
    line.cut = false;
    quire_time_us_text((int64_t)unix_us, time);
    line.bytes[line.size++] = '{';
    put_field(&line, &QUIRE_CTEXT("time", time));
    put_field(&line, &QUIRE_CTEXT("level", level_names[level]));
    put_field(&line, &QUIRE_CTEXT("event", event));
    put_field(&line, &QUIRE_CTEXT("service", log->service));
    put_field(&line, &QUIRE_CTEXT("instance", log->instance));
    for (size_t i = 0; i < fields_count; i++)
        put_field(&line, &fields[i]);
    const char *end = line.cut ? cut_line_end : line_end;
    memcpy(line.bytes + line.size, end, strlen(end));
    line.size += strlen(end);
    write_all(log->fd, line.bytes, line.size);
}

void quire_log_write(struct quire_log *log, enum quire_log_level level, const char *event,
                     const struct quire_log_field *fields, size_t fields_count) {
    if (quire_log_on(log, level))
        quire_log_write_at(log, level, quire_wall_us(), event, fields, fields_count);
}
