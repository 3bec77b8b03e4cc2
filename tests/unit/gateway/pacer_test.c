/* Who is answered 429 in a service's place. If it failed, an account would lose requests that its limit gives it, or a
 * storm would reach the service. Time is the test's. */
#include "gateway/pacer.h"

#include "base/token.h"

#include "unit/suite.h"

#define MS UINT64_C(1000000)
#define PACE_MS 5u
#define CALLERS_MAX 8u

static const struct quire_contract_service services[2];

static struct fixture {
    struct pacer *pacer;
    uint64_t now_ns;
    uint8_t sessions[64][QUIRE_SESSION_BYTES];
} f;

static int tear_down(void) {
    pacer_destroy(f.pacer);
    return 0;
}

/* Each test has a pacer of its own. */
static void renew(uint32_t callers_max) {
    pacer_destroy(f.pacer);
    f = (struct fixture){.pacer = pacer_create(callers_max), .now_ns = 12345 * MS};
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.pacer);
    for (size_t i = 0; i < 64; i++) /* all in one set of places, and nearly the same */
        f.sessions[i][5] = (uint8_t)i;
}

static struct pacer_caller caller(size_t session) {
    return (struct pacer_caller){&services[0], f.sessions[session]};
}

static void refuse_at(size_t session, uint64_t pace_ns) {
    const struct pacer_refusal refusal = {pace_ns, 3, QUIRE_SLICE_LITERAL("limit"), QUIRE_SLICE_LITERAL("policy")};
    pacer_learn(f.pacer, caller(session), &refusal, f.now_ns);
}

static void refuse(size_t session) {
    refuse_at(session, PACE_MS * MS);
}

static bool goes(struct pacer_caller who) {
    if (pacer_refuses(f.pacer, who, f.now_ns) != NULL)
        return false;
    pacer_pass(f.pacer, who, f.now_ns);
    return true;
}

/* So many go of one that asks each millisecond. */
static unsigned gone_in(unsigned ms, struct pacer_caller who) {
    unsigned gone = 0;
    for (; ms > 0; ms--) {
        gone += goes(who);
        f.now_ns += MS;
    }
    return gone;
}

static void who_was_never_refused_goes(void) {
    renew(CALLERS_MAX);
    CU_ASSERT_EQUAL(gone_in(100, caller(0)), 100);
    refuse(0);
    CU_ASSERT_EQUAL(gone_in(100, caller(1)), 100);                                          /* another session */
    CU_ASSERT_EQUAL(gone_in(100, (struct pacer_caller){&services[1], f.sessions[0]}), 100); /* another service */
}

/* One at once and one in each pace: the first would be lost if the refusal's own moment counted. */
static void who_was_refused_goes_at_the_pace_that_was_told(void) {
    renew(CALLERS_MAX);
    refuse(0);
    CU_ASSERT_TRUE(goes(caller(0)));
    CU_ASSERT_FALSE(goes(caller(0)));
    f.now_ns += PACE_MS * MS - 1;
    CU_ASSERT_FALSE(goes(caller(0)));
    f.now_ns += 1;
    CU_ASSERT_TRUE(goes(caller(0)));
    f.now_ns += PACE_MS * MS;
    CU_ASSERT_EQUAL(gone_in(100 * PACE_MS, caller(0)), 100);
}

/* A service counts what a pause leaves unused: one who asks in bursts would else get less than the limit gives. */
static void a_pause_is_made_up_for(void) {
    renew(CALLERS_MAX);
    refuse(0);
    f.now_ns += 20 * PACE_MS * MS;
    unsigned gone = 0;
    while (gone < 100 && goes(caller(0)))
        gone++;
    CU_ASSERT_EQUAL(gone, 21);
}

/* The refusals of what was let through push nothing back, however often they come: the account would starve. */
static void more_refusals_make_nobody_slower(void) {
    renew(CALLERS_MAX);
    unsigned gone = 0;
    for (unsigned i = 0; i < 3000; i++, f.now_ns += MS) {
        refuse(0);
        gone += goes(caller(0));
    }
    CU_ASSERT_EQUAL(gone, 3000 / PACE_MS);
}

static void a_second_after_the_last_refusal_it_is_forgotten(void) {
    renew(CALLERS_MAX);
    refuse_at(0, 60000 * MS); /* a pace longer than that doesn't make it longer */
    CU_ASSERT_TRUE(goes(caller(0)));
    f.now_ns += 1000 * MS - 1;
    CU_ASSERT_FALSE(goes(caller(0)));
    f.now_ns += 1;
    CU_ASSERT_EQUAL(gone_in(100, caller(0)), 100);
}

/* Several wait for their bodies when the first is let through: they don't close the door for many paces. */
static void who_passed_together_counts_once(void) {
    renew(CALLERS_MAX);
    refuse(0);
    CU_ASSERT_PTR_NULL(pacer_refuses(f.pacer, caller(0), f.now_ns));
    for (unsigned i = 0; i < 50; i++)
        pacer_pass(f.pacer, caller(0), f.now_ns);
    f.now_ns += PACE_MS * MS;
    CU_ASSERT_TRUE(goes(caller(0)));
}

static void who_is_logged_out_hears_it_from_the_service(void) {
    renew(CALLERS_MAX);
    refuse_at(0, 500 * MS);
    refuse_at(1, 500 * MS);
    CU_ASSERT_EQUAL(gone_in(3, caller(0)), 1);
    pacer_forget(f.pacer, caller(0), f.now_ns);
    CU_ASSERT_EQUAL(gone_in(3, caller(0)), 3);
    CU_ASSERT_EQUAL(gone_in(3, caller(1)), 1);
    pacer_forget(f.pacer, caller(2), f.now_ns); /* who isn't known */
}

static void the_answer_is_the_service_s_last_one(void) {
    renew(CALLERS_MAX);
    refuse(0);
    CU_ASSERT_TRUE(goes(caller(0)));
    char text[] = "other";
    const struct pacer_refusal last = {PACE_MS * MS, 9, quire_slice_of(text), quire_slice_of(NULL)};
    pacer_learn(f.pacer, caller(0), &last, f.now_ns);
    text[0] = '!'; /* it is a copy */
    const struct pacer_refusal *found = pacer_refuses(f.pacer, caller(0), f.now_ns);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_EQUAL(found->retry_after_s, 9);
    CU_ASSERT_TRUE(quire_slice_equal(found->rate_limit, QUIRE_SLICE_LITERAL("other")));
    CU_ASSERT_EQUAL(found->rate_limit_policy.size, 0);
}

static void what_cannot_be_kept_whole_is_not_learned(void) {
    static const uint8_t text[PACER_TEXT_MAX + 1];
    for (size_t size = PACER_TEXT_MAX; size <= PACER_TEXT_MAX + 1; size++) {
        const struct quire_slice edge = {text, size}, empty = quire_slice_of(NULL);
        for (unsigned which = 0; which < 2; which++) {
            renew(CALLERS_MAX);
            const struct pacer_refusal refusal = {PACE_MS * MS, 1, which == 0 ? edge : empty,
                                                  which == 0 ? empty : edge};
            pacer_learn(f.pacer, caller(0), &refusal, f.now_ns);
            CU_ASSERT_EQUAL(gone_in(5, caller(0)), size == PACER_TEXT_MAX ? 1 : 5);
        }
    }
    renew(1);
    refuse(0);
    CU_ASSERT_TRUE(goes(caller(0)));
    for (size_t i = 1; i < 5; i++)
        refuse_at(i, 0); /* a limit of requests at once has no pace, and takes nobody's place */
    CU_ASSERT_FALSE(goes(caller(0)));
    CU_ASSERT_TRUE(goes(caller(4)) && goes(caller(4)));
}

/* A crowd of callers over their limits: the table stays as large as it is. */
static void where_there_is_no_room_the_one_that_ends_next_makes_it(void) {
    renew(1); /* one set, of four places */
    for (size_t i = 0; i < 5; i++, f.now_ns++) {
        refuse(i);
        CU_ASSERT_TRUE(goes(caller(i)));
    }
    CU_ASSERT_TRUE(goes(caller(0)));
    for (size_t i = 1; i < 5; i++)
        CU_ASSERT_FALSE(goes(caller(i)));
}

static void without_places_all_go(void) {
    renew(0);
    refuse(0);
    CU_ASSERT_EQUAL(gone_in(100, caller(0)), 100);
    pacer_forget(f.pacer, caller(0), f.now_ns);
    pacer_destroy(NULL);
}

#define TEST(function) {#function, function}
QUIRE_TEST_MAIN("pacer", NULL, tear_down, TEST(who_was_never_refused_goes),
                TEST(who_was_refused_goes_at_the_pace_that_was_told), TEST(a_pause_is_made_up_for),
                TEST(more_refusals_make_nobody_slower), TEST(a_second_after_the_last_refusal_it_is_forgotten),
                TEST(who_passed_together_counts_once), TEST(who_is_logged_out_hears_it_from_the_service),
                TEST(the_answer_is_the_service_s_last_one), TEST(what_cannot_be_kept_whole_is_not_learned),
                TEST(where_there_is_no_room_the_one_that_ends_next_makes_it), TEST(without_places_all_go))
