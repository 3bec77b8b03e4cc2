#include "gateway/inflight.h"

#include "unit/suite.h"

#include <stdlib.h>

#define ENTRIES_MAX 64u

static struct fixture {
    struct inflight *one, *many; /* of 1 and of ENTRIES_MAX entries */
    int waiters[ENTRIES_MAX];
} f;

static int set_up(void) {
    f.one = inflight_create(1);
    f.many = inflight_create(ENTRIES_MAX);
    return f.one == NULL || f.many == NULL;
}

static int tear_down(void) {
    inflight_destroy(f.one);
    inflight_destroy(f.many);
    return 0;
}

/* Else one caller reads another's documents. */
static void late_reply_meets_no_later_request(void) {
    struct inflight_id first, second;
    CU_ASSERT_TRUE_FATAL(inflight_add(f.one, &f.waiters[0], 10, &first));
    CU_ASSERT_PTR_EQUAL(inflight_expire(f.one, 11), &f.waiters[0]);
    CU_ASSERT_TRUE_FATAL(inflight_add(f.one, &f.waiters[1], 20, &second)); /* the same slot */
    CU_ASSERT_EQUAL(first.slot, second.slot);
    CU_ASSERT_PTR_NULL(inflight_take(f.one, first));
    CU_ASSERT_PTR_EQUAL(inflight_take(f.one, second), &f.waiters[1]);
    CU_ASSERT_PTR_NULL(inflight_take(f.one, second)); /* twice */
}

static void full_table_says_no_and_is_untouched(void) {
    struct inflight_id id, other = {99, 99};
    CU_ASSERT_TRUE_FATAL(inflight_add(f.one, &f.waiters[0], 10, &id));
    CU_ASSERT_FALSE(inflight_add(f.one, &f.waiters[1], 5, &other));
    CU_ASSERT_EQUAL(other.slot, 99);
    CU_ASSERT_EQUAL(inflight_count(f.one), 1);
    CU_ASSERT_EQUAL(inflight_next_ns(f.one), 10);
    CU_ASSERT_PTR_EQUAL(inflight_take(f.one, id), &f.waiters[0]);
    CU_ASSERT_TRUE_FATAL(inflight_add(f.one, &f.waiters[1], 5, &other)); /* the next one still works */
    CU_ASSERT_PTR_EQUAL(inflight_take(f.one, other), &f.waiters[1]);
}

/* Correlation ids come off a topic that anyone on the broker may write to. */
static void ids_that_no_table_gave_meet_nobody(void) {
    CU_ASSERT_PTR_NULL(inflight_take(f.many, (struct inflight_id){ENTRIES_MAX, 0}));
    CU_ASSERT_PTR_NULL(inflight_take(f.many, (struct inflight_id){UINT32_MAX, 0}));
    CU_ASSERT_PTR_NULL(inflight_take(f.many, (struct inflight_id){0, 12345}));
}

static void deadline_is_met_exactly(void) {
    struct inflight_id id;
    CU_ASSERT_EQUAL(inflight_next_ns(f.one), UINT64_MAX);
    CU_ASSERT_TRUE_FATAL(inflight_add(f.one, &f.waiters[0], 1000, &id));
    CU_ASSERT_PTR_NULL(inflight_expire(f.one, 999));
    CU_ASSERT_PTR_EQUAL(inflight_expire(f.one, 1000), &f.waiters[0]);
    CU_ASSERT_PTR_NULL(inflight_expire(f.one, UINT64_MAX));
}

/* Random adding, taking and expiring against a plain list: the heap must give the earliest first and lose nobody. */
static void many_come_and_go_in_order_of_deadline(void) {
    struct inflight_id ids[ENTRIES_MAX];
    uint64_t deadlines[ENTRIES_MAX] = {0}; /* 0: not in the table */
    srand(7);
    for (int round = 0; round < 20000; round++) {
        size_t i = (size_t)rand() % ENTRIES_MAX;
        if (deadlines[i] == 0) {
            deadlines[i] = 1 + (uint64_t)rand() % 500;
            CU_ASSERT_TRUE_FATAL(inflight_add(f.many, &f.waiters[i], deadlines[i], &ids[i]));
        } else {
            CU_ASSERT_PTR_EQUAL_FATAL(inflight_take(f.many, ids[i]), &f.waiters[i]);
            deadlines[i] = 0;
        }
        uint64_t earliest = UINT64_MAX;
        for (size_t k = 0; k < ENTRIES_MAX; k++)
            earliest = deadlines[k] != 0 && deadlines[k] < earliest ? deadlines[k] : earliest;
        CU_ASSERT_EQUAL_FATAL(inflight_next_ns(f.many), earliest);
    }
    uint64_t last = 0;
    for (int *waiter; (waiter = inflight_expire(f.many, 1000)) != NULL;) {
        uint64_t deadline = deadlines[waiter - f.waiters];
        CU_ASSERT_TRUE(deadline >= last);
        last = deadline;
    }
    CU_ASSERT_EQUAL(inflight_count(f.many), 0);
}

QUIRE_TEST_MAIN("inflight", set_up, tear_down, {"late_reply_meets_no_later_request", late_reply_meets_no_later_request},
                {"full_table_says_no_and_is_untouched", full_table_says_no_and_is_untouched},
                {"ids_that_no_table_gave_meet_nobody", ids_that_no_table_gave_meet_nobody},
                {"deadline_is_met_exactly", deadline_is_met_exactly},
                {"many_come_and_go_in_order_of_deadline", many_come_and_go_in_order_of_deadline})
