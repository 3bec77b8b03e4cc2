#include "base/sample.h"

/* CRC-32 as in ISO 3309 and ITU-T V.42 (reflected polynomial 0xedb88320), which zlib and HAProxy's `crc32` have too. By
 * half bytes: the table is small, the texts are short. */
static uint32_t crc32_of(struct quire_slice bytes) {
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

bool quire_sample_takes(const struct quire_sample *sample, struct quire_slice request_id, bool failed,
                        uint64_t took_us) {
    return failed || sample->one_in <= 1 || took_us >= sample->slow_us || crc32_of(request_id) % sample->one_in == 0;
}

void quire_call_text(struct quire_slice correlation, char ret_text[QUIRE_CALL_CHARACTERS + 1]) {
    static const char digits[] = "0123456789abcdef";
    uint32_t crc = crc32_of(correlation);
    for (unsigned i = 0; i < QUIRE_CALL_CHARACTERS; i++)
        ret_text[i] = digits[crc >> (28 - 4 * i) & 15];
    ret_text[QUIRE_CALL_CHARACTERS] = '\0';
}
