#include "query/highlight.h"

#include "unit/suite.h"

#include <stdio.h>

static struct quire_arena arena;

static int set_up(void) {
    quire_arena_init(&arena, (size_t)1 << 24);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&arena);
    return 0;
}

/* A dictionary that knows one rule: a last s is dropped; and one stop word. */
static size_t highlights_of(const char *question, const char *passage, char *highlights[HIGHLIGHTS_MAX]) {
    const struct quire_slice language = QUIRE_SLICE_LITERAL("en");
    struct highlight_words words;
    size_t count = 0;
    quire_arena_reset(&arena);
    highlight_words_init(&words, &arena);
    CU_ASSERT_FATAL(highlight_collect(&words, language, quire_slice_of(question)));
    CU_ASSERT_FATAL(highlight_collect(&words, language, quire_slice_of(passage)));
    struct quire_slice lexemes[512];
    CU_ASSERT_FATAL(words.count <= 512);
    for (size_t i = 0; i < words.count; i++) {
        lexemes[i] = words.words[i];
        if (lexemes[i].size > 1 && lexemes[i].bytes[lexemes[i].size - 1] == 's')
            lexemes[i].size--;
        if (quire_slice_equal(words.words[i], quire_slice_of("the")))
            lexemes[i].size = 0;
    }
    CU_ASSERT_TRUE(highlight_write(&words, lexemes, language, quire_slice_of(question), quire_slice_of(passage),
                                   highlights, &count));
    return count;
}

static void found_words_stand_between_marks(void) {
    char *highlights[HIGHLIGHTS_MAX];
    CU_ASSERT_EQUAL_FATAL(highlights_of("the broker keeps?", "The Brokers keep the log.", highlights), 1);
    CU_ASSERT_STRING_EQUAL(highlights[0], "The **Brokers** **keep** the log.");
}

static void nothing_found_is_no_highlight(void) {
    char *highlights[HIGHLIGHTS_MAX];
    CU_ASSERT_EQUAL(highlights_of("zebra the", "The Brokers keep the log.", highlights), 0);
    CU_ASSERT_EQUAL(highlights_of("!?", "...", highlights), 0);
}

/* Else every character of a Chinese answer had marks of its own. */
static void grams_that_touch_are_one_mark(void) {
    char *highlights[HIGHLIGHTS_MAX];
    CU_ASSERT_EQUAL_FATAL(highlights_of("東京都", "私は東京都にいる", highlights), 1);
    CU_ASSERT_STRING_EQUAL(highlights[0], "私は**東京都**にいる");
}

static void long_passages_give_few_short_pieces(void) {
    char passage[6000];
    size_t size = 0;
    for (size_t i = 0; i < 40; i++)
        size += (size_t)snprintf(passage + size, sizeof(passage) - size,
                                 "%s filler filler filler filler filler filler filler filler ",
                                 i % 4 == 0 ? "größe" : "words");
    char *highlights[HIGHLIGHTS_MAX];
    const size_t count = highlights_of("größe", passage, highlights);
    CU_ASSERT_EQUAL_FATAL(count, HIGHLIGHTS_MAX);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_PTR_NOT_NULL(strstr(highlights[i], "**größe**"));
        CU_ASSERT(strlen(highlights[i]) < 300);
    }
}

QUIRE_TEST_MAIN("highlight", set_up, tear_down, {"found_words_stand_between_marks", found_words_stand_between_marks},
                {"nothing_found_is_no_highlight", nothing_found_is_no_highlight},
                {"grams_that_touch_are_one_mark", grams_that_touch_are_one_mark},
                {"long_passages_give_few_short_pieces", long_passages_give_few_short_pieces})
