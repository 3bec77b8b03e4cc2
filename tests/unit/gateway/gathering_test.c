#include "gateway/gathering.h"

#include "unit/suite.h"

#define MS UINT64_C(1000000)

static const uint64_t waits[] = {0, 1 * MS, 5 * MS};

static size_t choose(uint32_t under_way, uint64_t reply_ns) {
    return gathering_choose(waits, 3, under_way, reply_ns);
}

static void one_of_few_waits_for_nobody(void) {
    CU_ASSERT_EQUAL(choose(0, 1000 * MS), 0);
    CU_ASSERT_EQUAL(choose(GATHERING_FROM - 1, 1000 * MS), 0);
    CU_ASSERT_EQUAL(choose(GATHERING_FROM, 1000 * MS), 2);
}

static void nobody_waits_longer_than_a_part_of_what_replies_take(void) {
    CU_ASSERT_EQUAL(choose(1000, 0), 0);
    CU_ASSERT_EQUAL(choose(1000, GATHERING_PART * MS - 1), 0);
    CU_ASSERT_EQUAL(choose(1000, GATHERING_PART * MS), 1);
    CU_ASSERT_EQUAL(choose(1000, GATHERING_PART * 5 * MS - 1), 1);
    CU_ASSERT_EQUAL(choose(1000, GATHERING_PART * 5 * MS), 2);
}

/* Whichever it is: the bus only ever leaves out those at the end. */
static void a_wait_that_is_switched_off_is_not_chosen(void) {
    const uint64_t only_long[] = {0, UINT64_MAX, 5 * MS}, only_short[] = {0, 1 * MS, UINT64_MAX},
                   none[] = {0, UINT64_MAX, UINT64_MAX};
    CU_ASSERT_EQUAL(gathering_choose(only_long, 3, 9, GATHERING_PART * 5 * MS - 1), 0);
    CU_ASSERT_EQUAL(gathering_choose(only_long, 3, 9, GATHERING_PART * 5 * MS), 2);
    CU_ASSERT_EQUAL(gathering_choose(only_short, 3, 9, UINT64_MAX), 1);
    CU_ASSERT_EQUAL(gathering_choose(none, 3, 9, UINT64_MAX - 1), 0);
}

static void the_average_follows_and_stays_between(void) {
    uint64_t average = gathering_average(0, 8 * MS);
    CU_ASSERT_EQUAL(average, 8 * MS);
    CU_ASSERT_EQUAL(gathering_average(average, 16 * MS), 9 * MS);
    CU_ASSERT_EQUAL(gathering_average(average, 0), 7 * MS);
    for (int i = 0; i < 100; i++)
        average = gathering_average(average, 40 * MS);
    CU_ASSERT_TRUE(average > 39 * MS && average <= 40 * MS);
    CU_ASSERT_EQUAL(gathering_average(UINT64_MAX, UINT64_MAX), UINT64_MAX);
}

QUIRE_TEST_MAIN("gathering", NULL, NULL, {"one_of_few_waits_for_nobody", one_of_few_waits_for_nobody},
                {"nobody_waits_longer_than_a_part_of_what_replies_take",
                 nobody_waits_longer_than_a_part_of_what_replies_take},
                {"a_wait_that_is_switched_off_is_not_chosen", a_wait_that_is_switched_off_is_not_chosen},
                {"the_average_follows_and_stays_between", the_average_follows_and_stays_between})
