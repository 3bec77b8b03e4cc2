#include "documents/conditions.h"

#include "unit/suite.h"

static size_t versions_of(const char *value, bool weak) {
    struct condition condition;
    condition_read(value, weak, &condition);
    CU_ASSERT_TRUE(condition.present);
    CU_ASSERT_FALSE(condition.any);
    return condition.count;
}

static void absent_and_any_are_told_apart(void) {
    struct condition condition;
    condition_read(NULL, false, &condition);
    CU_ASSERT_FALSE(condition.present);
    condition_read(" * ", false, &condition);
    CU_ASSERT(condition.present && condition.any);
    condition_read("", false, &condition);
    CU_ASSERT(condition.present && !condition.any && condition.count == 0);
}

static void lists_are_read(void) {
    struct condition condition;
    condition_read("\"3\" , \"12\",\"7\"", false, &condition);
    CU_ASSERT_EQUAL_FATAL(condition.count, 3);
    CU_ASSERT(condition.versions[0] == 3 && condition.versions[1] == 12 && condition.versions[2] == 7);
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
    CU_ASSERT_EQUAL(versions_of("\"abc\", \"\", \"0\"", true), 0);
    CU_ASSERT_EQUAL(versions_of("3", true), 0);
    CU_ASSERT_EQUAL(versions_of("\"3", true), 0);
    CU_ASSERT_EQUAL(versions_of("\"99999999999999999999999\"", true), 0);
    CU_ASSERT_EQUAL(versions_of("\"a,b\", \"4\"", true), 1);
}

static void more_tags_than_are_looked_at_do_no_harm(void) {
    char value[2000] = "";
    for (size_t i = 0; i < 300; i++)
        strcat(value, "\"1\",");
    CU_ASSERT_EQUAL(versions_of(value, false), CONDITION_VERSIONS_MAX);
}

QUIRE_TEST_MAIN("conditions", NULL, NULL, {"absent_and_any_are_told_apart", absent_and_any_are_told_apart},
                {"lists_are_read", lists_are_read},
                {"weak_tags_match_only_where_weak_is_enough", weak_tags_match_only_where_weak_is_enough},
                {"what_is_no_tag_of_ours_matches_nothing", what_is_no_tag_of_ours_matches_nothing},
                {"more_tags_than_are_looked_at_do_no_harm", more_tags_than_are_looked_at_do_no_harm})
