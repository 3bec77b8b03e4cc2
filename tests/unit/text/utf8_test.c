#include "text/utf8.h"

#include "unit/suite.h"

static bool valid(const char *bytes, size_t size) {
    return text_valid((struct quire_slice){(const uint8_t *)bytes, size});
}

/* What PostgreSQL refuses must be refused before, or one document fails a whole batch. */
static void what_postgresql_refuses_is_invalid(void) {
    CU_ASSERT_TRUE(valid("plain ascii, longer than eight", 30));
    CU_ASSERT_TRUE(valid("é東𝄞", 9));
    CU_ASSERT_TRUE(valid("", 0));
    CU_ASSERT_FALSE(valid("a\0b", 3));
    CU_ASSERT_FALSE(valid("12345678\0", 9));
    CU_ASSERT_FALSE(valid("\xed\xa0\x80", 3));     /* a surrogate */
    CU_ASSERT_FALSE(valid("\xc0\x80", 2));         /* overlong */
    CU_ASSERT_FALSE(valid("\xf4\x90\x80\x80", 4)); /* above U+10FFFF */
    CU_ASSERT_FALSE(valid("abc\xe6\x9d", 5));      /* cut */
    CU_ASSERT_FALSE(valid("\x80", 1));
}

static void characters_and_boundaries_are_of_code_points(void) {
    const struct quire_slice text = quire_slice_of("aé東𝄞");
    CU_ASSERT_EQUAL(text_characters(text), 4);
    CU_ASSERT_EQUAL(text_boundary(text, 2), 1);
    CU_ASSERT_EQUAL(text_boundary(text, 3), 3);
    CU_ASSERT_EQUAL(text_boundary(text, 9), 6);
    CU_ASSERT_EQUAL(text_boundary(text, 10), 10);
    CU_ASSERT_EQUAL(text_boundary(text, 99), 10);
}

QUIRE_TEST_MAIN("utf8", NULL, NULL, {"what_postgresql_refuses_is_invalid", what_postgresql_refuses_is_invalid},
                {"characters_and_boundaries_are_of_code_points", characters_and_boundaries_are_of_code_points})
