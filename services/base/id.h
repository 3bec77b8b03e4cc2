/* Identifiers: UUIDv7 (RFC 9562 5.7) and their text. Any thread. */
#ifndef QUIRE_BASE_ID_H
#define QUIRE_BASE_ID_H

#include "base/slice.h"

#define QUIRE_UUID_BYTES 16u
#define QUIRE_UUID_CHARACTERS 36u

/* unix_ms is milliseconds since 1970; ids of one thread ascend also within a millisecond. */
void quire_uuid7(uint64_t unix_ms, uint8_t ret_uuid[QUIRE_UUID_BYTES]);
/* Lower-case, NUL-terminated. */
void quire_uuid_text(const uint8_t uuid[QUIRE_UUID_BYTES], char ret_text[QUIRE_UUID_CHARACTERS + 1]);
/* Any case; false for anything that isn't 8-4-4-4-12 hexadecimal digits. */
QUIRE_MUSTCHECK bool quire_uuid_parse(struct quire_slice text, uint8_t ret_uuid[QUIRE_UUID_BYTES]);

#endif
