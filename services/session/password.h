/* Passwords as they are kept: Argon2id by libsodium, parameters inside the hash. Any thread; a call takes memory_kib
 * and some tens of milliseconds, so only workers of the password lane make them. */
#ifndef QUIRE_SESSION_PASSWORD_H
#define QUIRE_SESSION_PASSWORD_H

#include "base/slice.h"

#include <sodium.h>

#define PASSWORD_BYTES_MIN 8u
#define PASSWORD_BYTES_MAX 1024u

/* How a new hash is made. */
struct password_cost {
    uint32_t memory_kib;
    uint32_t passes;
};

/* NUL-terminated: "$argon2id$v=19$m=19456,t=2,p=1$...". */
struct password_hash {
    char text[crypto_pwhash_STRBYTES];
};

/* False without the memory that it takes: answer 503. */
QUIRE_MUSTCHECK bool password_hash(struct password_cost cost, struct quire_slice password,
                                   struct password_hash *ret_hash);
/* A hash that no password was chosen for. To verify against it where there is no account takes as long as where there
 * is one. */
QUIRE_MUSTCHECK bool password_hash_nobody(struct password_cost cost, struct password_hash *ret_hash);
/* False for another password, and for text that is no hash. */
QUIRE_MUSTCHECK bool password_verify(const char *hash, struct quire_slice password);
/* True when `hash` was made with less memory or fewer passes than `cost` asks for. Costs that fell leave old hashes
 * alone. */
QUIRE_MUSTCHECK bool password_outgrown(struct password_cost cost, const char *hash);

#endif
