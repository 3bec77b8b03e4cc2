#include "gateway/crowd.h"

#include "unit/suite.h"

#define LONG_AGO CROWD_INTERVAL_NS /* since the clock began */

static void a_crowd_that_has_gone_is_told_once(void) {
    struct crowd crowd = {0};
    CU_ASSERT_FALSE(crowd_has_gone(&crowd, 3000, LONG_AGO));
    CU_ASSERT_FALSE(crowd_has_gone(&crowd, 751, LONG_AGO + 1)); /* the last quarter is still there */
    CU_ASSERT_TRUE(crowd_has_gone(&crowd, 750, LONG_AGO + 2));
    CU_ASSERT_FALSE(crowd_has_gone(&crowd, 0, 3 * LONG_AGO));
}

static void a_few_are_no_crowd(void) {
    struct crowd crowd = {0};
    CU_ASSERT_FALSE(crowd_has_gone(&crowd, CROWD_REQUESTS - 1, LONG_AGO));
    CU_ASSERT_FALSE(crowd_has_gone(&crowd, 0, 2 * LONG_AGO));
}

/* Else a load that comes in waves would pay for each. */
static void crowds_in_quick_succession_are_one(void) {
    struct crowd crowd = {0};
    CU_ASSERT_FALSE(crowd_has_gone(&crowd, 5000, LONG_AGO));
    CU_ASSERT_TRUE(crowd_has_gone(&crowd, 0, LONG_AGO));
    CU_ASSERT_FALSE(crowd_has_gone(&crowd, 5000, LONG_AGO + 1));
    CU_ASSERT_FALSE(crowd_has_gone(&crowd, 0, LONG_AGO + CROWD_INTERVAL_NS - 1));
    CU_ASSERT_TRUE(crowd_has_gone(&crowd, 0, LONG_AGO + CROWD_INTERVAL_NS));
}

QUIRE_TEST_MAIN("crowd", NULL, NULL, {"a_crowd_that_has_gone_is_told_once", a_crowd_that_has_gone_is_told_once},
                {"a_few_are_no_crowd", a_few_are_no_crowd},
                {"crowds_in_quick_succession_are_one", crowds_in_quick_succession_are_one})
