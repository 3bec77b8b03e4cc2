#include "base/wire.h"

#include "unit/suite.h"

static const struct quire_correlation sample = {.instance = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                                .ring = 0x1234,
                                                .slot = 0x89abcdef,
                                                .generation = 0xfedcba98};

/* Other languages read these bytes: their places are the contract. */
static void correlation_id_has_the_drawn_layout(void) {
    static const uint8_t expected[QUIRE_CORRELATION_BYTES] = {0,    1,    2,    3,    4,    5,    6,    7,    8, 9,
                                                              10,   11,   12,   13,   14,   15,   0x12, 0x34, 0, 0,
                                                              0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98};
    uint8_t bytes[QUIRE_CORRELATION_BYTES];
    quire_correlation_encode(&sample, bytes);
    CU_ASSERT_EQUAL(memcmp(bytes, expected, sizeof(bytes)), 0);
}

/* Else a reply meets no one, or another. */
static void decoding_gives_back_what_was_encoded(void) {
    uint8_t bytes[QUIRE_CORRELATION_BYTES];
    struct quire_correlation back;
    quire_correlation_encode(&sample, bytes);
    CU_ASSERT_TRUE(quire_correlation_decode((struct quire_slice){bytes, sizeof(bytes)}, &back));
    CU_ASSERT_EQUAL(memcmp(back.instance, sample.instance, sizeof(back.instance)), 0);
    CU_ASSERT_EQUAL(back.ring, sample.ring);
    CU_ASSERT_EQUAL(back.slot, sample.slot);
    CU_ASSERT_EQUAL(back.generation, sample.generation);
}

/* A stranger may write anything to the reply topic. */
static void foreign_bytes_are_no_correlation_id(void) {
    uint8_t bytes[QUIRE_CORRELATION_BYTES + 1] = {0};
    struct quire_correlation back = {.slot = 7};
    CU_ASSERT_FALSE(quire_correlation_decode((struct quire_slice){NULL, 0}, &back));
    CU_ASSERT_FALSE(quire_correlation_decode((struct quire_slice){bytes, QUIRE_CORRELATION_BYTES - 1}, &back));
    CU_ASSERT_FALSE(quire_correlation_decode((struct quire_slice){bytes, QUIRE_CORRELATION_BYTES + 1}, &back));
    bytes[18] = 1;
    CU_ASSERT_FALSE(quire_correlation_decode((struct quire_slice){bytes, QUIRE_CORRELATION_BYTES}, &back));
    bytes[18] = 0;
    bytes[19] = 1;
    CU_ASSERT_FALSE(quire_correlation_decode((struct quire_slice){bytes, QUIRE_CORRELATION_BYTES}, &back));
    CU_ASSERT_EQUAL(back.slot, 7); /* untouched */
}

/* Deadlines travel as eight bytes: a swapped order would be centuries away. */
static void numbers_are_big_endian(void) {
    uint8_t bytes[8];
    quire_put_u64(bytes, 0x0102030405060708u);
    CU_ASSERT_EQUAL(bytes[0], 1);
    CU_ASSERT_EQUAL(bytes[7], 8);
    CU_ASSERT_EQUAL(quire_get_u64(bytes), 0x0102030405060708u);
    CU_ASSERT_EQUAL(quire_get_u32(bytes), 0x01020304u);
    quire_put_u64(bytes, UINT64_MAX);
    CU_ASSERT_EQUAL(quire_get_u64(bytes), UINT64_MAX);
    quire_put_u32(bytes, 0x80000000u);
    CU_ASSERT_EQUAL(quire_get_u32(bytes), 0x80000000u);
}

QUIRE_TEST_MAIN("wire", NULL, NULL, {"correlation_id_has_the_drawn_layout", correlation_id_has_the_drawn_layout},
                {"decoding_gives_back_what_was_encoded", decoding_gives_back_what_was_encoded},
                {"foreign_bytes_are_no_correlation_id", foreign_bytes_are_no_correlation_id},
                {"numbers_are_big_endian", numbers_are_big_endian})
