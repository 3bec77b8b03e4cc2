#include "documents/postings.h"

#include "unit/suite.h"

#include <stdio.h>
#include <stdlib.h>

static struct quire_arena arena;

static int set_up(void) {
    quire_arena_init(&arena, (size_t)1 << 28);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&arena);
    return 0;
}

struct fixture {
    struct chunk *chunks;
    size_t chunks_count;
    struct postings *postings;
    struct quire_slice *lexemes;
    size_t words_count;
    struct postings_row *rows;
    size_t rows_count;
};

static struct fixture gather(const char *title, const char *content) {
    struct fixture fixture = {0};
    const struct quire_slice text = quire_slice_of(content);
    quire_arena_reset(&arena);
    CU_ASSERT_FATAL(chunker_cut(&arena, text, &fixture.chunks, &fixture.chunks_count));
    CU_ASSERT_FATAL(
        postings_gather(&arena, quire_slice_of(title), text, fixture.chunks, fixture.chunks_count, &fixture.postings));
    const struct quire_slice *words = postings_words(fixture.postings, &fixture.words_count);
    fixture.lexemes = quire_arena_alloc(&arena, (fixture.words_count + 1) * sizeof(*fixture.lexemes));
    CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.lexemes);
    for (size_t i = 0; i < fixture.words_count; i++)
        fixture.lexemes[i] = words[i];
    return fixture;
}

static void merge(struct fixture *fixture) {
    CU_ASSERT_FATAL(postings_merge(&arena, fixture->postings, fixture->lexemes, &fixture->rows, &fixture->rows_count));
}

static const struct postings_row *row_of(const struct fixture *fixture, const char *lexeme) {
    for (size_t i = 0; i < fixture->rows_count; i++)
        if (quire_slice_equal(fixture->rows[i].lexeme, quire_slice_of(lexeme)))
            return &fixture->rows[i];
    return NULL;
}

static void expect_entry(const struct fixture *fixture, const char *lexeme, uint32_t tf, size_t characters) {
    const struct postings_row *row = row_of(fixture, lexeme);
    char entry[32];
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    snprintf(entry, sizeof(entry), "{%u}", postings_impact(tf, characters));
    CU_ASSERT_TRUE(quire_slice_equal(row->entries, quire_slice_of(entry)));
}

static void words_are_counted_with_title_once(void) {
    struct fixture f = gather("Apple apple", "apple pear pear");
    merge(&f);
    CU_ASSERT_EQUAL(f.rows_count, 2);
    expect_entry(&f, "apple", 2, 15); /* once for the title, once for the text */
    expect_entry(&f, "pear", 2, 15);
}

/* Else a stemmed word counts as rarer than it is, and twice. */
static void words_of_one_lexeme_are_one_entry(void) {
    struct fixture f = gather("x", "run running runs stop");
    for (size_t i = 0; i < f.words_count; i++)
        if (f.lexemes[i].bytes[0] == 'r')
            f.lexemes[i] = quire_slice_of("run");
        else if (f.lexemes[i].bytes[0] == 's')
            f.lexemes[i].size = 0;
    merge(&f);
    CU_ASSERT_EQUAL(f.rows_count, 2);
    expect_entry(&f, "run", 3, 21);
    CU_ASSERT_PTR_NULL(row_of(&f, "stop"));
}

/* Else a row doesn't fit into an index entry, and the document can't be stored. */
static void long_lists_are_split_into_rows(void) {
    const size_t sentences = 24 * 600;
    char *content = malloc(sentences * 43 + 1), *at = content;
    if (content == NULL)
        abort();
    for (size_t i = 0; i < sentences; i++)
        at += sprintf(at, "the common word and %06zu by itself here. ", i);
    struct fixture f = gather("t", content);
    merge(&f);
    size_t rows = 0, entries = 0;
    long last = -1;
    for (size_t i = 0; i < f.rows_count; i++) {
        if (!quire_slice_equal(f.rows[i].lexeme, quire_slice_of("common")))
            continue;
        size_t own = 0;
        for (const char *digits = (const char *)f.rows[i].entries.bytes; *digits != '}'; own++) {
            char *end;
            const long entry = strtol(digits + 1, &end, 10);
            CU_ASSERT(entry >> 8 > last || last == -1);
            last = entry >> 8;
            digits = end;
        }
        CU_ASSERT(own <= POSTINGS_ROW_MAX);
        entries += own;
        rows++;
    }
    CU_ASSERT_EQUAL(entries, f.chunks_count);
    CU_ASSERT_EQUAL(rows, (f.chunks_count + POSTINGS_ROW_MAX - 1) / POSTINGS_ROW_MAX);
    free(content);
}

/* Else a text of random identifiers, which nobody would search by, could never be stored. */
static void vocabulary_is_bounded(void) {
    const size_t words = POSTINGS_WORDS_MAX + 1000;
    char *content = malloc(words * 9 + 64), *at = content;
    if (content == NULL)
        abort();
    for (size_t i = 0; i < words; i++)
        at += sprintf(at, "w%07zu ", i);
    (void)sprintf(at, "w0000000 w%07zu", words - 1);
    struct fixture f = gather("t", content);
    CU_ASSERT_EQUAL(f.words_count, POSTINGS_WORDS_MAX);
    merge(&f);
    const struct postings_row *row = row_of(&f, "w0000000");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_PTR_NOT_NULL(memchr(row->entries.bytes, ',', row->entries.size)); /* known words are counted to the end */
    free(content);
}

static void impact_grows_with_tf_and_shrinks_with_length(void) {
    CU_ASSERT(postings_impact(1, 1000) >= 1 && postings_impact(1000000, 1) <= 255);
    CU_ASSERT(postings_impact(2, 1000) > postings_impact(1, 1000));
    CU_ASSERT(postings_impact(1, 100) > postings_impact(1, 1000));
}

QUIRE_TEST_MAIN("postings", set_up, tear_down, {"words_are_counted_with_title_once", words_are_counted_with_title_once},
                {"words_of_one_lexeme_are_one_entry", words_of_one_lexeme_are_one_entry},
                {"long_lists_are_split_into_rows", long_lists_are_split_into_rows},
                {"vocabulary_is_bounded", vocabulary_is_bounded},
                {"impact_grows_with_tf_and_shrinks_with_length", impact_grows_with_tf_and_shrinks_with_length})
