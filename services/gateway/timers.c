#include "gateway/timers.h"

void timers_init(struct timers *timers, uint64_t delay_ns) {
    timers->ends = (struct timer){.previous = &timers->ends, .next = &timers->ends};
    timers->delay_ns = delay_ns;
}

void timer_disarm(struct timer *timer) {
    if (timer->next == NULL)
        return;
    timer->previous->next = timer->next;
    timer->next->previous = timer->previous;
    timer->previous = timer->next = NULL;
}

void timer_arm(struct timers *timers, struct timer *timer, uint64_t now_ns) {
    timer_disarm(timer);
    timer->due_ns = now_ns + timers->delay_ns;
    timer->next = &timers->ends;
    timer->previous = timers->ends.previous;
    timer->previous->next = timer;
    timers->ends.previous = timer;
}

struct timer *timers_due(struct timers *timers, uint64_t now_ns) {
    struct timer *first = timers->ends.next;
    if (first == &timers->ends || first->due_ns > now_ns)
        return NULL;
    timer_disarm(first);
    return first;
}
