#include "base/wire.h"

#include <assert.h>

static_assert(QUIRE_INSTANCE_BYTES + 2 + 2 + 4 + 4 == QUIRE_CORRELATION_BYTES, "the drawing in wire.h");

enum { RING_AT = 16, ZERO_AT = 18, SLOT_AT = 20, GENERATION_AT = 24 };

void quire_put_u32(uint8_t *bytes, uint32_t value) {
    bytes[0] = (uint8_t)(value >> 24);
    bytes[1] = (uint8_t)(value >> 16);
    bytes[2] = (uint8_t)(value >> 8);
    bytes[3] = (uint8_t)value;
}

void quire_put_u64(uint8_t *bytes, uint64_t value) {
    quire_put_u32(bytes, (uint32_t)(value >> 32));
    quire_put_u32(bytes + 4, (uint32_t)value);
}

uint32_t quire_get_u32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

uint64_t quire_get_u64(const uint8_t *bytes) {
    return (uint64_t)quire_get_u32(bytes) << 32 | quire_get_u32(bytes + 4);
}

void quire_correlation_encode(const struct quire_correlation *correlation, uint8_t ret_bytes[QUIRE_CORRELATION_BYTES]) {
    memcpy(ret_bytes, correlation->instance, QUIRE_INSTANCE_BYTES);
    ret_bytes[RING_AT] = (uint8_t)(correlation->ring >> 8);
    ret_bytes[RING_AT + 1] = (uint8_t)correlation->ring;
    ret_bytes[ZERO_AT] = 0;
    ret_bytes[ZERO_AT + 1] = 0;
    quire_put_u32(ret_bytes + SLOT_AT, correlation->slot);
    quire_put_u32(ret_bytes + GENERATION_AT, correlation->generation);
}

bool quire_correlation_decode(struct quire_slice bytes, struct quire_correlation *ret_correlation) {
    if (bytes.size != QUIRE_CORRELATION_BYTES || bytes.bytes[ZERO_AT] != 0 || bytes.bytes[ZERO_AT + 1] != 0)
        return false;
    memcpy(ret_correlation->instance, bytes.bytes, QUIRE_INSTANCE_BYTES);
    ret_correlation->ring = (uint16_t)(bytes.bytes[RING_AT] << 8 | bytes.bytes[RING_AT + 1]);
    ret_correlation->slot = quire_get_u32(bytes.bytes + SLOT_AT);
    ret_correlation->generation = quire_get_u32(bytes.bytes + GENERATION_AT);
    return true;
}
