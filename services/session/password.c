#include "session/password.h"

#include <stdio.h>

bool password_hash(struct password_cost cost, struct quire_slice password, struct password_hash *ret_hash) {
    struct password_hash hash;
    if (crypto_pwhash_str_alg(hash.text, (const char *)password.bytes, password.size, cost.passes,
                              (size_t)cost.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return false;
    *ret_hash = hash;
    return true;
}

bool password_hash_nobody(struct password_cost cost, struct password_hash *ret_hash) {
    uint8_t random[32];
    randombytes_buf(random, sizeof random);
    bool made = password_hash(cost, (struct quire_slice){random, sizeof random}, ret_hash);
    sodium_memzero(random, sizeof random);
    return made;
}

bool password_verify(const char *hash, struct quire_slice password) {
    return crypto_pwhash_str_verify(hash, (const char *)password.bytes, password.size) == 0;
}

bool password_outgrown(struct password_cost cost, const char *hash) {
    unsigned version, memory_kib, passes;
    /* Not crypto_pwhash_str_needs_rehash: it is also true where the costs fell, and every log-in would then weaken a
     * hash. */
    if (sscanf(hash, "$argon2id$v=%u$m=%u,t=%u,", &version, &memory_kib, &passes) != 3)
        return true;
    return memory_kib < cost.memory_kib || passes < cost.passes;
}
