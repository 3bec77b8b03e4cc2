#include "unit/suite.h"

#include "runtime/watermark.h"

/* Else Redis' comparison of texts and ours of numbers would disagree, and a watermark could fall. */
static void text_and_back(void) {
    struct quire_watermark watermark = {.known = true, .epoch = "7404513287446012345/3", .lsn = UINT64_C(0x1000000a0)},
                           back = {0};
    char text[QUIRE_WATERMARK_CHARACTERS + 1];
    quire_watermark_text(&watermark, text);
    CU_ASSERT_STRING_EQUAL(text, "7404513287446012345/3:00000001000000a0");
    CU_ASSERT_TRUE(quire_watermark_parse(quire_slice_of(text), &back));
    CU_ASSERT_TRUE(back.known);
    CU_ASSERT_STRING_EQUAL(back.epoch, watermark.epoch);
    CU_ASSERT_EQUAL(back.lsn, watermark.lsn);
}

static void the_longest_epoch_fits(void) {
    struct quire_watermark watermark = {.known = true, .epoch = "18446744073709551615/4294967295", .lsn = UINT64_MAX},
                           back;
    char text[QUIRE_WATERMARK_CHARACTERS + 1];
    quire_watermark_text(&watermark, text);
    CU_ASSERT_TRUE(quire_watermark_parse(quire_slice_of(text), &back));
    CU_ASSERT_EQUAL(back.lsn, UINT64_MAX);
}

/* What is no watermark must read as unknown, and so lead to the primary. */
static void what_is_none_is_refused(void) {
    static const char *const texts[] = {"",
                                        ":0000000000000001",
                                        "1/1",
                                        "1/1:1",
                                        "1/1:000000000000000G",
                                        "1/1:000000000000000A",
                                        "1/1-0000000000000001",
                                        "18446744073709551615/42949672955555:0000000000000001"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct quire_watermark untouched = {.lsn = 77};
        CU_ASSERT_FALSE(quire_watermark_parse(quire_slice_of(texts[i]), &untouched));
        CU_ASSERT_EQUAL(untouched.lsn, 77);
    }
}

static void an_unknown_watermark_or_epoch_matches_nothing(void) {
    struct quire_watermark watermark = {.known = true, .epoch = "1/1"};
    CU_ASSERT_TRUE(quire_watermark_of_epoch(&watermark, "1/1"));
    CU_ASSERT_FALSE(quire_watermark_of_epoch(&watermark, "1/2"));
    CU_ASSERT_FALSE(quire_watermark_of_epoch(&watermark, ""));
    CU_ASSERT_FALSE(quire_watermark_of_epoch(&(struct quire_watermark){.epoch = "1/1"}, "1/1"));
    CU_ASSERT_FALSE(quire_watermark_of_epoch(&(struct quire_watermark){.known = true}, ""));
}

QUIRE_TEST_MAIN("watermark", NULL, NULL, {"text_and_back", text_and_back},
                {"the_longest_epoch_fits", the_longest_epoch_fits},
                {"what_is_none_is_refused", what_is_none_is_refused},
                {"an_unknown_watermark_or_epoch_matches_nothing", an_unknown_watermark_or_epoch_matches_nothing})
