/* The thread beside a ring: if it failed, a large body would keep the ring from everybody else, or be lost. */
#include "gateway/aside.h"

#include "unit/suite.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define JOBS_MAX 3u

struct work {
    struct aside_job job; /* first */
    pthread_t ran_on;
    bool ran;
};

static struct fixture {
    int event_fd;
    struct aside *aside;
    struct work works[JOBS_MAX + 1];
    sem_t begun, may_end; /* of the job that holds the thread */
} f;

static void run(struct aside_job *job) {
    struct work *work = (struct work *)job;
    work->ran_on = pthread_self();
    work->ran = true;
}

static void run_when_told(struct aside_job *job) {
    sem_post(&f.begun);
    sem_wait(&f.may_end);
    run(job);
}

static void begin(void) {
    f = (struct fixture){.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    sem_init(&f.begun, 0, 0);
    sem_init(&f.may_end, 0, 0);
    f.aside = aside_create(JOBS_MAX, f.event_fd);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.aside);
    for (unsigned i = 0; i <= JOBS_MAX; i++)
        f.works[i].job.run = run;
}

static void end(void) {
    aside_destroy(f.aside);
    close(f.event_fd);
    sem_destroy(&f.begun);
    sem_destroy(&f.may_end);
}

/* The next job that comes back, waited for as the ring waits. */
static struct aside_job *take(void) {
    struct aside_job *job;
    while ((job = aside_take(f.aside)) == NULL) {
        struct pollfd readable = {.fd = f.event_fd, .events = POLLIN};
        uint64_t count;
        if (poll(&readable, 1, 5000) != 1)
            return NULL;
        (void)!read(f.event_fd, &count, sizeof count);
    }
    return job;
}

static void jobs_run_on_another_thread_and_come_back_in_order(void) {
    begin();
    for (unsigned i = 0; i < JOBS_MAX; i++)
        CU_ASSERT_TRUE(aside_give(f.aside, &f.works[i].job));
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        CU_ASSERT_PTR_EQUAL(take(), &f.works[i].job);
        CU_ASSERT_TRUE(f.works[i].ran && !pthread_equal(f.works[i].ran_on, pthread_self()));
    }
    CU_ASSERT_PTR_NULL(aside_take(f.aside));
    end();
}

/* Full is said at once; and a place is free again when a job was taken back, not before. */
static void no_more_than_its_bound_are_under_way(void) {
    begin();
    for (unsigned i = 0; i < JOBS_MAX; i++)
        CU_ASSERT_TRUE(aside_give(f.aside, &f.works[i].job));
    CU_ASSERT_FALSE(aside_give(f.aside, &f.works[JOBS_MAX].job));
    CU_ASSERT_PTR_NOT_NULL(take());
    CU_ASSERT_TRUE(aside_give(f.aside, &f.works[JOBS_MAX].job));
    for (unsigned i = 0; i < JOBS_MAX; i++)
        CU_ASSERT_PTR_NOT_NULL(take());
    end();
}

static void *let_end(void *none) {
    usleep(20000); /* so that aside_stop waits */
    sem_post(&f.may_end);
    return none;
}

/* A process that ends gets back what it gave away: the job in hand when it is done, the others as they were. */
static void stop_waits_for_one_job_and_gives_back_the_rest(void) {
    pthread_t other;
    begin();
    f.works[0].job.run = run_when_told;
    for (unsigned i = 0; i < JOBS_MAX; i++)
        CU_ASSERT_TRUE(aside_give(f.aside, &f.works[i].job));
    sem_wait(&f.begun);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&other, NULL, let_end, NULL), 0);
    aside_stop(f.aside);
    pthread_join(other, NULL);
    CU_ASSERT_PTR_EQUAL(aside_take(f.aside), &f.works[0].job);
    CU_ASSERT_TRUE(f.works[0].ran);
    CU_ASSERT_PTR_EQUAL(aside_take(f.aside), &f.works[1].job);
    CU_ASSERT_PTR_EQUAL(aside_take(f.aside), &f.works[2].job);
    CU_ASSERT_FALSE(f.works[1].ran || f.works[2].ran);
    CU_ASSERT_PTR_NULL(aside_take(f.aside));
    end();
}

QUIRE_TEST_MAIN("aside", NULL, NULL,
                {"jobs_run_on_another_thread_and_come_back_in_order",
                 jobs_run_on_another_thread_and_come_back_in_order},
                {"no_more_than_its_bound_are_under_way", no_more_than_its_bound_are_under_way},
                {"stop_waits_for_one_job_and_gives_back_the_rest", stop_waits_for_one_job_and_gives_back_the_rest})
