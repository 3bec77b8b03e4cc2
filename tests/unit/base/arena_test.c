#include "base/arena.h"

#include "unit/suite.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

/* protobuf-c and yyjson store pointers and doubles in what they get. */
static void pieces_are_aligned_and_do_not_overlap(void) {
    struct quire_arena arena;
    uint8_t *pieces[400];
    unsigned wrong = 0;
    quire_arena_init(&arena, 10u << 20);
    for (unsigned i = 0; i < 400; i++) {
        pieces[i] = quire_arena_alloc(&arena, i * 7);
        CU_ASSERT_PTR_NOT_NULL_FATAL(pieces[i]);
        wrong += (uintptr_t)pieces[i] % 16 != 0;
        memset(pieces[i], (int)(i % 251), i * 7);
    }
    for (unsigned i = 0; i < 400; i++) {
        for (unsigned k = 0; k < i * 7; k++)
            wrong += pieces[i][k] != i % 251;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    quire_arena_deinit(&arena);
}

/* The bound is what keeps one caller from taking all memory. */
static void bound_is_reached_exactly_and_again_after_reset(void) {
    struct quire_arena arena;
    quire_arena_init(&arena, 1024);
    for (unsigned round = 0; round < 2; round++) {
        CU_ASSERT_PTR_NOT_NULL(quire_arena_alloc(&arena, 1000)); /* 1008 by alignment */
        CU_ASSERT_PTR_NULL(quire_arena_alloc(&arena, 17));
        CU_ASSERT_PTR_NOT_NULL(quire_arena_alloc(&arena, 16));
        CU_ASSERT_PTR_NULL(quire_arena_alloc(&arena, 0)); /* also an empty piece has an address of its own */
        CU_ASSERT_EQUAL(arena.used_bytes, 1024);
        quire_arena_reset(&arena);
        CU_ASSERT_EQUAL(arena.used_bytes, 0);
    }
    CU_ASSERT_PTR_NULL(quire_arena_alloc(&arena, SIZE_MAX));
    CU_ASSERT_PTR_NULL(quire_arena_alloc(&arena, SIZE_MAX - 8));
    CU_ASSERT_PTR_NULL(quire_arena_text(&arena, (struct quire_slice){(const uint8_t *)"x", SIZE_MAX}));
    quire_arena_deinit(&arena);
}

/* Else each request of a kept-alive connection pays for malloc. */
static void reset_keeps_the_first_block(void) {
    struct quire_arena arena;
    quire_arena_init(&arena, 10u << 20);
    void *first = quire_arena_alloc(&arena, 100);
    for (unsigned i = 0; i < 1000; i++)
        CU_ASSERT_PTR_NOT_NULL(quire_arena_alloc(&arena, 1000));
    CU_ASSERT_PTR_NOT_NULL(quire_arena_alloc(&arena, 1u << 20));
    quire_arena_reset(&arena);
    CU_ASSERT_PTR_NOT_NULL(arena.blocks);
    CU_ASSERT_PTR_EQUAL(quire_arena_alloc(&arena, 100), first);
    quire_arena_deinit(&arena);
}

/* The first block stays also where large pieces came between. */
static void large_piece_does_not_displace_the_first_block(void) {
    struct quire_arena arena;
    quire_arena_init(&arena, 10u << 20);
    void *first = quire_arena_alloc(&arena, 100);
    CU_ASSERT_PTR_NOT_NULL(quire_arena_alloc(&arena, 1u << 20));
    CU_ASSERT_PTR_NOT_NULL(quire_arena_alloc(&arena, 2u << 20));
    quire_arena_reset(&arena);
    CU_ASSERT_PTR_EQUAL(quire_arena_alloc(&arena, 100), first);
    quire_arena_deinit(&arena);
}

/* Ten thousand idle connections must not keep the largest body that each has seen. */
static void reset_gives_a_large_first_piece_back(void) {
    struct quire_arena arena;
    quire_arena_init(&arena, 32u << 20);
    CU_ASSERT_PTR_NOT_NULL(quire_arena_alloc(&arena, 15u << 20));
    quire_arena_reset(&arena);
    CU_ASSERT_PTR_NULL(arena.blocks);
    CU_ASSERT_PTR_NOT_NULL(quire_arena_alloc(&arena, 10));
    quire_arena_deinit(&arena);
    CU_ASSERT_PTR_NULL(arena.blocks);
    CU_ASSERT_PTR_NOT_NULL(quire_arena_alloc(&arena, 10)); /* and is of use again */
    quire_arena_deinit(&arena);
}

static void texts_are_terminated_copies(void) {
    struct quire_arena arena;
    quire_arena_init(&arena, 64);
    char *text = quire_arena_text(&arena, (struct quire_slice){(const uint8_t *)"abcdef", 3});
    CU_ASSERT_STRING_EQUAL(text, "abc");
    CU_ASSERT_STRING_EQUAL(quire_arena_text(&arena, (struct quire_slice){NULL, 0}), "");
    CU_ASSERT_STRING_EQUAL(quire_arena_printf(&arena, "%d-%s", 12, "ab"), "12-ab");
    CU_ASSERT_PTR_NULL(quire_arena_printf(&arena, "%s", "0123456789abcdef")); /* one byte too many */
    CU_ASSERT_STRING_EQUAL(quire_arena_printf(&arena, "%s", "0123456789abcde"), "0123456789abcde");
    quire_arena_deinit(&arena);
}

static void zeroed_memory_is_zero_after_use(void) {
    struct quire_arena arena;
    static const uint8_t zeroes[64];
    quire_arena_init(&arena, 1024);
    void *dirty = quire_arena_alloc(&arena, 64);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dirty);
    memset(dirty, 0xff, 64);
    quire_arena_reset(&arena);
    void *clean = quire_arena_zalloc(&arena, 64);
    CU_ASSERT_PTR_EQUAL(clean, dirty);
    CU_ASSERT_EQUAL(memcmp(clean, zeroes, 64), 0);
    CU_ASSERT_PTR_NULL(quire_arena_zalloc(&arena, 1024));
    quire_arena_deinit(&arena);
}

/* protobuf-c frees what it took when a message is broken half-way. */
static void protobuf_allocator_takes_from_the_arena_and_frees_nothing(void) {
    struct quire_arena arena;
    quire_arena_init(&arena, 1024);
    void *piece = arena.protobuf.alloc(arena.protobuf.allocator_data, 100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(piece);
    arena.protobuf.free(arena.protobuf.allocator_data, piece);
    memset(piece, 1, 100);
    CU_ASSERT_EQUAL(arena.used_bytes, 112);
    quire_arena_deinit(&arena);
}

/* Else a stale pointer reads another caller's document, and no test sees it. */
static void stale_and_foreign_bytes_are_poisoned_under_asan(void) {
#if defined(__SANITIZE_ADDRESS__)
    struct quire_arena arena;
    quire_arena_init(&arena, 1024);
    uint8_t *piece = quire_arena_alloc(&arena, 20);
    CU_ASSERT_FALSE(__asan_address_is_poisoned(piece + 19));
    CU_ASSERT_TRUE(__asan_address_is_poisoned(piece + 20));
    CU_ASSERT_TRUE(__asan_address_is_poisoned(piece + 32));
    quire_arena_reset(&arena);
    CU_ASSERT_TRUE(__asan_address_is_poisoned(piece));
    quire_arena_deinit(&arena);
#endif
}

QUIRE_TEST_MAIN("arena", NULL, NULL, {"pieces_are_aligned_and_do_not_overlap", pieces_are_aligned_and_do_not_overlap},
                {"bound_is_reached_exactly_and_again_after_reset", bound_is_reached_exactly_and_again_after_reset},
                {"reset_keeps_the_first_block", reset_keeps_the_first_block},
                {"large_piece_does_not_displace_the_first_block", large_piece_does_not_displace_the_first_block},
                {"reset_gives_a_large_first_piece_back", reset_gives_a_large_first_piece_back},
                {"texts_are_terminated_copies", texts_are_terminated_copies},
                {"zeroed_memory_is_zero_after_use", zeroed_memory_is_zero_after_use},
                {"protobuf_allocator_takes_from_the_arena_and_frees_nothing",
                 protobuf_allocator_takes_from_the_arena_and_frees_nothing},
                {"stale_and_foreign_bytes_are_poisoned_under_asan", stale_and_foreign_bytes_are_poisoned_under_asan})
