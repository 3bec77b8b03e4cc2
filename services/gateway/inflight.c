#include "gateway/inflight.h"

#include <assert.h>
#include <stdlib.h>

#define INFLIGHT_NONE UINT32_MAX

/* Invariants:
 *   waiter == NULL  <=>  the slot is on the free list (next_free counts)
 *   waiter != NULL   =>  heap[heap_index].slot is this slot
 *   generation passes at each take, so an id names one stay in the slot only (4 billion stays until it comes again) */
struct inflight_slot {
    void *waiter;
    uint32_t generation;
    uint32_t heap_index; /* while taken */
    uint32_t next_free;  /* while free */
};

struct inflight_due {
    uint64_t deadline_ns;
    uint32_t slot;
};

/* A binary heap rather than a wheel: deadlines mostly come in ascending order, so adding costs one comparison; the
 * earliest one is known exactly, so a ring sleeps until then; and no cursor has to be kept true when the clock jumps
 * over a whole turn of the wheel. Taking from the middle is log2(entries_max) moves within one array, well under a
 * microsecond. */
struct inflight {
    struct inflight_slot *slots;
    struct inflight_due *heap; /* heap[0..count): the parent's deadline is never later than its children's */
    uint32_t entries_max;
    uint32_t count;
    uint32_t first_free; /* last in, first out: the slot is still in the cache */
};

struct inflight *inflight_create(uint32_t entries_max) {
    assert(entries_max > 0 && entries_max < INFLIGHT_NONE);
    struct inflight *inflight = calloc(1, sizeof(*inflight));
    if (inflight == NULL)
        return NULL;
    inflight->entries_max = entries_max;
    inflight->slots = calloc(entries_max, sizeof(*inflight->slots));
    inflight->heap = calloc(entries_max, sizeof(*inflight->heap));
    if (inflight->slots == NULL || inflight->heap == NULL) {
        inflight_destroy(inflight);
        return NULL;
    }
    for (uint32_t slot = 0; slot < entries_max; slot++)
        inflight->slots[slot].next_free = slot + 1 < entries_max ? slot + 1 : INFLIGHT_NONE;
    return inflight;
}

void inflight_destroy(struct inflight *inflight) {
    if (inflight == NULL)
        return;
    free(inflight->heap);
    free(inflight->slots);
    free(inflight);
}

/* The one place that writes a heap cell. */
static void inflight_put(struct inflight *inflight, uint32_t index, struct inflight_due due) {
    inflight->heap[index] = due;
    inflight->slots[due.slot].heap_index = index;
}

static void inflight_sift_up(struct inflight *inflight, uint32_t index, struct inflight_due due) {
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;
        if (inflight->heap[parent].deadline_ns <= due.deadline_ns)
            break;
        inflight_put(inflight, index, inflight->heap[parent]);
        index = parent;
    }
    inflight_put(inflight, index, due);
}

static void inflight_sift_down(struct inflight *inflight, uint32_t index, struct inflight_due due) {
    for (;;) {
        uint64_t child = 2 * (uint64_t)index + 1;
        if (child >= inflight->count)
            break;
        if (child + 1 < inflight->count && inflight->heap[child + 1].deadline_ns < inflight->heap[child].deadline_ns)
            child++;
        if (due.deadline_ns <= inflight->heap[child].deadline_ns)
            break;
        inflight_put(inflight, index, inflight->heap[child]);
        index = (uint32_t)child;
    }
    inflight_put(inflight, index, due);
}

bool inflight_add(struct inflight *inflight, void *waiter, uint64_t deadline_ns, struct inflight_id *ret_id) {
    assert(waiter != NULL);
    uint32_t slot = inflight->first_free;
    if (slot == INFLIGHT_NONE)
        return false;
    inflight->first_free = inflight->slots[slot].next_free;
    inflight->slots[slot].waiter = waiter;
    inflight->count++;
    inflight_sift_up(inflight, inflight->count - 1, (struct inflight_due){deadline_ns, slot});
    *ret_id = (struct inflight_id){slot, inflight->slots[slot].generation};
    return true;
}

static void *inflight_remove(struct inflight *inflight, uint32_t slot) {
    struct inflight_slot *entry = &inflight->slots[slot];
    void *waiter = entry->waiter;
    uint32_t index = entry->heap_index;
    assert(waiter != NULL);
    assert(inflight->heap[index].slot == slot);

    inflight->count--;
    struct inflight_due last = inflight->heap[inflight->count];
    if (index < inflight->count) {
        if (last.deadline_ns < inflight->heap[index].deadline_ns)
            inflight_sift_up(inflight, index, last);
        else
            inflight_sift_down(inflight, index, last);
    }
    entry->waiter = NULL;
    entry->generation++;
    entry->next_free = inflight->first_free;
    inflight->first_free = slot;
    return waiter;
}

void *inflight_take(struct inflight *inflight, struct inflight_id id) {
    if (id.slot >= inflight->entries_max) /* ids come off a topic: anyone may have written this one */
        return NULL;
    const struct inflight_slot *entry = &inflight->slots[id.slot];
    if (entry->waiter == NULL || entry->generation != id.generation)
        return NULL;
    return inflight_remove(inflight, id.slot);
}

void *inflight_expire(struct inflight *inflight, uint64_t now_ns) {
    if (inflight->count == 0 || inflight->heap[0].deadline_ns > now_ns)
        return NULL;
    return inflight_remove(inflight, inflight->heap[0].slot);
}

uint64_t inflight_next_ns(const struct inflight *inflight) {
    return inflight->count == 0 ? UINT64_MAX : inflight->heap[0].deadline_ns;
}

bool inflight_full(const struct inflight *inflight) {
    return inflight->count == inflight->entries_max;
}

uint32_t inflight_count(const struct inflight *inflight) {
    return inflight->count;
}
