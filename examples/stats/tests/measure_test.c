#include "measure.h"

#include "unit/suite.h"

static struct stats_measure of(const char *text) {
    struct stats_measure measure = {-1, -1, -1};
    CU_ASSERT_TRUE(stats_measure(quire_slice_of(text), &measure));
    return measure;
}

static void expect(const char *text, int64_t characters, int64_t words, int64_t sentences) {
    const struct stats_measure measure = of(text);
    CU_ASSERT_EQUAL(measure.characters, characters);
    CU_ASSERT_EQUAL(measure.words, words);
    CU_ASSERT_EQUAL(measure.sentences, sentences);
}

/* Else punctuation and white space would make a text longer to read. */
static void only_what_is_read_is_a_word(void) {
    expect("", 0, 0, 0);
    expect(" \n\t ", 4, 0, 0);
    expect("... -- !", 8, 0, 0);
    expect("one", 3, 1, 1);
    expect("It doesn't take 3.5 hours.", 26, 5, 1);
}

static void a_sentence_ends_where_unicode_says(void) {
    expect("One. Two! Three?", 16, 3, 3);
    expect("A heading\nand its text.", 23, 5, 2); /* a line end is a paragraph's */
    expect("... One. ... Two.", 17, 2, 2);        /* dots alone are no sentence */
}

/* Else a language without spaces would be one word. */
static void every_script_has_words(void) {
    CU_ASSERT_EQUAL(of("Привет, мир!").words, 2);
    CU_ASSERT_EQUAL(of("שלום עולם").words, 2);
    CU_ASSERT(of("東京都に住んでいます。猫がいます。").words > 4);
    CU_ASSERT_EQUAL(of("東京都に住んでいます。猫がいます。").sentences, 2);
}

/* The documents service lets none through; a crash here would still be ours. */
static void broken_utf8_is_counted_and_not_read_past(void) {
    expect("a\xff\xfe z\xe2\x82", 6, 2, 1);
}

QUIRE_TEST_MAIN("measure", NULL, NULL, {"only_what_is_read_is_a_word", only_what_is_read_is_a_word},
                {"a_sentence_ends_where_unicode_says", a_sentence_ends_where_unicode_says},
                {"every_script_has_words", every_script_has_words},
                {"broken_utf8_is_counted_and_not_read_past", broken_utf8_is_counted_and_not_read_past})
