#include "base/id.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define POOL_BYTES 512u
#define ROLLBACK_MS_MAX 10000u /* a wall clock that is set back by less keeps the ids ascending */

/* Random bytes of one thread, fetched many at a time: a system call an id would be felt. Ids are no secrets. */
struct id_state {
    uint64_t last_ms;
    uint64_t high, low; /* of the last id: 12 and 62 bits */
    size_t pool_left;   /* unused bytes, at the pool's end */
    uint8_t pool[POOL_BYTES];
};

static _Thread_local struct id_state id_state;

static void random_bytes(struct id_state *state, void *ret_bytes, size_t bytes) {
    assert(bytes <= POOL_BYTES);
    if (state->pool_left < bytes) {
        size_t filled = 0;
        while (filled < POOL_BYTES) {
            ssize_t got = getrandom(state->pool + filled, POOL_BYTES - filled, 0);
            if (got > 0)
                filled += (size_t)got;
            else if (errno != EINTR)
                abort(); /* no kernel that Quire runs on lacks it, and an id that repeats would mix up two people's
                            documents */
        }
        state->pool_left = POOL_BYTES;
    }
    memcpy(ret_bytes, state->pool + POOL_BYTES - state->pool_left, bytes);
    state->pool_left -= bytes;
}

/* RFC 9562 6.2, method 2: within a millisecond the random part grows by a random step. */
void quire_uuid7(uint64_t unix_ms, uint8_t ret_uuid[QUIRE_UUID_BYTES]) {
    const uint64_t low_mask = (UINT64_C(1) << 62) - 1;
    struct id_state *state = &id_state;
    if (unix_ms <= state->last_ms && state->last_ms - unix_ms < ROLLBACK_MS_MAX) {
        uint32_t step;
        random_bytes(state, &step, sizeof(step));
        state->low += (uint64_t)step + 1;
        if (state->low > low_mask) {
            state->low &= low_mask;
            state->high++;
        }
        if (state->high > 0xfff) {
            state->high = 0;
            state->last_ms++;
        }
    } else {
        uint64_t words[2];
        random_bytes(state, words, sizeof(words));
        state->last_ms = unix_ms;
        state->high = words[0] & 0x7ff; /* room to grow */
        state->low = words[1] & low_mask;
    }
    for (unsigned i = 0; i < 6; i++)
        ret_uuid[i] = (uint8_t)(state->last_ms >> (40 - 8 * i));
    ret_uuid[6] = (uint8_t)(0x70 | state->high >> 8);
    ret_uuid[7] = (uint8_t)state->high;
    for (unsigned i = 0; i < 8; i++)
        ret_uuid[8 + i] = (uint8_t)(state->low >> (56 - 8 * i));
    ret_uuid[8] = (uint8_t)(0x80 | (ret_uuid[8] & 0x3f));
}

static bool hyphen_at(size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

void quire_uuid_text(const uint8_t uuid[QUIRE_UUID_BYTES], char ret_text[QUIRE_UUID_CHARACTERS + 1]) {
    static const char digits[] = "0123456789abcdef";
    size_t nibble = 0;
    for (size_t i = 0; i < QUIRE_UUID_CHARACTERS; i++) {
        if (hyphen_at(i)) {
            ret_text[i] = '-';
            continue;
        }
        unsigned byte = uuid[nibble / 2];
        ret_text[i] = digits[nibble % 2 == 0 ? byte >> 4 : byte & 0xf];
        nibble++;
    }
    ret_text[QUIRE_UUID_CHARACTERS] = '\0';
}

static int nibble_of(uint8_t character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool quire_uuid_parse(struct quire_slice text, uint8_t ret_uuid[QUIRE_UUID_BYTES]) {
    uint8_t uuid[QUIRE_UUID_BYTES] = {0};
    if (text.size != QUIRE_UUID_CHARACTERS)
        return false;
    size_t nibble = 0;
    for (size_t i = 0; i < QUIRE_UUID_CHARACTERS; i++) {
        if (hyphen_at(i)) {
            if (text.bytes[i] != '-')
                return false;
            continue;
        }
        int value = nibble_of(text.bytes[i]);
        if (value < 0)
            return false;
        uuid[nibble / 2] = (uint8_t)(uuid[nibble / 2] << 4 | value);
        nibble++;
    }
    memcpy(ret_uuid, uuid, sizeof(uuid));
    return true;
}
