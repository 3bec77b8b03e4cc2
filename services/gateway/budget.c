#include "gateway/budget.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define BODY_FIRST_BYTES 1024u
static_assert(BUDGET_KEY_BYTES == crypto_shorthash_KEYBYTES, "libsodium's");

void budget_init(struct budget *budget, size_t bytes_max, size_t share_bytes_max) {
    memset(budget, 0, sizeof *budget);
    budget->bytes_max = bytes_max;
    budget->share_bytes_max = share_bytes_max;
    randombytes_buf(budget->key, sizeof budget->key);
}

uint32_t budget_share(const struct budget *budget, const struct client_address *address) {
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    const size_t network_bytes = memcmp(address->bytes, v4, sizeof v4) == 0 ? sizeof address->bytes : 8;
    uint8_t hash[crypto_shorthash_BYTES];
    (void)crypto_shorthash(hash, address->bytes, network_bytes, budget->key); /* can't fail */
    return (hash[0] | (uint32_t)hash[1] << 8) % BUDGET_SHARES;
}

static bool take(atomic_size_t *used_bytes, size_t bytes_max, size_t bytes) {
    size_t used = atomic_load_explicit(used_bytes, memory_order_relaxed);
    do {
        if (bytes > bytes_max - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(used_bytes, &used, used + bytes, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

static void give(atomic_size_t *used_bytes, size_t bytes) {
    size_t before = atomic_fetch_sub_explicit(used_bytes, bytes, memory_order_relaxed);
    assert(before >= bytes);
    (void)before;
}

bool budget_take(struct budget *budget, uint32_t share, size_t bytes) {
    if (!take(&budget->shares[share], budget->share_bytes_max, bytes))
        return false;
    if (take(&budget->used_bytes, budget->bytes_max, bytes))
        return true;
    give(&budget->shares[share], bytes);
    return false;
}

void budget_give(struct budget *budget, uint32_t share, size_t bytes) {
    give(&budget->used_bytes, bytes);
    give(&budget->shares[share], bytes);
}

static bool grow(struct body *body, struct budget *budget, uint32_t share, size_t wanted, size_t bytes_max) {
    size_t room = body->room_bytes == 0 ? BODY_FIRST_BYTES : body->room_bytes * 2;
    while (room < wanted)
        room *= 2;
    if (room > bytes_max)
        room = bytes_max;
    assert(room >= wanted);
    if (!budget_take(budget, share, room - body->room_bytes))
        return false;
    uint8_t *bytes = realloc(body->bytes, room + BODY_PADDING);
    if (bytes == NULL) {
        budget_give(budget, share, room - body->room_bytes);
        return false;
    }
    body->bytes = bytes;
    body->room_bytes = room;
    return true;
}

bool body_append(struct body *body, struct budget *budget, uint32_t share, struct quire_slice piece, size_t bytes_max) {
    size_t wanted = body->size + piece.size;
    if (wanted > body->room_bytes && !grow(body, budget, share, wanted, bytes_max))
        return false;
    memcpy(body->bytes + body->size, piece.bytes, piece.size);
    body->size = wanted;
    return true;
}

void body_clear(struct body *body, struct budget *budget, uint32_t share) {
    free(body->bytes);
    budget_give(budget, share, body->room_bytes);
    *body = (struct body){.bytes = NULL};
}
