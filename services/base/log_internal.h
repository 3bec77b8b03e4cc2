/* What log.c (a line, written at once) and log_buffer.c (lines in batches) share; for them only. */
#ifndef QUIRE_BASE_LOG_INTERNAL_H
#define QUIRE_BASE_LOG_INTERNAL_H

#include "base/log.h"

/* The line, ended; its size, at least 2. Whether the level is on is the caller's question. */
size_t quire_log_format(const struct quire_log *log, enum quire_log_level level, uint64_t unix_us, const char *event,
                        const struct quire_log_field *fields, size_t fields_count, char ret_line[QUIRE_LOG_LINE_BYTES]);
/* Whole lines, at most PIPE_BUF bytes of them. A log that can't be written (a closed pipe, a full one that doesn't
 * block) is nothing that a request may wait or fail for: the lines are lost. */
void quire_log_send(const struct quire_log *log, const char *lines, size_t size);

#endif
