#include "gateway/aside.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* As the workers of bulk lanes: where processors are scarce, what is large stands back. */
#define NICE 10

struct jobs {
    struct aside_job *first, *last;
};

struct aside {
    unsigned jobs_max, under_way; /* given and not taken back; ring thread */
    int event_fd;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct jobs waiting, ran; /* by lock, as `stopping` */
    bool stopping;
};

static void append(struct jobs *jobs, struct aside_job *job) {
    job->next = NULL;
    if (jobs->first == NULL)
        jobs->first = job;
    else
        jobs->last->next = job;
    jobs->last = job;
}

static struct aside_job *take_first(struct jobs *jobs) {
    struct aside_job *job = jobs->first;
    if (job != NULL)
        jobs->first = job->next;
    return job;
}

/* NULL: the thread is to end. */
static struct aside_job *next_job(struct aside *aside) {
    struct aside_job *job = NULL;
    pthread_mutex_lock(&aside->lock);
    while (!aside->stopping && (job = take_first(&aside->waiting)) == NULL)
        pthread_cond_wait(&aside->changed, &aside->lock);
    pthread_mutex_unlock(&aside->lock);
    return job;
}

static void *work(void *argument) {
    struct aside *aside = argument;
    const uint64_t one = 1;
    struct aside_job *job;
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* of this thread (setpriority(2)); anyone may raise it */
    while ((job = next_job(aside)) != NULL) {
        job->run(job);
        pthread_mutex_lock(&aside->lock);
        append(&aside->ran, job);
        pthread_mutex_unlock(&aside->lock);
        (void)!write(aside->event_fd, &one, sizeof one); /* the ring looks from time to time in any case */
    }
    return NULL;
}

struct aside *aside_create(unsigned jobs_max, int event_fd) {
    struct aside *aside = calloc(1, sizeof *aside);
    if (aside == NULL)
        return NULL;
    aside->jobs_max = jobs_max;
    aside->event_fd = event_fd;
    pthread_mutex_init(&aside->lock, NULL);
    pthread_cond_init(&aside->changed, NULL);
    aside->started = pthread_create(&aside->thread, NULL, work, aside) == 0;
    if (aside->started)
        return aside;
    aside_destroy(aside);
    return NULL;
}

bool aside_give(struct aside *aside, struct aside_job *job) {
    if (aside->under_way == aside->jobs_max)
        return false;
    aside->under_way++;
    pthread_mutex_lock(&aside->lock);
    append(&aside->waiting, job);
    pthread_cond_signal(&aside->changed);
    pthread_mutex_unlock(&aside->lock);
    return true;
}

struct aside_job *aside_take(struct aside *aside) {
    if (aside->under_way == 0) /* as nearly always: no lock is taken */
        return NULL;
    pthread_mutex_lock(&aside->lock);
    struct aside_job *job = take_first(&aside->ran);
    if (job == NULL && !aside->started) /* the thread has ended: what it left comes back as it was */
        job = take_first(&aside->waiting);
    pthread_mutex_unlock(&aside->lock);
    aside->under_way -= job != NULL;
    return job;
}

void aside_stop(struct aside *aside) {
    if (!aside->started)
        return;
    pthread_mutex_lock(&aside->lock);
    aside->stopping = true;
    pthread_cond_signal(&aside->changed);
    pthread_mutex_unlock(&aside->lock);
    pthread_join(aside->thread, NULL);
    aside->started = false;
}

void aside_destroy(struct aside *aside) {
    if (aside == NULL)
        return;
    aside_stop(aside);
    assert(aside->under_way == 0);
    pthread_cond_destroy(&aside->changed);
    pthread_mutex_destroy(&aside->lock);
    free(aside);
}
