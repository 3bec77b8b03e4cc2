/* Opens what the gateway sealed (base/seal.h) with the keys of one file, and follows the file when it changes: the
 * current key and those before it are all accepted, so that keys rotate under load. Any thread. */
#ifndef QUIRE_SESSION_SECRETS_H
#define QUIRE_SESSION_SECRETS_H

#include "base/log.h"
#include "base/seal.h"

#define SECRET_BYTES_MAX 1024u /* of a password */
#define SECRETS_RELOAD_MS 1000u

struct secrets;

/* An opened secret; wipe it when it has served. */
struct secret {
    uint8_t bytes[SECRET_BYTES_MAX + QUIRE_SEAL_OVERHEAD_BYTES];
    size_t size;
};

static inline struct quire_slice secret_slice(const struct secret *secret) {
    return (struct quire_slice){secret->bytes, secret->size};
}

/* Reads `path`, which must outlive it. NULL after logging what is wrong with the file. */
QUIRE_MUSTCHECK struct secrets *secrets_create(const char *path, struct quire_log *log);
/* Wipes the keys. Takes NULL. */
void secrets_destroy(struct secrets *secrets);

/* Opens a sealed field of the message of this correlation id and deadline; sealed for another message it is FORGED.
 * Looks at the file first when SECRETS_RELOAD_MS have passed since it last did, and at once for a key that it doesn't
 * know; a file that can't be read leaves the keys as they were. */
QUIRE_MUSTCHECK enum quire_open_result secrets_open(struct secrets *secrets, struct quire_slice correlation,
                                                    uint64_t deadline_ms, struct quire_slice sealed, uint64_t now_ns,
                                                    struct secret *ret_secret);
void secret_wipe(struct secret *secret);

#endif
