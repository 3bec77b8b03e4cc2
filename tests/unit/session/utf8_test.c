#include "unit/suite.h"

#include "session/utf8.h"

static struct quire_arena arena;

static int set_up(void) {
    quire_arena_init(&arena, 1 << 16);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&arena);
    return 0;
}

/* Else a User-Agent of Latin-1 makes PostgreSQL refuse the log-in. */
static void bytes_that_are_no_character_become_question_marks(void) {
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "caf\xe9", 100), "caf?");
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "\xc0\xaf", 100), "??");           /* overlong */
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "\xed\xa0\x80", 100), "???");      /* a surrogate */
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "\xf4\x90\x80\x80", 100), "????"); /* beyond U+10FFFF */
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "a\xe2\x82", 100), "a??");         /* cut off */
}

static void whole_characters_stay(void) {
    static const char text[] = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\x9a \xd7\xa9";
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, text, 100), text);
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "", 100), "");
    CU_ASSERT_PTR_NULL(utf8_clean(&arena, NULL, 100));
}

static void a_long_text_is_cut_between_characters(void) {
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "abcd", 4), "abcd");
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "abcde", 4), "abcd");
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "abc\xe2\x82\xac", 6), "abc\xe2\x82\xac");
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "abc\xe2\x82\xac", 5), "abc");
    CU_ASSERT_STRING_EQUAL(utf8_clean(&arena, "abc\xf0\x9f\x93\x9a", 4), "abc");
}

QUIRE_TEST_MAIN("utf8", set_up, tear_down,
                {"bytes_that_are_no_character_become_question_marks",
                 bytes_that_are_no_character_become_question_marks},
                {"whole_characters_stay", whole_characters_stay},
                {"a_long_text_is_cut_between_characters", a_long_text_is_cut_between_characters})
