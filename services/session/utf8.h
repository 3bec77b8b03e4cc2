/* Text of a client's that wasn't checked on its way, made fit for a column of PostgreSQL's. Any thread. */
#ifndef QUIRE_SESSION_UTF8_H
#define QUIRE_SESSION_UTF8_H

#include "base/arena.h"

/* `text` with each byte that belongs to no UTF-8 character replaced by '?', cut after a whole character to at most
 * bytes_max. NULL for NULL, and without memory. */
char *utf8_clean(struct quire_arena *arena, const char *text, size_t bytes_max);

#endif
