#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(address, bytes) ASAN_POISON_MEMORY_REGION(address, bytes)
#ifndef __clang__ /* GCC takes the const pointer for a promise to read, and warns of fresh memory. */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define UNPOISON(address, bytes) ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#define GAP_BYTES 16u /* poisoned, between two pieces, so that writing past one is caught */
#else
#define POISON(address, bytes) ((void)(address), (void)(bytes))
#define UNPOISON(address, bytes) ((void)(address), (void)(bytes))
#define GAP_BYTES 0u
#endif

#define ALIGNMENT 16u
#define FIRST_BLOCK_BYTES 4096u /* each idle connection keeps one */
#define BLOCK_BYTES_MAX 65536u

/* Bytes 0..used_bytes are given out, the rest is poisoned; used_bytes <= capacity_bytes, both multiples of ALIGNMENT.
 */
struct quire_arena_block {
    struct quire_arena_block *older;
    size_t capacity_bytes, used_bytes;
    alignas(ALIGNMENT) uint8_t bytes[];
};

static_assert(sizeof(struct quire_arena_block) % ALIGNMENT == 0, "pieces are aligned to the block's start");
static_assert(alignof(max_align_t) >= ALIGNMENT, "malloc aligns blocks");

static void *protobuf_alloc(void *arena, size_t bytes) {
    return quire_arena_alloc(arena, bytes);
}

static void protobuf_free(void *arena, void *pointer) {
    (void)arena; /* given back with the arena */
    (void)pointer;
}

void quire_arena_init(struct quire_arena *arena, size_t bytes_max) {
    *arena = (struct quire_arena){
        .bytes_max = bytes_max,
        .protobuf = {.alloc = protobuf_alloc, .free = protobuf_free, .allocator_data = arena},
    };
}

static void free_block(struct quire_arena_block *block) {
    UNPOISON(block->bytes, block->capacity_bytes);
    free(block);
}

void quire_arena_deinit(struct quire_arena *arena) {
    while (arena->blocks != NULL) {
        struct quire_arena_block *block = arena->blocks;
        arena->blocks = block->older;
        free_block(block);
    }
    arena->used_bytes = 0;
}

void quire_arena_reset(struct quire_arena *arena) {
    struct quire_arena_block *kept = NULL;
    while (arena->blocks != NULL) {
        struct quire_arena_block *block = arena->blocks;
        arena->blocks = block->older;
        /* The first block, unless one large piece was the first: an idle connection must not keep megabytes. */
        if (block->older == NULL && block->capacity_bytes <= BLOCK_BYTES_MAX)
            kept = block;
        else
            free_block(block);
    }
    if (kept != NULL) {
        kept->used_bytes = 0;
        POISON(kept->bytes, kept->capacity_bytes);
    }
    arena->blocks = kept;
    arena->used_bytes = 0;
}

static struct quire_arena_block *new_block(size_t capacity_bytes) {
    struct quire_arena_block *block = malloc(sizeof(*block) + capacity_bytes);
    if (block == NULL)
        return NULL;
    block->older = NULL;
    block->capacity_bytes = capacity_bytes;
    block->used_bytes = 0;
    POISON(block->bytes, capacity_bytes);
    return block;
}

/* A block with room for `wanted` bytes: the newest, a new one before it, or, for a piece so large that it would waste
 * the rest of the newest, one of its own behind it. NULL: no memory. */
static struct quire_arena_block *block_for(struct quire_arena *arena, size_t wanted) {
    struct quire_arena_block *newest = arena->blocks;
    if (newest != NULL && newest->capacity_bytes - newest->used_bytes >= wanted)
        return newest;
    size_t usual = FIRST_BLOCK_BYTES - sizeof(struct quire_arena_block);
    if (newest != NULL)
        usual = newest->capacity_bytes >= BLOCK_BYTES_MAX / 2 ? BLOCK_BYTES_MAX : newest->capacity_bytes * 2;
    bool own = wanted > usual / 2;
    struct quire_arena_block *block = new_block(own ? wanted : usual);
    if (block == NULL)
        return NULL;
    if (own && newest != NULL) {
        /* Behind the newest, unless that is the first, which stays last in the list so that reset finds it. */
        struct quire_arena_block **link = newest->older == NULL ? &arena->blocks : &newest->older;
        block->older = *link;
        *link = block;
    } else {
        block->older = newest;
        arena->blocks = block;
    }
    return block;
}

void *quire_arena_alloc(struct quire_arena *arena, size_t bytes) {
    if (bytes > arena->bytes_max || bytes > SIZE_MAX / 2)
        return NULL;
    size_t rounded = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded > arena->bytes_max - arena->used_bytes)
        return NULL;
    struct quire_arena_block *block = block_for(arena, rounded + GAP_BYTES);
    if (block == NULL)
        return NULL;
    uint8_t *piece = block->bytes + block->used_bytes;
    block->used_bytes += rounded + GAP_BYTES;
    arena->used_bytes += rounded;
    UNPOISON(piece, bytes);
    return piece;
}

void *quire_arena_zalloc(struct quire_arena *arena, size_t bytes) {
    void *piece = quire_arena_alloc(arena, bytes);
    if (piece != NULL)
        memset(piece, 0, bytes);
    return piece;
}

char *quire_arena_text(struct quire_arena *arena, struct quire_slice slice) {
    if (slice.size == SIZE_MAX)
        return NULL;
    char *text = quire_arena_alloc(arena, slice.size + 1);
    if (text == NULL)
        return NULL;
    if (slice.size > 0)
        memcpy(text, slice.bytes, slice.size);
    text[slice.size] = '\0';
    return text;
}

char *quire_arena_printf(struct quire_arena *arena, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = size < 0 ? NULL : quire_arena_alloc(arena, (size_t)size + 1);
    if (text != NULL)
        (void)vsnprintf(text, (size_t)size + 1, format, again); /* the same arguments: the same size */
    va_end(again);
    return text;
}
