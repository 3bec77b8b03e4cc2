/* Memory of one request (gateway) or one batch (consumer): taken piece by piece, given back all at once.
 *
 * One thread at a time. Memory is valid until quire_arena_reset or _deinit; on reset the first block is kept and, under
 * ASan, poisoned, so that a stale pointer is caught. Allocation fails (NULL) when bytes_max would be passed or the
 * system has none. */
#ifndef QUIRE_BASE_ARENA_H
#define QUIRE_BASE_ARENA_H

#include "base/slice.h"

#include <protobuf-c/protobuf-c.h>

struct quire_arena_block;

struct quire_arena {
    struct quire_arena_block *blocks; /* newest first */
    size_t used_bytes;                /* sum over blocks, without headers */
    size_t bytes_max;
    ProtobufCAllocator protobuf; /* allocates here, frees nothing */
};

/* Embeds an arena that may grow to bytes_max. Nothing is allocated before the first use. The arena must not be moved.
 */
void quire_arena_init(struct quire_arena *arena, size_t bytes_max);
void quire_arena_deinit(struct quire_arena *arena);
void quire_arena_reset(struct quire_arena *arena);

/* 16-byte aligned, not zeroed. */
QUIRE_MUSTCHECK void *quire_arena_alloc(struct quire_arena *arena, size_t bytes);
/* Zeroed. */
QUIRE_MUSTCHECK void *quire_arena_zalloc(struct quire_arena *arena, size_t bytes);
/* NUL-terminated copy. */
QUIRE_MUSTCHECK char *quire_arena_text(struct quire_arena *arena, struct quire_slice slice);
QUIRE_MUSTCHECK char *quire_arena_printf(struct quire_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
