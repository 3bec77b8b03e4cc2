#include "gateway/query_string.h"

#include "unit/suite.h"

static struct fixture {
    struct quire_arena arena;
    struct quire_slice name, value;
} f;

static int set_up(void) {
    quire_arena_init(&f.arena, 1024 * 1024);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&f.arena);
    return 0;
}

static struct query_string of(const char *text) {
    return (struct query_string){.text = quire_slice_of(text)};
}

static bool next_is(struct query_string *query, const char *name, const char *value) {
    return query_string_next(query, &f.arena, &f.name, &f.value) == QUERY_PARAMETER &&
           quire_slice_equal(f.name, quire_slice_of(name)) && quire_slice_equal(f.value, quire_slice_of(value));
}

static void parameters_come_one_by_one(void) {
    struct query_string query = of("a=1&b=&c&&d=x=y&");
    CU_ASSERT_TRUE(next_is(&query, "a", "1"));
    CU_ASSERT_TRUE(next_is(&query, "b", ""));
    CU_ASSERT_TRUE(next_is(&query, "c", ""));
    CU_ASSERT_TRUE(next_is(&query, "d", "x=y"));
    CU_ASSERT_EQUAL(query_string_next(&query, &f.arena, &f.name, &f.value), QUERY_END);
    CU_ASSERT_EQUAL(query_string_next(&query, &f.arena, &f.name, &f.value), QUERY_END);
    query = of("");
    CU_ASSERT_EQUAL(query_string_next(&query, &f.arena, &f.name, &f.value), QUERY_END);
}

static void percent_and_plus_are_decoded(void) {
    struct query_string query = of("q=a+b%2Bc%26d&%6e=%C3%A9%e2%82%ac");
    CU_ASSERT_TRUE(next_is(&query, "q", "a b+c&d"));
    CU_ASSERT_TRUE(next_is(&query, "n", "\xc3\xa9\xe2\x82\xac"));
    query = of("z=%00");
    CU_ASSERT_EQUAL(query_string_next(&query, &f.arena, &f.name, &f.value), QUERY_PARAMETER);
    CU_ASSERT_EQUAL(f.value.size, 1);
}

static void malformed_at(const char *text, size_t at) {
    struct query_string query = of(text);
    CU_ASSERT_EQUAL(query_string_next(&query, &f.arena, &f.name, &f.value), QUERY_MALFORMED);
    CU_ASSERT_EQUAL(query.at, at);
}

static void bad_percent_and_bad_utf8_are_malformed(void) {
    malformed_at("a=%", 2);
    malformed_at("a=x%4", 3);
    malformed_at("a=%4&b=1", 2); /* the next parameter lends it no digit */
    malformed_at("a=%zz", 2);
    malformed_at("%g0=1", 0);
    malformed_at("a=%ff", 2);
    malformed_at("a=%c3", 2);
    malformed_at("a=%ed%a0%80", 2); /* a surrogate */
}

QUIRE_TEST_MAIN("query_string", set_up, tear_down, {"parameters_come_one_by_one", parameters_come_one_by_one},
                {"percent_and_plus_are_decoded", percent_and_plus_are_decoded},
                {"bad_percent_and_bad_utf8_are_malformed", bad_percent_and_bad_utf8_are_malformed})
