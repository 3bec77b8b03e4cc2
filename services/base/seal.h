/* Secrets on their way to the session service: sealed in the gateway, opened only there (libsodium crypto_box_seal).
 *
 * A sealed value is  0..3 key id | 4.. crypto_box_seal( 0..27 correlation id | 28..35 deadline, ms | 36.. the secret ).
 * The correlation id and deadline inside must be the message's own, so that a sealed value copied off a topic opens
 * nothing in another message. The opener knows the current and the previous key, so that keys change under load. Any
 * thread. */
#ifndef QUIRE_BASE_SEAL_H
#define QUIRE_BASE_SEAL_H

#include "base/slice.h"
#include "base/wire.h"

#define QUIRE_SEAL_KEY_BYTES 32u
#define QUIRE_SEAL_OVERHEAD_BYTES (4u + 48u + QUIRE_CORRELATION_BYTES + 8u)

struct quire_seal_key {
    uint32_t id;
    uint8_t public_key[QUIRE_SEAL_KEY_BYTES];
    uint8_t secret_key[QUIRE_SEAL_KEY_BYTES]; /* zero where only sealing is possible */
};

/* Key files are text, one key a line, the current one first: "<id> <public hex>" for sealers, "<id> <public hex>
 * <secret hex>" for openers. False and a sentence in ret_error when a line can't be read or there is none. */
QUIRE_MUSTCHECK bool quire_seal_keys_read(const char *path, size_t keys_max, struct quire_seal_key *ret_keys,
                                          size_t *ret_count, char ret_error[160]);

/* ret_sealed takes secret.size + QUIRE_SEAL_OVERHEAD_BYTES bytes. */
void quire_seal(const struct quire_seal_key *key, const uint8_t correlation[QUIRE_CORRELATION_BYTES],
                uint64_t deadline_ms, struct quire_slice secret, uint8_t *ret_sealed);

enum quire_open_result { QUIRE_OPENED, QUIRE_OPEN_UNKNOWN_KEY, QUIRE_OPEN_FORGED };

/* ret_secret takes sealed.size bytes; the caller wipes it (sodium_memzero). */
QUIRE_MUSTCHECK enum quire_open_result quire_open(const struct quire_seal_key *keys, size_t keys_count,
                                                  const uint8_t correlation[QUIRE_CORRELATION_BYTES],
                                                  uint64_t deadline_ms, struct quire_slice sealed, uint8_t *ret_secret,
                                                  size_t *ret_size);

#endif
