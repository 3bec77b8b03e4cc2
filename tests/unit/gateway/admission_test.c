/* Who may join a lane's queue. Time is the test's; a lane is played by answering so many requests a second. */
#include "gateway/admission.h"

#include "unit/suite.h"

#define MS UINT64_C(1000000)
#define QUEUE_MS 2000u
#define TIMEOUT_NS (5000 * MS)
#define ALWAYS 64u /* of the lane `quick`: four batches of its workers are more */

static const struct quire_lane lanes[] = {
    {.name = "quick", .topic = "q.quick", .batch_max = 128, .workers = 2},
    {.name = "slow", .topic = "q.slow", .batch_max = 1, .workers = 1},
};
static const struct quire_contract_service services[] = {{.name = "first", .lanes = lanes, .lanes_count = 1},
                                                         {.name = "second", .lanes = lanes, .lanes_count = 2}};
static const struct quire_contract contract = {.services = services, .services_count = 2};

static struct fixture {
    struct admission *admission;
    struct admission_lane *lane;
    uint64_t now_ns;
    unsigned in_flight, admitted, refused;
} f;

static int tear_down(void) {
    admission_destroy(f.admission);
    return 0;
}

/* Each test has lanes of its own. */
static void renew(void) {
    admission_destroy(f.admission);
    f = (struct fixture){.admission = admission_create(&contract, QUEUE_MS * MS), .now_ns = 12345 * MS};
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.admission);
    f.lane = admission_lane_of(f.admission, &services[1], 0);
}

static bool ask_for(uint64_t timeout_ns) {
    const bool admitted = admission_admits(f.lane, f.now_ns, timeout_ns);
    if (admitted) {
        admission_begin(f.lane, f.now_ns);
        f.in_flight++;
        f.admitted++;
    } else {
        f.refused++;
    }
    return admitted;
}

static bool ask(void) {
    return ask_for(TIMEOUT_NS);
}

static void end(unsigned count, enum admission_end how) {
    for (; count > 0 && f.in_flight > 0; count--, f.in_flight--)
        admission_end(f.lane, f.now_ns, how);
}

/* `ms` milliseconds, in each of which so many ask and so many are answered. */
static void pass(unsigned ms, unsigned asking, unsigned answered) {
    f.admitted = f.refused = 0;
    for (; ms > 0; ms--) {
        f.now_ns += MS;
        end(answered, ADMISSION_ANSWERED);
        for (unsigned i = 0; i < asking; i++)
            (void)ask();
    }
}

/* The whole point: three times the capacity, and the queue is no longer than was allowed, yet never empty. */
static void queue_of_an_overloaded_lane_is_what_it_answers_in_the_time(void) {
    renew();
    pass(5000, 3, 1);
    for (unsigned i = 0; i < 20; i++) {
        pass(250, 3, 1);
        CU_ASSERT_TRUE(f.in_flight > QUEUE_MS * 8 / 10);
        CU_ASSERT_TRUE(f.in_flight < QUEUE_MS * 11 / 10);
        CU_ASSERT_TRUE(f.admitted >= 225 && f.admitted <= 275); /* as many as are answered */
    }
    CU_ASSERT_TRUE(f.refused > 0);
}

/* At the onset too: nobody who was let in waits for longer than a deadline. */
static void onset_of_ten_times_the_capacity_stays_within_the_deadline(void) {
    renew();
    unsigned most = 0;
    for (unsigned i = 0; i < 8000; i++) {
        pass(1, 10, 1);
        most = f.in_flight > most ? f.in_flight : most;
    }
    CU_ASSERT_TRUE(most < 5000);
}

static void queue_shrinks_with_the_lane(void) {
    renew();
    pass(5000, 12, 4);
    CU_ASSERT_TRUE(f.in_flight > 4 * QUEUE_MS * 8 / 10);
    pass(8000, 12, 1); /* a consumer has died */
    CU_ASSERT_TRUE(f.in_flight < QUEUE_MS * 11 / 10);
    pass(4000, 12, 4); /* and is back */
    CU_ASSERT_TRUE(f.in_flight > 4 * QUEUE_MS * 8 / 10);
}

static void load_below_the_capacity_is_never_refused(void) {
    renew();
    pass(10000, 2, 2);
    CU_ASSERT_EQUAL(f.refused, 0);
}

/* A thousand people press Enter in the same moment. */
static void burst_on_an_idle_lane_is_taken(void) {
    renew();
    for (unsigned i = 0; i < 1000; i++)
        CU_ASSERT_TRUE(ask());
    pass(1000, 0, 1);
    CU_ASSERT_EQUAL(f.in_flight, 0);
    pass(5000, 1, 1); /* and what the burst showed is forgotten, as the lane was idle */
    CU_ASSERT_EQUAL(f.refused, 0);
}

/* What was answered in the quiet before says how much was asked, not how quick the lane is. */
static void crowd_on_a_lane_of_which_little_was_asked_is_taken(void) {
    renew();
    for (unsigned i = 0; i < 30; i++) {
        (void)ask();
        pass(100, 0, 1);
    }
    for (unsigned i = 0; i < 1500; i++)
        (void)ask();
    pass(3000, 1, 1); /* a wait of a second and a half all the time */
    CU_ASSERT_EQUAL(f.in_flight, 1500);
    CU_ASSERT_EQUAL(f.refused, 0);
}

/* Else each restart of a consumer would fail requests that can wait for it. */
static void standing_lane_takes_a_little_and_refuses_the_rest(void) {
    renew();
    for (unsigned i = 0; i < ALWAYS; i++)
        CU_ASSERT_TRUE(ask());
    f.now_ns += QUEUE_MS / 4 * MS - 1;
    CU_ASSERT_TRUE(ask()); /* a burst, as far as one can tell */
    f.now_ns += 1;
    CU_ASSERT_FALSE(ask());
    end(1, ADMISSION_EXPIRED);
    CU_ASSERT_FALSE(ask());
    end(1, ADMISSION_EXPIRED);
    CU_ASSERT_TRUE(ask()); /* one of the 64 again: who finds out that the consumer is back */
    CU_ASSERT_FALSE(ask());
}

static void standstill_of_a_second_under_load_refuses_nobody(void) {
    renew();
    pass(3000, 1, 1);
    pass(900, 1, 0);
    CU_ASSERT_EQUAL(f.refused, 0);
    pass(2000, 1, 0);
    CU_ASSERT_TRUE(f.refused > 0);
    pass(3000, 1, 4); /* back, and quicker than what is asked */
    pass(3000, 1, 2);
    CU_ASSERT_EQUAL(f.refused, 0);
}

static void who_has_less_time_than_the_wait_is_refused_sooner(void) {
    renew();
    pass(3000, 1, 1);
    pass(1000, 2, 1); /* makes a wait of a second */
    CU_ASSERT_TRUE(ask_for(1500 * MS));
    CU_ASSERT_FALSE(ask_for(500 * MS));
    CU_ASSERT_TRUE(ask());
}

/* Callers who hang up and ask again would else fill the topic behind the gateway's back. */
static void abandoned_requests_count_until_the_queue_has_passed(void) {
    renew();
    pass(3000, 1, 1);
    f.admitted = 0;
    for (unsigned i = 0; i < 2000; i++) {
        f.now_ns += MS;
        for (unsigned k = 0; k < 10; k++)
            (void)ask();
        end(1000000, ADMISSION_ABANDONED);
    }
    CU_ASSERT_TRUE(f.admitted < 3 * QUEUE_MS); /* of ten times that who asked */
    f.now_ns += 2 * QUEUE_MS * MS;
    CU_ASSERT_TRUE(ask());
}

static void lanes_are_apart(void) {
    renew();
    struct admission_lane *slow = admission_lane_of(f.admission, &services[1], 1);
    CU_ASSERT_PTR_NOT_EQUAL(admission_lane_of(f.admission, &services[0], 0), f.lane);
    pass(5000, 3, 1);
    CU_ASSERT_FALSE(ask() && ask() && ask());
    CU_ASSERT_TRUE(admission_admits(slow, f.now_ns, TIMEOUT_NS));
    f.lane = slow;
    f.in_flight = 0;
    for (unsigned i = 0; i < 4; i++) /* the least that always may wait */
        CU_ASSERT_TRUE(ask());
    f.now_ns += QUEUE_MS * MS;
    CU_ASSERT_FALSE(ask());
}

static void without_the_bound_all_are_admitted(void) {
    renew();
    struct admission *unbounded = admission_create(&contract, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(unbounded);
    f.lane = admission_lane_of(unbounded, &services[0], 0);
    pass(1000, 10, 0);
    CU_ASSERT_EQUAL(f.refused, 0);
    end(1, ADMISSION_ANSWERED);
    end(1, ADMISSION_ABANDONED);
    admission_destroy(unbounded);
}

static void refusing_is_told_when_it_begins_and_when_it_has_ended(void) {
    renew();
    struct admission_news news;
    CU_ASSERT_FALSE(admission_next_news(f.admission, f.now_ns, &news));
    pass(5000, 3, 1);
    CU_ASSERT_TRUE_FATAL(admission_next_news(f.admission, f.now_ns, &news));
    CU_ASSERT_STRING_EQUAL(news.topic, "q.quick");
    CU_ASSERT_FALSE(news.ended);
    CU_ASSERT_FALSE(admission_next_news(f.admission, f.now_ns, &news));
    pass(999, 0, 2);
    CU_ASSERT_FALSE(admission_next_news(f.admission, f.now_ns, &news));
    pass(2, 0, 2);
    CU_ASSERT_TRUE_FATAL(admission_next_news(f.admission, f.now_ns, &news));
    CU_ASSERT_TRUE(news.ended);
    CU_ASSERT_TRUE(news.refused > 5000 && news.refused < 10000);
    CU_ASSERT_TRUE(news.seconds >= 3 && news.seconds <= 5);
    CU_ASSERT_FALSE(admission_next_news(f.admission, f.now_ns, &news));
}

QUIRE_TEST_MAIN(
    "admission", NULL, tear_down,
    {"queue_of_an_overloaded_lane_is_what_it_answers_in_the_time",
     queue_of_an_overloaded_lane_is_what_it_answers_in_the_time},
    {"onset_of_ten_times_the_capacity_stays_within_the_deadline",
     onset_of_ten_times_the_capacity_stays_within_the_deadline},
    {"queue_shrinks_with_the_lane", queue_shrinks_with_the_lane},
    {"load_below_the_capacity_is_never_refused", load_below_the_capacity_is_never_refused},
    {"burst_on_an_idle_lane_is_taken", burst_on_an_idle_lane_is_taken},
    {"crowd_on_a_lane_of_which_little_was_asked_is_taken", crowd_on_a_lane_of_which_little_was_asked_is_taken},
    {"standing_lane_takes_a_little_and_refuses_the_rest", standing_lane_takes_a_little_and_refuses_the_rest},
    {"standstill_of_a_second_under_load_refuses_nobody", standstill_of_a_second_under_load_refuses_nobody},
    {"who_has_less_time_than_the_wait_is_refused_sooner", who_has_less_time_than_the_wait_is_refused_sooner},
    {"abandoned_requests_count_until_the_queue_has_passed", abandoned_requests_count_until_the_queue_has_passed},
    {"lanes_are_apart", lanes_are_apart}, {"without_the_bound_all_are_admitted", without_the_bound_all_are_admitted},
    {"refusing_is_told_when_it_begins_and_when_it_has_ended", refusing_is_told_when_it_begins_and_when_it_has_ended})
