/* The public key that secrets are sealed with, read again when its file changes, so that keys are replaced under load.
 */
#ifndef QUIRE_GATEWAY_KEYRING_H
#define QUIRE_GATEWAY_KEYRING_H

#include "base/log.h"
#include "base/seal.h"

struct keyring;

/* NULL after writing why to ret_error: the file can't be read or holds no key. An empty path makes a keyring without a
 * key. */
QUIRE_MUSTCHECK struct keyring *keyring_create(const char *path, char ret_error[160]);
/* When nobody uses a key of it any more. */
void keyring_destroy(struct keyring *keyring);
/* One thread, every second or so. A file that can't be read is logged and changes nothing. */
void keyring_refresh(struct keyring *keyring, struct quire_log *log);
/* The current key; it stays valid as long as the keyring. NULL without one. Any thread. */
const struct quire_seal_key *keyring_current(const struct keyring *keyring);

#endif
