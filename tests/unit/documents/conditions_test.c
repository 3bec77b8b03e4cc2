#include "documents/conditions.h"

#include "unit/suite.h"

static size_t versions_of(const char *value, bool weak) {
    struct condition condition = {.present = false};
    CU_ASSERT_TRUE(condition_read(value, weak, &condition));
    CU_ASSERT_TRUE(condition.present);
    CU_ASSERT_FALSE(condition.any);
    return condition.count;
}

static bool is_readable(const char *value) {
    struct condition condition = {.count = 7};
    const bool weakly = condition_read(value, true, &condition);
    CU_ASSERT(weakly || condition.count == 7); /* untouched on failure */
    CU_ASSERT_EQUAL(condition_read(value, false, &condition), weakly);
    return weakly;
}

static void absent_and_any_are_told_apart(void) {
    struct condition condition;
    CU_ASSERT_TRUE(condition_read(NULL, false, &condition));
    CU_ASSERT_FALSE(condition.present);
    CU_ASSERT_TRUE(condition_read(" *\t", false, &condition));
    CU_ASSERT(condition.present && condition.any);
    CU_ASSERT_TRUE(condition_read("", false, &condition));
    CU_ASSERT(condition.present && !condition.any && condition.count == 0);
}

static void lists_are_read(void) {
    struct condition condition;
    CU_ASSERT_TRUE_FATAL(condition_read("\"3\" , \"12\",\"7\"", false, &condition));
    CU_ASSERT_EQUAL_FATAL(condition.count, 3);
    CU_ASSERT(condition.versions[0] == 3 && condition.versions[1] == 12 && condition.versions[2] == 7);
}

/* RFC 9110 5.6.1.2. */
static void empty_elements_are_no_fault(void) {
    CU_ASSERT_EQUAL(versions_of(",\t, \"3\",,\"4\" , ", false), 2);
    CU_ASSERT_EQUAL(versions_of(",", false), 0);
    CU_ASSERT_EQUAL(versions_of(" ", false), 0);
}

/* Else what nobody understood would let a write through, or be a 304 (RFC 9110 8.8.3, 13.1.1). */
static void what_is_no_list_of_tags_is_not_read(void) {
    static const char *const malformed[] = {
        "3",        "\"3",       "3\"",      "\"3\"x", "x\"3\"",  "\"3\" \"3\"",    "\"3\"\"3\"",
        "\"3\";a",  "*, \"3\"",  "\"3\", *", "**",     "* *",     "*\"3\"",         "W/3",
        "w/\"3\"",  "W/ \"3\"",  "W",        "W/",     "\"a b\"", "\"a\tb\"",       "\"\x7f\"",
        "\"3\", 4", "\"3\", \"", "'3'",      ";",      "\"3\";",  "W/\"3\"W/\"4\"", "W/W/\"3\""};
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        const bool readable = is_readable(malformed[i]);
        CU_ASSERT_FALSE(readable);
        if (readable)
            printf("read: %s\n", malformed[i]);
    }
}

/* RFC 9110 8.8.3.2: If-Match compares strongly. */
static void weak_tags_match_only_where_weak_is_enough(void) {
    CU_ASSERT_EQUAL(versions_of("W/\"3\"", false), 0);
    CU_ASSERT_EQUAL(versions_of("W/\"3\"", true), 1);
}

/* Else two texts would be one tag, and a lost update would go unseen. */
static void what_is_no_tag_of_ours_matches_nothing(void) {
    CU_ASSERT_EQUAL(versions_of("\"03\"", true), 0);
    CU_ASSERT_EQUAL(versions_of("\"+3\"", true), 0);
    CU_ASSERT_EQUAL(versions_of("\"abc\", \"\", \"0\", \"!#~\\\", \"\xc3\xa9\"", true), 0);
    CU_ASSERT_EQUAL(versions_of("\"99999999999999999999999\"", true), 0);
    CU_ASSERT_EQUAL(versions_of("\"a,b\", \"4\"", true), 1);
}

/* Tags that were left out would be tags that don't match. */
static void a_list_with_more_than_there_is_room_for_is_not_read(void) {
    char value[4 * CONDITION_VERSIONS_MAX + 5] = "";
    for (size_t i = 0; i < CONDITION_VERSIONS_MAX; i++)
        strcat(value, "\"1\",");
    CU_ASSERT_EQUAL(versions_of(value, false), CONDITION_VERSIONS_MAX);
    strcat(value, "\"1\"");
    CU_ASSERT_FALSE(is_readable(value));
}

QUIRE_TEST_MAIN("conditions", NULL, NULL, {"absent_and_any_are_told_apart", absent_and_any_are_told_apart},
                {"lists_are_read", lists_are_read}, {"empty_elements_are_no_fault", empty_elements_are_no_fault},
                {"what_is_no_list_of_tags_is_not_read", what_is_no_list_of_tags_is_not_read},
                {"weak_tags_match_only_where_weak_is_enough", weak_tags_match_only_where_weak_is_enough},
                {"what_is_no_tag_of_ours_matches_nothing", what_is_no_tag_of_ours_matches_nothing},
                {"a_list_with_more_than_there_is_room_for_is_not_read",
                 a_list_with_more_than_there_is_room_for_is_not_read})
