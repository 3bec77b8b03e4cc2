/* Lines of a log that leave together: each is formatted when it is told of, and all of a turn or a batch go out in as
 * few writes as they fit into. For what there is a line of a request; what is rare or urgent is written at once
 * (log.h).
 *
 * A buffer is one thread's own, which flushes it before it waits for anything. Lines keep the order of that thread,
 * among themselves; each write is of whole lines and never mixes with those of others, of any thread or process. */
#ifndef QUIRE_BASE_LOG_BUFFER_H
#define QUIRE_BASE_LOG_BUFFER_H

#include "base/log.h"

struct quire_log_buffer;

/* The log must outlive it. NULL: no memory. */
QUIRE_MUSTCHECK struct quire_log_buffer *quire_log_buffer_create(struct quire_log *log);
/* Flushes. Takes NULL. */
void quire_log_buffer_destroy(struct quire_log_buffer *buffer);
/* As quire_log_write_at. When there is no room for the line, those before it are written first. */
void quire_log_buffer_write_at(struct quire_log_buffer *buffer, enum quire_log_level level, uint64_t unix_us,
                               const char *event, const struct quire_log_field *fields, size_t fields_count);
/* Writes what is held; nothing, when nothing is. */
void quire_log_buffer_flush(struct quire_log_buffer *buffer);

#endif
