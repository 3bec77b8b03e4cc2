#include "gateway/budget.h"

#include <assert.h>
#include <stdlib.h>

#define BODY_FIRST_BYTES 1024u

void budget_init(struct budget *budget, size_t bytes_max) {
    atomic_init(&budget->used_bytes, 0);
    budget->bytes_max = bytes_max;
}

bool budget_take(struct budget *budget, size_t bytes) {
    size_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
    do {
        if (bytes > budget->bytes_max - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&budget->used_bytes, &used, used + bytes, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

void budget_give(struct budget *budget, size_t bytes) {
    size_t before = atomic_fetch_sub_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
    assert(before >= bytes);
}

static bool grow(struct body *body, struct budget *budget, size_t wanted, size_t bytes_max) {
    size_t room = body->room_bytes == 0 ? BODY_FIRST_BYTES : body->room_bytes * 2;
    while (room < wanted)
        room *= 2;
    if (room > bytes_max)
        room = bytes_max;
    assert(room >= wanted);
    if (!budget_take(budget, room - body->room_bytes))
        return false;
    uint8_t *bytes = realloc(body->bytes, room + BODY_PADDING);
    if (bytes == NULL) {
        budget_give(budget, room - body->room_bytes);
        return false;
    }
    body->bytes = bytes;
    body->room_bytes = room;
    return true;
}

bool body_append(struct body *body, struct budget *budget, struct quire_slice piece, size_t bytes_max) {
    size_t wanted = body->size + piece.size;
    if (wanted > body->room_bytes && !grow(body, budget, wanted, bytes_max))
        return false;
    memcpy(body->bytes + body->size, piece.bytes, piece.size);
    body->size = wanted;
    return true;
}

void body_clear(struct body *body, struct budget *budget) {
    free(body->bytes);
    budget_give(budget, body->room_bytes);
    *body = (struct body){.bytes = NULL};
}
