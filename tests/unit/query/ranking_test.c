#include "query/ranking.h"

#include "base/wire.h"
#include "unit/suite.h"

#include <math.h>
#include <stdlib.h>

#define LISTS 7
#define DOCUMENTS 40
#define CHUNKS 9

static struct quire_arena arena;

static int set_up(void) {
    quire_arena_init(&arena, (size_t)1 << 26);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&arena);
    return 0;
}

/* A list as documents.postings() gives it, piece by piece; a number is a document's id, higher is newer. */
struct wire {
    uint8_t documents[64 * 1024], arrays[256 * 1024];
    size_t documents_size, arrays_size;
};

static void add_document(struct wire *wire, uint8_t number, const uint32_t *postings, size_t count) {
    memset(wire->documents + wire->documents_size, 0, RANKING_ID_BYTES);
    wire->documents[wire->documents_size + 3] = number;
    wire->documents_size += RANKING_ID_BYTES;
    uint8_t *at = wire->arrays + wire->arrays_size;
    const uint32_t header[] = {count == 0 ? 0 : 1, 0, 23, (uint32_t)count, 1};
    for (size_t i = 0; i < (count == 0 ? 3u : 5u); i++, at += 4)
        quire_put_u32(at, header[i]);
    for (size_t i = 0; i < count; i++, at += 8) {
        quire_put_u32(at, 4);
        quire_put_u32(at + 4, postings[i]);
    }
    wire->arrays_size = (size_t)(at - wire->arrays);
}

static bool pack(const struct wire *wire, size_t postings_max, struct ranking_list *ret_list) {
    bool fits;
    return ranking_pack(&arena, (struct quire_slice){wire->documents, wire->documents_size},
                        (struct quire_slice){wire->arrays, wire->arrays_size}, postings_max, ret_list, &fits) &&
           fits;
}

static uint32_t posting(uint32_t chunk, uint32_t impact) {
    return chunk << 8 | impact;
}

static struct ranked *best_of(const struct ranking_list *lists, size_t count, uint64_t passages, size_t top,
                              size_t per_document_max, size_t *ret_count) {
    struct ranked *ranked = NULL;
    *ret_count = SIZE_MAX;
    CU_ASSERT_TRUE_FATAL(ranking_best(&arena, lists, count, &(struct ranking_options){passages, top, per_document_max},
                                      &ranked, ret_count));
    return ranked;
}

static bool is(const struct ranked *ranked, uint8_t document, uint32_t chunk) {
    return ranked->document[3] == document && ranked->chunk == chunk;
}

static uint32_t draw(uint32_t *seed, uint32_t below) {
    *seed = *seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*seed * below >> 32);
}

/* The sum as its definition has it, over a plain table of all impacts. */
struct table {
    uint8_t impacts[LISTS][DOCUMENTS][CHUNKS];
    size_t lengths[LISTS];
};

static double score_of(const struct table *table, size_t lists, size_t document, size_t chunk, uint64_t passages) {
    double score = 0;
    for (size_t list = 0; list < lists; list++) {
        const double df = (double)table->lengths[list];
        score +=
            log(1 + fmax((double)passages - df + 0.5, 0.5) / (df + 0.5)) / 255 * table->impacts[list][document][chunk];
    }
    return rint(score * 1e6) / 1e6;
}

static void draw_lists(struct table *table, uint32_t *seed, size_t lists, struct ranking_list *ret_lists) {
    static struct wire wire;
    *table = (struct table){0};
    for (size_t list = 0; list < lists; list++) {
        const uint32_t rarity = 1 + draw(seed, 20);
        wire.documents_size = wire.arrays_size = 0;
        for (size_t document = DOCUMENTS; document-- > 0;) {
            uint32_t postings[CHUNKS];
            size_t count = 0;
            for (uint32_t chunk = 0; chunk < CHUNKS; chunk++) {
                if (draw(seed, rarity) != 0)
                    continue;
                table->impacts[list][document][chunk] = (uint8_t)(1 + draw(seed, 4) * 60);
                postings[count++] = posting(chunk, table->impacts[list][document][chunk]);
            }
            if (count > 0)
                add_document(&wire, (uint8_t)document, postings, count);
            table->lengths[list] += count;
        }
        CU_ASSERT_TRUE_FATAL(pack(&wire, 1000, &ret_lists[list]));
        CU_ASSERT_EQUAL(ranking_postings(&ret_lists[list]), table->lengths[list]);
    }
}

/* As documents.search() orders them. */
static int by_order(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->document[3] != b->document[3])
        return a->document[3] < b->document[3] ? -1 : 1;
    return a->chunk < b->chunk ? -1 : 1;
}

/* All passages that have a score, in order. */
static size_t sort_all(const struct table *table, size_t lists, uint64_t passages,
                       struct ranked ret_all[DOCUMENTS * CHUNKS]) {
    size_t count = 0;
    for (size_t document = 0; document < DOCUMENTS; document++) {
        for (uint32_t chunk = 0; chunk < CHUNKS; chunk++) {
            const double score = score_of(table, lists, document, chunk, passages);
            if (score > 0)
                ret_all[count++] =
                    (struct ranked){.document = {[3] = (uint8_t)document}, .chunk = chunk, .score = score};
        }
    }
    qsort(ret_all, count, sizeof(ret_all[0]), by_order);
    return count;
}

static void the_best_are_those_of_the_plain_sum(void) {
    static struct table table;
    static struct ranked all[DOCUMENTS * CHUNKS];
    struct ranking_list lists[LISTS];
    uint32_t seed = 11;
    for (size_t round = 0; round < 60; round++) {
        quire_arena_reset(&arena);
        const size_t count = 1 + draw(&seed, LISTS), top = 1 + draw(&seed, 30);
        const uint64_t passages = DOCUMENTS * CHUNKS - 50 + draw(&seed, 100); /* counts may lag behind lists */
        size_t ranked_count;
        draw_lists(&table, &seed, count, lists);
        const struct ranked *ranked = best_of(lists, count, passages, top, SIZE_MAX, &ranked_count);
        const size_t all_count = sort_all(&table, count, passages, all);
        CU_ASSERT_EQUAL_FATAL(ranked_count, all_count < top ? all_count : top);
        for (size_t i = 0; i < ranked_count; i++) {
            CU_ASSERT_TRUE(is(&ranked[i], all[i].document[3], all[i].chunk));
            CU_ASSERT_EQUAL(ranked[i].score, all[i].score);
        }
    }
}

static void equal_scores_come_by_document_and_chunk(void) {
    struct wire wire = {.documents_size = 0};
    struct ranking_list list;
    size_t count;
    add_document(&wire, 9, (const uint32_t[]){posting(4, 7), posting(2, 7)}, 2);
    add_document(&wire, 3, (const uint32_t[]){posting(1, 7), posting(0, 200)}, 2);
    CU_ASSERT_TRUE_FATAL(pack(&wire, 100, &list));
    const struct ranked *ranked = best_of(&list, 1, 50, 10, SIZE_MAX, &count);
    CU_ASSERT_EQUAL_FATAL(count, 4);
    CU_ASSERT_TRUE(is(&ranked[0], 3, 0) && is(&ranked[1], 3, 1) && is(&ranked[2], 9, 2) && is(&ranked[3], 9, 4));
    ranked = best_of(&list, 1, 50, 3, SIZE_MAX, &count);
    CU_ASSERT_EQUAL_FATAL(count, 3);
    CU_ASSERT_TRUE(is(&ranked[2], 9, 2));
}

static void of_a_document_no_more_than_asked_for_come_and_the_best(void) {
    struct wire wire = {.documents_size = 0};
    struct ranking_list list;
    size_t count;
    add_document(&wire, 9, (const uint32_t[]){posting(0, 10), posting(1, 90), posting(2, 80)}, 3);
    add_document(&wire, 3, (const uint32_t[]){posting(5, 20)}, 1);
    CU_ASSERT_TRUE_FATAL(pack(&wire, 100, &list));
    const struct ranked *ranked = best_of(&list, 1, 50, 10, 2, &count);
    CU_ASSERT_EQUAL_FATAL(count, 3);
    CU_ASSERT_TRUE(is(&ranked[0], 9, 1) && is(&ranked[1], 9, 2) && is(&ranked[2], 3, 5));
    ranked = best_of(&list, 1, 50, 10, 1, &count);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT_TRUE(is(&ranked[0], 9, 1) && is(&ranked[1], 3, 5));
}

/* Those of the newest documents; rarity is counted among them, as the database does it. */
static void postings_beyond_the_bound_count_for_nothing(void) {
    struct wire wire = {.documents_size = 0};
    struct ranking_list list;
    size_t count;
    add_document(&wire, 9, (const uint32_t[]){posting(0, 10), posting(1, 10)}, 2);
    add_document(&wire, 3, (const uint32_t[]){posting(0, 255), posting(1, 255)}, 2);
    add_document(&wire, 1, (const uint32_t[]){posting(0, 255)}, 1);
    CU_ASSERT_TRUE_FATAL(pack(&wire, 3, &list));
    CU_ASSERT_EQUAL(ranking_postings(&list), 3);
    const struct ranked *ranked = best_of(&list, 1, 50, 10, SIZE_MAX, &count);
    CU_ASSERT_EQUAL_FATAL(count, 3);
    CU_ASSERT_TRUE(is(&ranked[0], 3, 0));
    CU_ASSERT_EQUAL(ranked[0].score, rint(log(1 + 47.5 / 3.5) / 255 * 255 * 1e6) / 1e6);
    CU_ASSERT_TRUE_FATAL(pack(&wire, 2, &list));
    CU_ASSERT_EQUAL(ranking_postings(&list), 2);
}

/* A document's list of a lexeme is cut in rows of 256 postings (documents/postings.h). */
static void rows_of_one_document_are_one(void) {
    struct wire wire = {.documents_size = 0};
    struct ranking_list list;
    size_t count;
    add_document(&wire, 9, (const uint32_t[]){posting(300, 50)}, 1);
    add_document(&wire, 9, (const uint32_t[]){posting(0, 60), posting(1, 70)}, 2);
    CU_ASSERT_TRUE_FATAL(pack(&wire, 100, &list));
    const struct ranked *ranked = best_of(&list, 1, 500, 10, 2, &count);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT_TRUE(is(&ranked[0], 9, 1) && is(&ranked[1], 9, 0));
}

static void nothing_is_found_in_nothing(void) {
    struct wire wire = {.documents_size = 0};
    struct ranking_list lists[2];
    size_t count;
    CU_ASSERT_TRUE_FATAL(pack(&wire, 100, &lists[0]));
    add_document(&wire, 9, NULL, 0); /* a tag's row has no chunks */
    CU_ASSERT_TRUE_FATAL(pack(&wire, 100, &lists[1]));
    CU_ASSERT_EQUAL(ranking_postings(&lists[1]), 0);
    (void)best_of(lists, 2, 50, 10, SIZE_MAX, &count);
    CU_ASSERT_EQUAL(count, 0);
    (void)best_of(lists, 0, 0, 10, SIZE_MAX, &count);
    CU_ASSERT_EQUAL(count, 0);
}

/* Else bytes of another length than they say of themselves are read beyond their end. */
static void what_does_not_fit_together_is_no_list(void) {
    struct wire good = {.documents_size = 0}, bad;
    struct ranking_list list;
    add_document(&good, 9, (const uint32_t[]){posting(1, 1), posting(2, 2)}, 2);
    add_document(&good, 3, (const uint32_t[]){posting(1, 1)}, 1);
    CU_ASSERT_TRUE(pack(&good, 100, &list));
    for (size_t size = 0; size < good.arrays_size; size++) {
        bad = good;
        bad.arrays_size = size;
        CU_ASSERT_FALSE(pack(&bad, 100, &list));
    }
    bad = good;
    bad.documents_size--;
    CU_ASSERT_FALSE(pack(&bad, 100, &list));
    for (size_t at = 0; at < 24; at += 4) { /* dimensions, nulls, type, count, (bound), size of an item */
        bad = good;
        bad.arrays[at] = 0x7f;
        CU_ASSERT_EQUAL(pack(&bad, 100, &list), at == 16);
    }
    bad = good;
    bad.documents[3] = 1; /* older than the next */
    CU_ASSERT_FALSE(pack(&bad, 100, &list));
}

static void no_memory_is_told_from_what_does_not_fit(void) {
    struct wire wire = {.documents_size = 0};
    struct quire_arena small;
    struct ranking_list list;
    bool fits = false;
    add_document(&wire, 9, (const uint32_t[]){posting(1, 1), posting(2, 2)}, 2);
    quire_arena_init(&small, 64);
    CU_ASSERT_FALSE(ranking_pack(&small, (struct quire_slice){wire.documents, wire.documents_size},
                                 (struct quire_slice){wire.arrays, wire.arrays_size}, 100, &list, &fits));
    CU_ASSERT_TRUE(fits);
    quire_arena_deinit(&small);
}

QUIRE_TEST_MAIN("ranking", set_up, tear_down,
                {"the_best_are_those_of_the_plain_sum", the_best_are_those_of_the_plain_sum},
                {"equal_scores_come_by_document_and_chunk", equal_scores_come_by_document_and_chunk},
                {"of_a_document_no_more_than_asked_for_come_and_the_best",
                 of_a_document_no_more_than_asked_for_come_and_the_best},
                {"postings_beyond_the_bound_count_for_nothing", postings_beyond_the_bound_count_for_nothing},
                {"rows_of_one_document_are_one", rows_of_one_document_are_one},
                {"nothing_is_found_in_nothing", nothing_is_found_in_nothing},
                {"what_does_not_fit_together_is_no_list", what_does_not_fit_together_is_no_list},
                {"no_memory_is_told_from_what_does_not_fit", no_memory_is_told_from_what_does_not_fit})
