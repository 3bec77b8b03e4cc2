/* Names of the keys in Redis (redis/quire.lua says what each holds). All of an account share one hash tag, and so one
 * slot of a cluster. Any thread. */
#ifndef QUIRE_RUNTIME_KEYS_H
#define QUIRE_RUNTIME_KEYS_H

#include "base/token.h"

#define QUIRE_KEY_CHARACTERS 160u
#define QUIRE_KEY_EPOCH "quire:epoch"
#define QUIRE_KEY_LOADING "{quire:epoch}:loading"
#define QUIRE_LOG_IN_KEYS 2u
#define QUIRE_SESSION_NOTE_BYTES_MAX 512u /* NOTE_BYTES_MAX of redis/quire.lua: a longer one is not kept */

/* NUL-terminated. */
struct quire_key {
    char text[QUIRE_KEY_CHARACTERS];
};

enum quire_account_key { QUIRE_ACCOUNT_WATERMARK, QUIRE_ACCOUNT_RATE, QUIRE_ACCOUNT_PLACES };
enum quire_address_key { QUIRE_ADDRESS_REQUESTS, QUIRE_ADDRESS_LOG_INS, QUIRE_ADDRESS_REGISTRATIONS };

struct quire_key quire_key_session(const uint8_t session[QUIRE_SESSION_BYTES]);
struct quire_key quire_key_revoked(const uint8_t session[QUIRE_SESSION_BYTES]);
struct quire_key quire_key_account(const uint8_t tag[QUIRE_TAG_BYTES], const uint8_t account[16],
                                   enum quire_account_key kind);
/* `client` is an address as text. IPv6 counts by its /64, which one customer has whole; IPv4 in IPv6 as IPv4; what is
 * no address as "unknown". */
struct quire_key quire_key_address(struct quire_slice client, enum quire_address_key kind);
/* What an attempt to log in counts against: failures of the address at that account, and at all accounts. */
void quire_keys_log_in(struct quire_slice client, const uint8_t tag[QUIRE_TAG_BYTES],
                       struct quire_key ret_keys[QUIRE_LOG_IN_KEYS]);

static inline struct quire_slice quire_key_slice(const struct quire_key *key) {
    return quire_slice_of(key->text);
}

#endif
