/* A thread beside a ring, for what would keep the ring from everybody else for milliseconds: large bodies that become
 * messages, large values that become answers.
 *
 * Jobs run one after the other, in the order in which they were given, and come back the same way. Ring thread only,
 * but for a job's `run`. */
#ifndef QUIRE_GATEWAY_ASIDE_H
#define QUIRE_GATEWAY_ASIDE_H

#include "base/slice.h"

struct aside;

/* Part of what it works on, which stays where it is, and is touched by nobody else, until the job has come back. */
struct aside_job {
    struct aside_job *next;
    void (*run)(struct aside_job *job);  /* on the thread beside */
    void (*done)(struct aside_job *job); /* for whoever takes it back */
};

/* event_fd is an eventfd that stays the caller's: 1 is added to it for each job that can be taken back. NULL without
 * memory or thread. */
QUIRE_MUSTCHECK struct aside *aside_create(unsigned jobs_max, int event_fd);
/* False when jobs_max are under way: do it yourself. */
QUIRE_MUSTCHECK bool aside_give(struct aside *aside, struct aside_job *job);
/* A job that has run; NULL when there is none. */
struct aside_job *aside_take(struct aside *aside);
/* Ends the thread after the job in its hands. All that are under way can be taken then, those too that haven't run. */
void aside_stop(struct aside *aside);
/* No job is under way. Takes NULL. */
void aside_destroy(struct aside *aside);

#endif
