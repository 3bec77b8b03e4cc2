/* The small parts that keep the gateway within bounds: the body budget, timers, the ring's keys, the probe's verdicts,
 * targets. */
#include "unit/suite.h"

#include "gateway/budget.h"
#include "gateway/probe.h"
#include "gateway/ring.h"
#include "gateway/target.h"
#include "gateway/timers.h"

#include <errno.h>
#include <stdio.h>

static void the_budget_is_never_passed_and_all_of_it_comes_back(void) {
    static struct budget budget;
    struct body body = {NULL, 0, 0};
    static uint8_t piece[3000];
    budget_init(&budget, 8192, 8192);
    CU_ASSERT_TRUE(body_append(&body, &budget, 1, (struct quire_slice){piece, 1}, 6000));
    CU_ASSERT_EQUAL(atomic_load(&budget.used_bytes), body.room_bytes);
    CU_ASSERT_TRUE(body_append(&body, &budget, 1, (struct quire_slice){piece, 3000}, 6000));
    CU_ASSERT_TRUE(body_append(&body, &budget, 1, (struct quire_slice){piece, 2999}, 6000));
    CU_ASSERT_EQUAL(body.size, 6000);
    CU_ASSERT_EQUAL(body.room_bytes, 6000); /* never more than the body may have */
    CU_ASSERT_FALSE(budget_take(&budget, 2, 2193));
    CU_ASSERT_TRUE(budget_take(&budget, 2, 2192));
    struct body second = {NULL, 0, 0};
    CU_ASSERT_FALSE(body_append(&second, &budget, 3, (struct quire_slice){piece, 1}, 6000));
    budget_give(&budget, 2, 2192);
    body_clear(&body, &budget, 1);
    CU_ASSERT_EQUAL(atomic_load(&budget.used_bytes), 0);
    for (size_t i = 0; i < BUDGET_SHARES; i++)
        CU_ASSERT_EQUAL(atomic_load(&budget.shares[i]), 0);
}

static void an_address_has_its_share_and_no_more(void) {
    static struct budget budget;
    budget_init(&budget, 8192, 5000);
    CU_ASSERT_TRUE(budget_take(&budget, 1, 5000));
    CU_ASSERT_FALSE(budget_take(&budget, 1, 1));
    CU_ASSERT_TRUE(budget_take(&budget, 2, 3192));
    CU_ASSERT_FALSE(budget_take(&budget, 2, 1)); /* its share has room, the whole has none */
    CU_ASSERT_EQUAL(atomic_load(&budget.shares[2]), 3192);
    budget_give(&budget, 1, 5000);
    CU_ASSERT_TRUE(budget_take(&budget, 1, 5000));

    struct client_address one, same, other;
    CU_ASSERT_TRUE_FATAL(client_address_parse(quire_slice_of("2001:db8:0:1::1"), &one));
    CU_ASSERT_TRUE_FATAL(client_address_parse(quire_slice_of("2001:db8:0:1:ffff::2"), &same));
    CU_ASSERT_EQUAL(budget_share(&budget, &one), budget_share(&budget, &same));
    unsigned apart = 0;
    for (unsigned i = 0; i < 200; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "192.0.2.%u", i);
        CU_ASSERT_TRUE_FATAL(client_address_parse(quire_slice_of(text), &other));
        CU_ASSERT_TRUE(budget_share(&budget, &other) < BUDGET_SHARES);
        apart += budget_share(&budget, &other) != budget_share(&budget, &one);
    }
    CU_ASSERT_TRUE(apart > 190);
}

static void timers_come_due_in_order_and_only_when_armed(void) {
    struct timers timers;
    struct timer a = {0}, b = {0};
    timers_init(&timers, 10);
    timer_disarm(&a); /* harmless */
    timer_arm(&timers, &a, 100);
    timer_arm(&timers, &b, 101);
    CU_ASSERT_PTR_NULL(timers_due(&timers, 109));
    timer_arm(&timers, &a, 105); /* anew: now after b */
    CU_ASSERT_PTR_EQUAL(timers_due(&timers, 120), &b);
    timer_disarm(&a);
    CU_ASSERT_PTR_NULL(timers_due(&timers, 1000));
}

static void a_key_comes_back_whole(void) {
    struct ring_key key = {RING_SLOT_MAX, UINT32_MAX}, back;
    CU_ASSERT_EQUAL(ring_key_unpack(ring_key_pack(RING_CLOSE, key), &back), RING_CLOSE);
    CU_ASSERT_EQUAL(back.slot, key.slot);
    CU_ASSERT_EQUAL(back.generation, key.generation);
    CU_ASSERT_EQUAL(ring_key_unpack(ring_key_pack(RING_ACCEPT, (struct ring_key){1, 2}), &back), RING_ACCEPT);
    CU_ASSERT_EQUAL(back.slot, 1);
    CU_ASSERT_EQUAL(back.generation, 2);
}

static void the_probe_tells_the_causes_apart(void) {
    CU_ASSERT_TRUE(probe_judge(&(struct probe_facts){.error = 0}).usable);
    struct probe_verdict disabled = probe_judge(&(struct probe_facts){.error = EPERM, .disabled = 2, .seccomp = 2});
    struct probe_verdict seccomp = probe_judge(&(struct probe_facts){.error = EPERM, .disabled = 0, .seccomp = 2});
    struct probe_verdict old = probe_judge(&(struct probe_facts){.error = EINVAL, .disabled = -1});
    CU_ASSERT_PTR_NOT_NULL(strstr(disabled.cause, "kernel.io_uring_disabled is 2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(disabled.cure, "sysctl"));
    CU_ASSERT_PTR_NOT_NULL(strstr(seccomp.cause, "seccomp"));
    CU_ASSERT_PTR_NOT_NULL(strstr(old.cure, "6.1"));
    for (int error = 1; error < 134; error++) {
        struct probe_verdict verdict =
            probe_judge(&(struct probe_facts){.error = error, .disabled = error % 4 - 1, .seccomp = error % 3});
        CU_ASSERT_TRUE(!verdict.usable && verdict.cause != NULL && verdict.cure != NULL);
    }
}

static enum target_result parse(const char *text, struct target *ret_target) {
    static struct quire_arena arena;
    quire_arena_deinit(&arena);
    quire_arena_init(&arena, 1 << 16);
    return target_parse(&arena, quire_slice_of(text), ret_target);
}

static void targets_are_taken_apart(void) {
    struct target target;
    CU_ASSERT_EQUAL(parse("/a/b%2Fc/?x=/1", &target), TARGET_FINE);
    CU_ASSERT_EQUAL(target.segments_count, 3);
    CU_ASSERT_TRUE(quire_slice_equal(target.segments[1], QUIRE_SLICE_LITERAL("b/c")));
    CU_ASSERT_EQUAL(target.segments[2].size, 0);
    CU_ASSERT_TRUE(quire_slice_equal(target.query, QUIRE_SLICE_LITERAL("x=/1")));
    CU_ASSERT_EQUAL(parse("HTTP://h:80?q", &target), TARGET_FINE);
    CU_ASSERT_TRUE(quire_slice_equal(target.authority, QUIRE_SLICE_LITERAL("h:80")));
    CU_ASSERT_TRUE(quire_slice_equal(target.path, QUIRE_SLICE_LITERAL("/")));
    CU_ASSERT_EQUAL(parse("/%", &target), TARGET_MALFORMED);
    CU_ASSERT_EQUAL(parse("/%4", &target), TARGET_MALFORMED);
    CU_ASSERT_EQUAL(parse("/?%g0", &target), TARGET_MALFORMED);
    CU_ASSERT_EQUAL(parse("http:///a", &target), TARGET_MALFORMED);
    CU_ASSERT_EQUAL(parse("http://u@h/a", &target), TARGET_MALFORMED);
    CU_ASSERT_EQUAL(parse("h:80", &target), TARGET_FOREIGN);
    CU_ASSERT_EQUAL(parse("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", &target), TARGET_FINE);
    CU_ASSERT_EQUAL(parse("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", &target), TARGET_TOO_DEEP);
}

static void hosts_are_found_in_their_list(void) {
    CU_ASSERT_TRUE(target_host_listed(QUIRE_SLICE_LITERAL("anything"), ""));
    CU_ASSERT_TRUE(target_host_listed(QUIRE_SLICE_LITERAL("B.org:80"), "a.org,b.org"));
    CU_ASSERT_TRUE(target_host_listed(QUIRE_SLICE_LITERAL("[::1]:80"), "[::1]"));
    CU_ASSERT_FALSE(target_host_listed(QUIRE_SLICE_LITERAL("b.or"), "a.org,b.org"));
    CU_ASSERT_FALSE(target_host_listed(QUIRE_SLICE_LITERAL(""), "a.org,"));
}

QUIRE_TEST_MAIN("bounds", NULL, NULL,
                {"the_budget_is_never_passed_and_all_of_it_comes_back",
                 the_budget_is_never_passed_and_all_of_it_comes_back},
                {"an_address_has_its_share_and_no_more", an_address_has_its_share_and_no_more},
                {"timers_come_due_in_order_and_only_when_armed", timers_come_due_in_order_and_only_when_armed},
                {"a_key_comes_back_whole", a_key_comes_back_whole},
                {"the_probe_tells_the_causes_apart", the_probe_tells_the_causes_apart},
                {"targets_are_taken_apart", targets_are_taken_apart},
                {"hosts_are_found_in_their_list", hosts_are_found_in_their_list})
