#include "gateway/spread.h"

#include "unit/suite.h"

/* Else each of them is a request of its own to the broker, and a batch of its own to a worker. */
static void requests_close_together_go_together(void) {
    struct spread spread = {0};
    const uint32_t first = spread_next(&spread, 12, 100, 1000);
    CU_ASSERT_EQUAL(spread_next(&spread, 12, 100, 1000), first);
    CU_ASSERT_EQUAL(spread_next(&spread, 12, 100, 1000 + SPREAD_TOGETHER_NS - 1), first);
    CU_ASSERT_EQUAL(spread_next(&spread, 12, 100, 1000 + SPREAD_TOGETHER_NS), (first + 1) % 12);
}

/* Else one worker has all of a crowd, and its neighbours none. */
static void no_more_than_may_go_together(void) {
    struct spread spread = {0};
    uint32_t counts[3] = {0};
    for (int i = 0; i < 30; i++)
        counts[spread_next(&spread, 3, 10, 1)]++;
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(counts[i], 10);
}

/* A lane whose messages keep a core busy each: no two in turn for the same worker. */
static void one_at_a_time_is_round_robin(void) {
    struct spread spread = {.turn = 7};
    for (uint32_t i = 0; i < 24; i++)
        CU_ASSERT_EQUAL(spread_next(&spread, 12, 1, 5), (7 + i) % 12);
}

/* A lane is given more partitions, or fewer (a topic made anew), while requests go together. */
static void a_changed_number_of_partitions_is_kept_to(void) {
    struct spread spread = {0};
    for (uint32_t i = 0; i < 100; i++)
        CU_ASSERT_TRUE(spread_next(&spread, 12, 3, i) < 12);
    for (uint32_t i = 0; i < 100; i++)
        CU_ASSERT_TRUE(spread_next(&spread, 4, 3, 100 + i) < 4);
    spread.turn = UINT32_MAX; /* and the count of turns begins anew one day */
    spread.left = 0;
    for (uint32_t i = 0; i < 9; i++)
        CU_ASSERT_TRUE(spread_next(&spread, 5, 2, 300) < 5);
}

/* A worker that takes one at a time gets one at a time; of a small batch several go together, of a large one a share.
 */
static void what_goes_together_is_a_share_of_a_batch(void) {
    const uint32_t expected[][2] = {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 2}, {8, 4}, {32, 4}, {64, 8}, {256, 32}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        CU_ASSERT_EQUAL(spread_together_max(expected[i][0]), expected[i][1]);
}

QUIRE_TEST_MAIN("spread", NULL, NULL, {"requests_close_together_go_together", requests_close_together_go_together},
                {"no_more_than_may_go_together", no_more_than_may_go_together},
                {"one_at_a_time_is_round_robin", one_at_a_time_is_round_robin},
                {"a_changed_number_of_partitions_is_kept_to", a_changed_number_of_partitions_is_kept_to},
                {"what_goes_together_is_a_share_of_a_batch", what_goes_together_is_a_share_of_a_batch})
