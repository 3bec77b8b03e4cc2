#include "documents/chunker.h"

#include "base/utf8.h"
#include "unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct quire_arena arena;

static int set_up(void) {
    quire_arena_init(&arena, (size_t)1 << 30);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&arena);
    return 0;
}

/* What holds for every text. */
static void check_all(struct quire_slice text, const struct chunk *chunks, size_t count) {
    size_t covered = 0;
    CU_ASSERT_FATAL(count >= 1);
    for (size_t i = 0; i < count; i++) {
        const struct quire_slice body = {text.bytes + chunks[i].start, chunks[i].end - chunks[i].start};
        CU_ASSERT_FATAL(chunks[i].start < chunks[i].end && chunks[i].end <= text.size);
        CU_ASSERT_TRUE(quire_utf8_valid(body)); /* no code point is split */
        CU_ASSERT(quire_utf8_characters(body) <= CHUNK_CHARACTERS_MAX);
        CU_ASSERT(i == 0 || (chunks[i].start > chunks[i - 1].start && chunks[i].end > chunks[i - 1].end));
        for (size_t at = covered; at < chunks[i].start; at++) /* only white space is in no chunk */
            CU_ASSERT(text.bytes[at] == ' ' || (text.bytes[at] >= '\t' && text.bytes[at] <= '\r'));
        covered = chunks[i].end;
        CU_ASSERT(chunks[i].heading.size <= CHUNK_HEADING_BYTES_MAX);
        CU_ASSERT_TRUE(quire_utf8_valid(chunks[i].heading));
    }
}

static size_t cut(struct quire_slice text, struct chunk **ret_chunks) {
    size_t count = 0;
    quire_arena_reset(&arena);
    CU_ASSERT_FATAL(chunker_cut(&arena, text, ret_chunks, &count));
    check_all(text, *ret_chunks, count);
    return count;
}

static char *repeat(const char *piece, size_t times) {
    const size_t size = strlen(piece);
    char *text = malloc(size * times + 1);
    if (text == NULL)
        abort();
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * size, piece, size);
    text[size * times] = '\0';
    return text;
}

static void short_text_is_one_chunk(void) {
    struct chunk *chunks;
    CU_ASSERT_EQUAL(cut(quire_slice_of("  Hello there.\n"), &chunks), 1);
    CU_ASSERT_EQUAL(chunks[0].start, 2);
    CU_ASSERT_EQUAL(chunks[0].end, 14);
    CU_ASSERT_EQUAL(cut(quire_slice_of("x"), &chunks), 1);
    CU_ASSERT_EQUAL(cut(quire_slice_of(" \n "), &chunks), 1); /* so that its title is found */
}

/* Else the first passage would be found twice, once by itself and once in the second. check_all looks. */
static void white_space_at_the_beginning_is_nothing_to_overlap_with(void) {
    char *blank = repeat("\n", 200), *filler = repeat("and on it goes ", 58), *text = NULL;
    struct chunk *chunks;
    if (asprintf(&text, "%sA short one. The long one begins %sto its end.", blank, filler) < 0)
        abort();
    CU_ASSERT_EQUAL(cut(quire_slice_of(text), &chunks), 2);
    CU_ASSERT_EQUAL(chunks[0].start, 200);
    CU_ASSERT_EQUAL(strncmp(text + chunks[1].start, "The long", 8), 0);
    free(text);
    free(filler);
    free(blank);
}

static void chunks_end_with_sentences_and_overlap(void) {
    char *text = repeat("This is a sentence of a little text. ", 100);
    struct chunk *chunks;
    const size_t count = cut(quire_slice_of(text), &chunks);
    CU_ASSERT(count >= 4 && count <= 6);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(text[chunks[i].end - 1], '.');
        CU_ASSERT_EQUAL(text[chunks[i].start], 'T');
        CU_ASSERT(i == 0 || chunks[i].start < chunks[i - 1].end);
    }
    free(text);
}

static void headings_begin_chunks_and_are_their_context(void) {
    char *body = repeat("Some words about it. ", 20);
    char text[4096];
    snprintf(text, sizeof(text),
             "# Operating\n\n%s\n## Backups ##\n\n%s\n```\n# no heading\n```\n# Limits\n%s\n#hash\n", body, body, body);
    struct chunk *chunks;
    CU_ASSERT_EQUAL_FATAL(cut(quire_slice_of(text), &chunks), 3);
    CU_ASSERT_TRUE(quire_slice_equal(chunks[0].heading, quire_slice_of("Operating")));
    CU_ASSERT_TRUE(quire_slice_equal(chunks[1].heading, quire_slice_of("Operating > Backups")));
    CU_ASSERT_TRUE(quire_slice_equal(chunks[2].heading, quire_slice_of("Limits")));
    CU_ASSERT(strncmp(text + chunks[1].start, "## Backups", 10) == 0);
    free(body);
}

static void text_without_bounds_is_cut_between_code_points(void) {
    struct chunk *chunks;
    char *latin = repeat("a", 10000), *wide = repeat("東", 10000), *four = repeat("𝄞", 5000),
         *words = repeat("word ", 2000);
    CU_ASSERT(cut(quire_slice_of(latin), &chunks) >= 7);
    CU_ASSERT(cut(quire_slice_of(wide), &chunks) >= 7);
    CU_ASSERT(cut(quire_slice_of(four), &chunks) >= 4);
    CU_ASSERT(cut(quire_slice_of(words), &chunks) >= 7);
    for (size_t i = 0; i + 1 < 5; i++)
        CU_ASSERT(words[chunks[i].end] == ' ');
    free(latin), free(wide), free(four), free(words);
}

/* Else headings alone would take all memory. */
static void headings_alone_cost_little(void) {
    char *text = repeat("## a\n", 200000);
    struct chunk *chunks;
    (void)cut(quire_slice_of(text), &chunks);
    CU_ASSERT(arena.used_bytes < 4 * strlen(text));
    free(text);
}

static void same_text_gives_same_chunks(void) {
    char *text = repeat("One. Two three! Four?\n\n# Head\nFive six seven eight. ", 200);
    struct chunk *chunks;
    const size_t count = cut(quire_slice_of(text), &chunks);
    struct chunk *kept = malloc(count * sizeof(*kept));
    if (kept == NULL)
        abort();
    memcpy(kept, chunks, count * sizeof(*kept));
    CU_ASSERT_EQUAL_FATAL(cut(quire_slice_of(text), &chunks), count);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT(kept[i].start == chunks[i].start && kept[i].end == chunks[i].end);
    free(kept), free(text);
}

static double seconds_for(size_t bytes, const char *piece) {
    char *text = repeat(piece, bytes / strlen(piece));
    struct chunk *chunks;
    size_t count;
    struct timespec from, to;
    quire_arena_reset(&arena);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    CU_ASSERT_TRUE(chunker_cut(&arena, quire_slice_of(text), &chunks, &count));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    free(text);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Else the largest document misses its deadline. */
static void time_is_linear(void) {
    static const char *const pieces[] = {"A sentence, not long, not short, but there. ", "a", "# b\n",
                                         "東京は日本の首都です。", "x\n"};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        const double small = seconds_for((size_t)1 << 20, pieces[i]), large = seconds_for((size_t)15 << 20, pieces[i]);
        printf("\n  15 MiB of <%.20s>: %.3f s ",
               pieces[i][0] == '#'    ? "# b"
               : pieces[i][1] == '\n' ? "x"
                                      : pieces[i],
               large);
        CU_ASSERT(large < small * 45 + 0.5);
    }
}

QUIRE_TEST_MAIN("chunker", set_up, tear_down, {"short_text_is_one_chunk", short_text_is_one_chunk},
                {"white_space_at_the_beginning_is_nothing_to_overlap_with",
                 white_space_at_the_beginning_is_nothing_to_overlap_with},
                {"chunks_end_with_sentences_and_overlap", chunks_end_with_sentences_and_overlap},
                {"headings_begin_chunks_and_are_their_context", headings_begin_chunks_and_are_their_context},
                {"text_without_bounds_is_cut_between_code_points", text_without_bounds_is_cut_between_code_points},
                {"headings_alone_cost_little", headings_alone_cost_little},
                {"same_text_gives_same_chunks", same_text_gives_same_chunks}, {"time_is_linear", time_is_linear})
