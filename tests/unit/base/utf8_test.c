#include "base/utf8.h"

#include "unit/suite.h"

static bool valid(const char *bytes, size_t size) {
    return quire_utf8_valid((struct quire_slice){(const uint8_t *)bytes, size});
}

/* What PostgreSQL refuses must be refused before, or one document fails a whole batch. */
static void what_postgresql_refuses_is_invalid(void) {
    CU_ASSERT_TRUE(valid("plain ascii, longer than eight", 30));
    CU_ASSERT_TRUE(valid("é東𝄞", 9));
    CU_ASSERT_TRUE(valid("", 0));
    CU_ASSERT_FALSE(valid("\xed\xa0\x80", 3));     /* a surrogate */
    CU_ASSERT_FALSE(valid("\xc0\x80", 2));         /* overlong */
    CU_ASSERT_FALSE(valid("\xe0\x9f\xbf", 3));     /* overlong */
    CU_ASSERT_FALSE(valid("\xf4\x90\x80\x80", 4)); /* above U+10FFFF */
    CU_ASSERT_FALSE(valid("\x80", 1));
}

/* Eight bytes are looked at at once: what stands at, before and behind each of them must be seen. */
static void a_fault_is_found_at_every_place(void) {
    char text[] = "0123456789abcdefghijklmn";
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        const char kept = text[at];
        text[at] = (char)0xff;
        CU_ASSERT_FALSE(valid(text, sizeof(text) - 1));
        CU_ASSERT_TRUE(valid(text, at));
        text[at] = (char)0xc3; /* begins what doesn't go on, also where the text ends */
        CU_ASSERT_FALSE(valid(text, sizeof(text) - 1));
        CU_ASSERT_FALSE(valid(text, at + 1));
        text[at] = kept;
    }
}

static void characters_and_cuts_are_of_code_points(void) {
    const struct quire_slice text = quire_slice_of("aé東𝄞");
    CU_ASSERT_EQUAL(quire_utf8_characters(text), 4);
    CU_ASSERT_EQUAL(quire_utf8_cut(text, 0).size, 0);
    CU_ASSERT_EQUAL(quire_utf8_cut(text, 2).size, 1);
    CU_ASSERT_EQUAL(quire_utf8_cut(text, 3).size, 3);
    CU_ASSERT_EQUAL(quire_utf8_cut(text, 9).size, 6);
    CU_ASSERT_EQUAL(quire_utf8_cut(text, 10).size, 10);
    CU_ASSERT_EQUAL(quire_utf8_cut(text, 99).size, 10);
}

QUIRE_TEST_MAIN("utf8", NULL, NULL, {"what_postgresql_refuses_is_invalid", what_postgresql_refuses_is_invalid},
                {"a_fault_is_found_at_every_place", a_fault_is_found_at_every_place},
                {"characters_and_cuts_are_of_code_points", characters_and_cuts_are_of_code_points})
