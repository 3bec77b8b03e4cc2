#include "session/secrets.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

#define KEYS_MAX 8u

/* What tells one state of the file from another: a rename changes the inode, a write in place the time or the size. */
struct file_state {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct key_ring {
    struct quire_seal_key keys[KEYS_MAX];
    size_t count;
};

struct secrets {
    const char *path;
    struct quire_log *log;
    pthread_mutex_t lock; /* of all below */
    struct key_ring ring;
    struct file_state file;
    uint64_t looked_ns;
    bool failing; /* the last look failed, and was logged */
};

/* All zero when there is no such file. */
static struct file_state file_look(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct file_state){0};
    return (struct file_state){status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

static bool file_same(const struct file_state *a, const struct file_state *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Lock held. False, with the keys as they were, when the file is no key file. */
static bool secrets_read(struct secrets *secrets) {
    struct key_ring ring = {.count = 0};
    struct file_state file =
        file_look(secrets->path); /* before the reading: a change in between is seen the next time */
    char error[160];
    bool read = quire_seal_keys_read(secrets->path, KEYS_MAX, ring.keys, &ring.count, error);
    if (read) {
        secrets->ring = ring;
        secrets->file = file;
        secrets->failing = false;
        QUIRE_LOG(secrets->log, QUIRE_INFO, "secrets.loaded", QUIRE_INTEGER("keys", ring.count),
                  QUIRE_INTEGER("current_key", ring.keys[0].id));
    } else if (!secrets->failing) {
        secrets->failing = true;
        QUIRE_LOG(secrets->log, QUIRE_ERROR, "secrets.unreadable", QUIRE_CTEXT("path", secrets->path),
                  QUIRE_CTEXT("reason", error), QUIRE_INTEGER("keys_kept", secrets->ring.count));
    }
    sodium_memzero(&ring, sizeof ring);
    return read;
}

struct secrets *secrets_create(const char *path, struct quire_log *log) {
    struct secrets *secrets = calloc(1, sizeof *secrets);
    if (secrets == NULL)
        return NULL;
    secrets->path = path;
    secrets->log = log;
    (void)pthread_mutex_init(&secrets->lock, NULL); /* can't fail with default attributes */
    if (!secrets_read(secrets)) {
        secrets_destroy(secrets);
        return NULL;
    }
    return secrets;
}

void secrets_destroy(struct secrets *secrets) {
    if (secrets == NULL)
        return;
    (void)pthread_mutex_destroy(&secrets->lock);
    sodium_memzero(secrets, sizeof *secrets);
    free(secrets);
}

/* Lock held. Looks at the file when it is time or `asked`. */
static void secrets_follow(struct secrets *secrets, uint64_t now_ns, bool asked) {
    if (!asked && now_ns - secrets->looked_ns < SECRETS_RELOAD_MS * UINT64_C(1000000))
        return;
    secrets->looked_ns = now_ns;
    struct file_state file = file_look(secrets->path);
    if (!file_same(&file, &secrets->file))
        (void)secrets_read(secrets); /* logged; the keys of before serve on */
}

enum quire_open_result secrets_open(struct secrets *secrets, struct quire_slice correlation, uint64_t deadline_ms,
                                    struct quire_slice sealed, uint64_t now_ns, struct secret *ret_secret) {
    if (correlation.size != QUIRE_CORRELATION_BYTES || sealed.size > sizeof ret_secret->bytes)
        return QUIRE_OPEN_FORGED;
    enum quire_open_result result = QUIRE_OPEN_UNKNOWN_KEY;
    /* Opened under the lock: 0.1 ms beside Argon2's 30, and no copy of the keys is left on any stack. */
    pthread_mutex_lock(&secrets->lock);
    for (int asked = 0; asked <= 1 && result == QUIRE_OPEN_UNKNOWN_KEY; asked++) {
        /* The gateway may have the new key a moment before this process looks at its file. */
        secrets_follow(secrets, now_ns, asked == 1);
        result = quire_open(secrets->ring.keys, secrets->ring.count, correlation.bytes, deadline_ms, sealed,
                            ret_secret->bytes, &ret_secret->size);
    }
    pthread_mutex_unlock(&secrets->lock);
    return result;
}

void secret_wipe(struct secret *secret) {
    sodium_memzero(secret, sizeof *secret);
}
