#include "text/words.h"

#include "unit/suite.h"

#include <stdio.h>

struct joined {
    char text[1024];
    size_t size, calls, stop_after;
};

static bool join(void *context, const struct text_word *word) {
    struct joined *joined = context;
    joined->size +=
        (size_t)snprintf(joined->text + joined->size, sizeof(joined->text) - joined->size, "%s%.*s",
                         joined->calls > 0 ? " " : "", (int)word->word.size, (const char *)word->word.bytes);
    return ++joined->calls != joined->stop_after;
}

static void expect(const char *text, const char *words) {
    struct joined joined = {0};
    CU_ASSERT_TRUE(text_words(quire_slice_of(text), join, &joined));
    CU_ASSERT_STRING_EQUAL(joined.text, words);
    if (strcmp(joined.text, words) != 0)
        printf("\n  <%s> gave <%s>, not <%s>\n", text, joined.text, words);
}

/* Else a question would not find what it says. */
static void letters_and_digits_are_words_folded(void) {
    expect("Hello, WORLD-2024!", "hello world 2024");
    expect("don't", "don t");
    expect("Straße Ångström ＦＵＬＬ", "strasse ångström full");
    expect("Привет, МИР", "привет мир");
    expect("e\xcc\x81t\xc3\xa9", "été"); /* decomposed and composed are one */
    expect("", "");
    expect("… — !?", "");
}

static void scripts_without_dictionary_give_grams(void) {
    expect("東京都", "東京 京都 東 京 都");
    expect("猫", "猫");
    expect("한국어", "한국 국어");
    expect("שלום", "שלומ");
    expect("ירושלים", "ירוש רושל ושלי שלימ");
    expect("ภาษาไทย", "ภาษ าษา ษาไ าไท ไทย");
    expect("Kafka 설정", "kafka 설정");
}

/* Else a Hebrew acronym falls apart, and pointed text is another word. */
static void hebrew_acronyms_and_points_make_no_difference(void) {
    expect("צה\"ל", "צהל");
    expect("צה״ל", "צהל");
    expect("\"צבא\"", "צבא");
    expect("שָׁלוֹם", "שלומ");
}

static void decomposed_hangul_equals_composed(void) {
    expect("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab\xe1\x84\x80\xe1\x85\xae\xe1\x86\xa8", "한국");
}

static void long_words_are_cut_and_long_runs_go_on(void) {
    char text[2001];
    memset(text, 'a', 2000);
    text[2000] = '\0';
    struct joined joined = {0};
    CU_ASSERT_TRUE(text_words(quire_slice_of(text), join, &joined));
    CU_ASSERT(joined.calls >= 1 && joined.calls <= 4);
    CU_ASSERT(joined.size <= 4 * 65);
}

/* Else highlights would cut a character in two. */
static bool check_source(void *context, const struct text_word *word) {
    const struct quire_slice *text = context;
    CU_ASSERT(word->start < word->end && word->end <= text->size);
    CU_ASSERT((text->bytes[word->start] & 0xc0) != 0x80);
    CU_ASSERT(word->end == text->size || (text->bytes[word->end] & 0xc0) != 0x80);
    return true;
}

static void sources_lie_on_code_points(void) {
    struct quire_slice text = quire_slice_of("Größe 東京は 한국어, שָׁלוֹם ﬁn é");
    CU_ASSERT_TRUE(text_words(text, check_source, &text));
}

static void invalid_bytes_separate_and_do_no_harm(void) {
    expect("abc\xff\xfe"
           "def\xe6\x9d",
           "abc def");
}

static void caller_can_stop(void) {
    struct joined joined = {.stop_after = 2};
    CU_ASSERT_FALSE(text_words(quire_slice_of("one two three"), join, &joined));
    CU_ASSERT_STRING_EQUAL(joined.text, "one two");
}

QUIRE_TEST_MAIN("words", NULL, NULL, {"letters_and_digits_are_words_folded", letters_and_digits_are_words_folded},
                {"scripts_without_dictionary_give_grams", scripts_without_dictionary_give_grams},
                {"hebrew_acronyms_and_points_make_no_difference", hebrew_acronyms_and_points_make_no_difference},
                {"decomposed_hangul_equals_composed", decomposed_hangul_equals_composed},
                {"long_words_are_cut_and_long_runs_go_on", long_words_are_cut_and_long_runs_go_on},
                {"sources_lie_on_code_points", sources_lie_on_code_points},
                {"invalid_bytes_separate_and_do_no_harm", invalid_bytes_separate_and_do_no_harm},
                {"caller_can_stop", caller_can_stop})
