#include "base/log_buffer.h"

#include "base/log_internal.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

/* What Linux writes to a pipe in one piece, or not at all where the pipe is full and doesn't block (pipe(7)): so lines
 * of threads, and of processes that share the pipe, don't mix, and none is torn. More in a write would need a lock
 * around all writes of the log, and a thread that waits for a slow reader would hold it; it would save little, as ten
 * lines share the price of a write already. */
#define WRITE_BYTES_MAX ((size_t)PIPE_BUF)
static_assert(QUIRE_LOG_LINE_BYTES <= PIPE_BUF, "one line must fit into one write");

/* bytes: `size` of whole lines, at most WRITE_BYTES_MAX; behind them room to format a line that may not fit any more.
 */
struct quire_log_buffer {
    struct quire_log *log;
    size_t size;
    char bytes[WRITE_BYTES_MAX + QUIRE_LOG_LINE_BYTES];
};

struct quire_log_buffer *quire_log_buffer_create(struct quire_log *log) {
    struct quire_log_buffer *buffer = malloc(sizeof(*buffer));
    if (buffer == NULL)
        return NULL;
    buffer->log = log;
    buffer->size = 0; /* the bytes need no zeroes */
    return buffer;
}

void quire_log_buffer_destroy(struct quire_log_buffer *buffer) {
    if (buffer == NULL)
        return;
    quire_log_buffer_flush(buffer);
    free(buffer);
}

void quire_log_buffer_write_at(struct quire_log_buffer *buffer, enum quire_log_level level, uint64_t unix_us,
                               const char *event, const struct quire_log_field *fields, size_t fields_count) {
    if (!quire_log_on(buffer->log, level))
        return;
    char *line = buffer->bytes + buffer->size;
    const size_t line_bytes = quire_log_format(buffer->log, level, unix_us, event, fields, fields_count, line);
    if (buffer->size + line_bytes > WRITE_BYTES_MAX) {
        quire_log_buffer_flush(buffer);
        memmove(buffer->bytes, line, line_bytes);
    }
    buffer->size += line_bytes;
}

void quire_log_buffer_flush(struct quire_log_buffer *buffer) {
    quire_log_send(buffer->log, buffer->bytes, buffer->size);
    buffer->size = 0;
}
