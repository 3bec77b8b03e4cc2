#include "unit/suite.h"

#include "base/clock.h"
#include "runtime/link.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MS_NS UINT64_C(1000000)

/* What stands in for a server: it takes opening_ms, and lets in while `up`. */
struct server {
    atomic_int opening_ms, opened, closed;
    atomic_bool up, forgotten;
};

static struct server server;
static struct quire_log *log_;
static struct quire_metrics *metrics;

static void *open_it(void *context, char ret_error[QUIRE_LINK_ERROR_CHARACTERS]) {
    struct server *it = context;
    int ms = atomic_load(&it->opening_ms);
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * (long)MS_NS}, NULL);
    if (!atomic_load(&it->up)) {
        memcpy(ret_error, "down", 5);
        return NULL;
    }
    atomic_fetch_add(&it->opened, 1);
    return malloc(1);
}

static void close_it(void *object) {
    free(object);
    atomic_fetch_add(&server.closed, 1);
}

static void forget(void *context) {
    atomic_store(&((struct server *)context)->forgotten, true);
}

static int set_up(void) {
    log_ = quire_log_create("test", "1", QUIRE_ERROR, STDERR_FILENO);
    metrics = quire_metrics_create(10);
    return log_ == NULL || metrics == NULL;
}

static int tear_down(void) {
    quire_metrics_destroy(metrics);
    quire_log_destroy(log_);
    return 0;
}

static struct quire_link *make(bool up, int opening_ms) {
    atomic_store(&server.up, up);
    atomic_store(&server.opening_ms, opening_ms);
    atomic_store(&server.opened, 0);
    atomic_store(&server.closed, 0);
    atomic_store(&server.forgotten, false);
    struct quire_family *gauge = quire_metrics_family(metrics, QUIRE_GAUGE, "open", "", "");
    struct quire_family *counter = quire_metrics_family(metrics, QUIRE_COUNTER, "again_total", "", "");
    struct quire_link *link =
        quire_link_create(&(struct quire_link_options){.server = "it",
                                                       .away_event = "away",
                                                       .back_event = "back",
                                                       .open = open_it,
                                                       .close = close_it,
                                                       .context = &server,
                                                       .destroy_context = forget,
                                                       .first_wait_ms = 500,
                                                       .retry_ms = 100,
                                                       .log = log_,
                                                       .connected = quire_metrics_series(gauge, NULL),
                                                       .reconnects = quire_metrics_series(counter, NULL)});
    CU_ASSERT_PTR_NOT_NULL_FATAL(link);
    return link;
}

static uint64_t in_ms(uint64_t ms) {
    return quire_monotonic_ns() + ms * MS_NS;
}

/* Ends the link and waits for an attempt that is still under way: the next test has the same server. */
static void finish(struct quire_link *link) {
    quire_link_destroy(link);
    uint64_t until_ns = in_ms(2000);
    while (!atomic_load(&server.forgotten) && quire_monotonic_ns() < until_ns)
        nanosleep(&(struct timespec){.tv_nsec = 5 * (long)MS_NS}, NULL);
    CU_ASSERT_TRUE(atomic_load(&server.forgotten));
    CU_ASSERT_EQUAL(atomic_load(&server.opened), atomic_load(&server.closed));
}

static void the_first_attempt_is_waited_for(void) {
    struct quire_link *link = make(true, 60);
    void *object = quire_link_get(link, in_ms(400));
    CU_ASSERT_PTR_NOT_NULL(object);
    CU_ASSERT_PTR_EQUAL(quire_link_get(link, 0), object);
    finish(link);
    CU_ASSERT_EQUAL(atomic_load(&server.closed), 1);
}

/* Else a host that swallows packets would stop the worker at every batch. */
static void later_attempts_stop_nobody(void) {
    struct quire_link *link = make(false, 0);
    CU_ASSERT_PTR_NULL(quire_link_get(link, in_ms(400)));
    uint64_t begun_ns = quire_monotonic_ns();
    CU_ASSERT_PTR_NULL(quire_link_get(link, in_ms(400))); /* not yet time for another */
    CU_ASSERT_TRUE(quire_monotonic_ns() - begun_ns < 200 * MS_NS);
    atomic_store(&server.opening_ms, 300);
    nanosleep(&(struct timespec){.tv_nsec = 120 * (long)MS_NS}, NULL);
    begun_ns = quire_monotonic_ns();
    for (int i = 0; i < 5; i++)
        CU_ASSERT_PTR_NULL(quire_link_get(link, in_ms(400)));
    CU_ASSERT_TRUE(quire_monotonic_ns() - begun_ns < 250 * MS_NS); /* 50 ms for all of them together */
    finish(link);
}

static void a_server_that_comes_back_is_found(void) {
    struct quire_link *link = make(false, 0);
    CU_ASSERT_PTR_NULL(quire_link_get(link, in_ms(400)));
    atomic_store(&server.up, true);
    uint64_t until_ns = in_ms(2000);
    while (quire_link_get(link, 0) == NULL && quire_monotonic_ns() < until_ns)
        nanosleep(&(struct timespec){.tv_nsec = 5 * (long)MS_NS}, NULL);
    CU_ASSERT_PTR_NOT_NULL(quire_link_get(link, 0));
    nanosleep(&(struct timespec){.tv_nsec = 110 * (long)MS_NS}, NULL);
    quire_link_drop(link, "broken");
    CU_ASSERT_PTR_NOT_NULL(quire_link_get(link, in_ms(400))); /* it had lasted: at once */
    CU_ASSERT_EQUAL(atomic_load(&server.opened), 2);
    finish(link);
    CU_ASSERT_EQUAL(atomic_load(&server.closed), 2);
}

/* Else a worker would take requests while it still connects, and refuse them. */
static void an_attempt_under_way_settles_nothing(void) {
    struct quire_link *link = make(false, 100);
    CU_ASSERT_FALSE(quire_link_settled(link));
    CU_ASSERT_PTR_NULL(quire_link_get(link, 0));
    CU_ASSERT_FALSE(quire_link_settled(link));
    CU_ASSERT_PTR_NULL(quire_link_get(link, in_ms(400)));
    CU_ASSERT_TRUE(quire_link_settled(link));
    finish(link);
    link = make(true, 0);
    CU_ASSERT_PTR_NOT_NULL(quire_link_get(link, in_ms(400)));
    CU_ASSERT_TRUE(quire_link_settled(link));
    finish(link);
}

/* A connection that comes when nobody wants it any more must not stay open; nor may an endless attempt hold up the stop
 * of the process. */
static void an_attempt_may_outlive_its_link(void) {
    struct quire_link *link = make(true, 150);
    CU_ASSERT_PTR_NULL(quire_link_get(link, 0));
    finish(link);
    CU_ASSERT_EQUAL(atomic_load(&server.closed), 1);
    link = make(true, 3500);
    CU_ASSERT_PTR_NULL(quire_link_get(link, 0));
    uint64_t begun_ns = quire_monotonic_ns();
    quire_link_destroy(link);
    CU_ASSERT_TRUE(quire_monotonic_ns() - begun_ns < 3200 * MS_NS);
    uint64_t until_ns = in_ms(5000);
    while (!atomic_load(&server.forgotten) && quire_monotonic_ns() < until_ns)
        nanosleep(&(struct timespec){.tv_nsec = 5 * (long)MS_NS}, NULL);
    CU_ASSERT_EQUAL(atomic_load(&server.opened), 1);
    CU_ASSERT_EQUAL(atomic_load(&server.closed), 1);
}

QUIRE_TEST_MAIN("link", set_up, tear_down, {"the_first_attempt_is_waited_for", the_first_attempt_is_waited_for},
                {"later_attempts_stop_nobody", later_attempts_stop_nobody},
                {"a_server_that_comes_back_is_found", a_server_that_comes_back_is_found},
                {"an_attempt_under_way_settles_nothing", an_attempt_under_way_settles_nothing},
                {"an_attempt_may_outlive_its_link", an_attempt_may_outlive_its_link})
