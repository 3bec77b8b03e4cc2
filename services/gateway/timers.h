/* Timers that all wait equally long: a list in order of arming, so that arming, disarming and finding the next are each
 * O(1). Ten thousand idle connections cost nothing until one is due. One thread. */
#ifndef QUIRE_GATEWAY_TIMERS_H
#define QUIRE_GATEWAY_TIMERS_H

#include "base/slice.h"

/* Embedded in what it times. Armed exactly when next isn't NULL. */
struct timer {
    struct timer *previous, *next;
    uint64_t due_ns;
};

struct timers {
    struct timer ends; /* next is the earliest */
    uint64_t delay_ns;
};

void timers_init(struct timers *timers, uint64_t delay_ns);
/* From now on; a timer armed already, here or elsewhere, begins anew. */
void timer_arm(struct timers *timers, struct timer *timer, uint64_t now_ns);
void timer_disarm(struct timer *timer);
/* Takes out one that is due; NULL when there is none. */
struct timer *timers_due(struct timers *timers, uint64_t now_ns);

#endif
