/* JSON lines on standard output: time, level, event, service, instance, and the fields of the event.
 *
 * Any thread: a line is formatted on the caller's stack, at most QUIRE_LOG_LINE_BYTES long (longer texts are cut and
 * marked), and goes out at once, in one write; those of which there is one a request go through log_buffer.h. Texts are
 * escaped, so no caller's bytes can end a line or colour a terminal. Never a secret or a body. */
#ifndef QUIRE_BASE_LOG_H
#define QUIRE_BASE_LOG_H

#include "base/slice.h"

#define QUIRE_LOG_LINE_BYTES 4096u

enum quire_log_level { QUIRE_DEBUG, QUIRE_INFO, QUIRE_WARN, QUIRE_ERROR };

struct quire_log;

struct quire_log_field {
    const char *name; /* a literal: it stands in the line as it is */
    enum { QUIRE_LOG_TEXT, QUIRE_LOG_INTEGER, QUIRE_LOG_NUMBER, QUIRE_LOG_BOOLEAN } type;
    struct quire_slice text;
    int64_t integer;
    double number;
};

#define QUIRE_TEXT(n, slice_) ((struct quire_log_field){.name = (n), .type = QUIRE_LOG_TEXT, .text = (slice_)})
#define QUIRE_CTEXT(n, text_) QUIRE_TEXT(n, quire_slice_of(text_))
#define QUIRE_INTEGER(n, value)                                                                                        \
    ((struct quire_log_field){.name = (n), .type = QUIRE_LOG_INTEGER, .integer = (int64_t)(value)})
#define QUIRE_NUMBER(n, value) ((struct quire_log_field){.name = (n), .type = QUIRE_LOG_NUMBER, .number = (value)})
#define QUIRE_FLAG(n, value) ((struct quire_log_field){.name = (n), .type = QUIRE_LOG_BOOLEAN, .integer = (value)})

/* "debug", "info", "warn" or "error" to a level. False for any other text. */
QUIRE_MUSTCHECK bool quire_log_level_parse(const char *text, enum quire_log_level *ret_level);

/* `service` and `instance` are copied: they stand in every line. Writes to file descriptor `fd`. NULL: no memory. */
QUIRE_MUSTCHECK struct quire_log *quire_log_create(const char *service, const char *instance,
                                                   enum quire_log_level level, int fd);
void quire_log_destroy(struct quire_log *log);
bool quire_log_on(const struct quire_log *log, enum quire_log_level level);
/* `event` is a literal, as the names of its fields are. */
void quire_log_write(struct quire_log *log, enum quire_log_level level, const char *event,
                     const struct quire_log_field *fields, size_t fields_count);
/* The same for an event whose time the caller knows already: wall clock, microseconds since 1970. */
void quire_log_write_at(struct quire_log *log, enum quire_log_level level, uint64_t unix_us, const char *event,
                        const struct quire_log_field *fields, size_t fields_count);

#define QUIRE_LOG(log, level, event, ...)                                                                              \
    do {                                                                                                               \
        if (quire_log_on(log, level)) {                                                                                \
            const struct quire_log_field quire_log_fields_[] = {__VA_ARGS__};                                          \
            quire_log_write(log, level, event, quire_log_fields_,                                                      \
                            sizeof(quire_log_fields_) / sizeof(quire_log_fields_[0]));                                 \
        }                                                                                                              \
    } while (0)

#endif
