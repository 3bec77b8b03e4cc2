#include "gateway/keyring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#define KEYRING_KEYS_MAX 8u

/* Former keys are kept: a ring may be sealing with one. A rotation a day is 30 KB a year. */
struct keyring_entry {
    struct quire_seal_key key;
    struct keyring_entry *older;
};

struct keyring {
    _Atomic(struct keyring_entry *) current; /* written by the refreshing thread, read by all */
    const char *path;
    struct timespec changed;
    ino_t inode;
};

/* False and a sentence in ret_error: nothing has changed. */
static bool read_key(struct keyring *keyring, char ret_error[160]) {
    struct quire_seal_key keys[KEYRING_KEYS_MAX];
    size_t count;
    struct keyring_entry *before = atomic_load(&keyring->current);
    if (!quire_seal_keys_read(keyring->path, KEYRING_KEYS_MAX, keys, &count, ret_error))
        return false;
    if (before != NULL && memcmp(before->key.public_key, keys[0].public_key, QUIRE_SEAL_KEY_BYTES) == 0 &&
        before->key.id == keys[0].id)
        return true;
    struct keyring_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        memcpy(ret_error, "no memory", sizeof "no memory");
        return false;
    }
    entry->key = keys[0];
    entry->older = before;
    atomic_store(&keyring->current, entry);
    return true;
}

/* True when the file isn't the one that was looked at last. Kubernetes and Docker replace it; an editor changes it in
 * place; one that couldn't be read may get other permissions (st_ctim). */
static bool has_changed(struct keyring *keyring) {
    struct stat status;
    if (stat(keyring->path, &status) != 0)
        return false;
    if (status.st_ino == keyring->inode && status.st_ctim.tv_sec == keyring->changed.tv_sec &&
        status.st_ctim.tv_nsec == keyring->changed.tv_nsec)
        return false;
    keyring->inode = status.st_ino;
    keyring->changed = status.st_ctim;
    return true;
}

struct keyring *keyring_create(const char *path, char ret_error[160]) {
    struct keyring *keyring = calloc(1, sizeof *keyring);
    memcpy(ret_error, "no memory", sizeof "no memory");
    if (keyring == NULL)
        return NULL;
    keyring->path = path;
    if (*path != '\0') {
        (void)has_changed(keyring); /* remembers which file this is */
        if (!read_key(keyring, ret_error)) {
            keyring_destroy(keyring);
            return NULL;
        }
    }
    return keyring;
}

void keyring_destroy(struct keyring *keyring) {
    if (keyring == NULL)
        return;
    struct keyring_entry *entry = atomic_load(&keyring->current);
    while (entry != NULL) {
        struct keyring_entry *older = entry->older;
        free(entry);
        entry = older;
    }
    free(keyring);
}

void keyring_refresh(struct keyring *keyring, struct quire_log *log) {
    char error[160];
    if (*keyring->path == '\0' || !has_changed(keyring))
        return;
    if (read_key(keyring, error))
        QUIRE_LOG(log, QUIRE_INFO, "seal_key.read", QUIRE_INTEGER("key", keyring_current(keyring)->id));
    else
        QUIRE_LOG(log, QUIRE_WARN, "seal_key.unreadable", QUIRE_CTEXT("reason", error),
                  QUIRE_CTEXT("instead", "the former key is kept"));
}

const struct quire_seal_key *keyring_current(const struct keyring *keyring) {
    const struct keyring_entry *entry = atomic_load(&keyring->current);
    return entry == NULL ? NULL : &entry->key;
}
