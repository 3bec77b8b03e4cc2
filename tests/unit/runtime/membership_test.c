#include "runtime/membership.h"
#include "unit/suite.h"

#define SECOND_NS UINT64_C(1000000000)

static const uint64_t joined_ns = 100 * SECOND_NS;

static void who_never_joined_may_leave(void) {
    struct quire_membership membership = {0};
    CU_ASSERT_FALSE(quire_membership_joining(&membership, joined_ns));
    CU_ASSERT_TRUE(quire_membership_may_leave(&membership, joined_ns));
}

/* Else the group waits for its session time-out, and its callers with it. */
static void nobody_leaves_in_the_middle_of_a_round(void) {
    struct quire_membership membership = {.joined_ns = joined_ns, .joining = true};
    CU_ASSERT_TRUE(quire_membership_joining(&membership, joined_ns + 2 * SECOND_NS));
    CU_ASSERT_FALSE(quire_membership_may_leave(&membership, joined_ns + 2 * SECOND_NS));
}

static void a_coordinator_that_never_answers_holds_nobody_up(void) {
    struct quire_membership membership = {.joined_ns = joined_ns, .joining = true};
    CU_ASSERT_FALSE(quire_membership_joining(&membership, joined_ns + 3 * SECOND_NS));
    CU_ASSERT_TRUE(quire_membership_may_leave(&membership, joined_ns + 3 * SECOND_NS));
}

static void nobody_leaves_before_the_others_can_join_again(void) {
    struct quire_membership membership = {.joined_ns = joined_ns};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    quire_membership_watch(&membership, conf, 100);
    rd_kafka_conf_destroy(conf);
    CU_ASSERT_FALSE(quire_membership_joining(&membership, joined_ns + 1));
    CU_ASSERT_FALSE(quire_membership_may_leave(&membership, joined_ns + SECOND_NS));
    CU_ASSERT_FALSE(quire_membership_may_leave(&membership, joined_ns + SECOND_NS + SECOND_NS / 20));
    CU_ASSERT_TRUE(quire_membership_may_leave(&membership, joined_ns + 2 * SECOND_NS));
}

QUIRE_TEST_MAIN("membership", NULL, NULL, {"who_never_joined_may_leave", who_never_joined_may_leave},
                {"nobody_leaves_in_the_middle_of_a_round", nobody_leaves_in_the_middle_of_a_round},
                {"a_coordinator_that_never_answers_holds_nobody_up", a_coordinator_that_never_answers_holds_nobody_up},
                {"nobody_leaves_before_the_others_can_join_again", nobody_leaves_before_the_others_can_join_again})
