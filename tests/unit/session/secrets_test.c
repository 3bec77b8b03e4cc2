#include "unit/suite.h"

#include "session/secrets.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define DEADLINE_MS UINT64_C(1700000000000)

static struct fixture {
    char path[64], next_path[72];
    uint8_t correlation[QUIRE_CORRELATION_BYTES], other[QUIRE_CORRELATION_BYTES];
    struct quire_seal_key old_key, new_key;
    struct quire_log *log;
    struct secrets *secrets;
} f;

static void write_line(FILE *file, const struct quire_seal_key *key) {
    char public_hex[2 * QUIRE_SEAL_KEY_BYTES + 1], secret_hex[2 * QUIRE_SEAL_KEY_BYTES + 1];
    (void)sodium_bin2hex(public_hex, sizeof public_hex, key->public_key, QUIRE_SEAL_KEY_BYTES);
    (void)sodium_bin2hex(secret_hex, sizeof secret_hex, key->secret_key, QUIRE_SEAL_KEY_BYTES);
    fprintf(file, "%u %s %s\n", key->id, public_hex, secret_hex);
}

/* Replaces the file as ./quire rotate-keys does: written beside it, then renamed. */
static bool put_keys(const struct quire_seal_key *first, const struct quire_seal_key *second) {
    FILE *file = fopen(f.next_path, "w");
    if (file == NULL)
        return false;
    write_line(file, first);
    if (second != NULL)
        write_line(file, second);
    return fclose(file) == 0 && rename(f.next_path, f.path) == 0;
}

static bool put_text(const char *text) {
    FILE *file = fopen(f.next_path, "w");
    return file != NULL && fputs(text, file) >= 0 && fclose(file) == 0 && rename(f.next_path, f.path) == 0;
}

static int set_up(void) {
    if (sodium_init() < 0)
        return 1;
    (void)snprintf(f.path, sizeof f.path, "/tmp/secrets_test_%ld", (long)getpid());
    (void)snprintf(f.next_path, sizeof f.next_path, "%s.next", f.path);
    memset(f.correlation, 7, sizeof f.correlation);
    memset(f.other, 8, sizeof f.other);
    f.old_key.id = 1;
    f.new_key.id = 2;
    (void)crypto_box_keypair(f.old_key.public_key, f.old_key.secret_key);
    (void)crypto_box_keypair(f.new_key.public_key, f.new_key.secret_key);
    f.log = quire_log_create("test", "test", QUIRE_ERROR, STDERR_FILENO);
    if (f.log == NULL || !put_keys(&f.old_key, NULL))
        return 1;
    f.secrets = secrets_create(f.path, f.log);
    return f.secrets == NULL;
}

static int tear_down(void) {
    secrets_destroy(f.secrets);
    quire_log_destroy(f.log);
    return unlink(f.path);
}

static struct quire_slice correlation(const uint8_t *bytes) {
    return (struct quire_slice){bytes, QUIRE_CORRELATION_BYTES};
}

static enum quire_open_result open_with(const struct quire_seal_key *key, uint64_t now_ns, struct secret *ret_secret) {
    static const char password[] = "correct horse";
    uint8_t sealed[sizeof password - 1 + QUIRE_SEAL_OVERHEAD_BYTES];
    quire_seal(key, f.correlation, DEADLINE_MS, QUIRE_SLICE_LITERAL("correct horse"), sealed);
    return secrets_open(f.secrets, correlation(f.correlation), DEADLINE_MS, (struct quire_slice){sealed, sizeof sealed},
                        now_ns, ret_secret);
}

static void what_was_sealed_for_the_message_opens(void) {
    struct secret secret;
    CU_ASSERT_EQUAL_FATAL(open_with(&f.old_key, 10 * SECOND, &secret), QUIRE_OPENED);
    CU_ASSERT_TRUE(quire_slice_equal(secret_slice(&secret), QUIRE_SLICE_LITERAL("correct horse")));
    secret_wipe(&secret);
    CU_ASSERT_EQUAL(secret.size, 0);
    CU_ASSERT_TRUE(sodium_is_zero(secret.bytes, sizeof secret.bytes));
}

/* Else a sealed password copied off a topic logs its thief in. */
static void what_was_sealed_for_another_message_opens_not(void) {
    uint8_t sealed[5 + QUIRE_SEAL_OVERHEAD_BYTES];
    struct quire_slice slice = {sealed, sizeof sealed};
    struct secret secret;
    quire_seal(&f.old_key, f.correlation, DEADLINE_MS, QUIRE_SLICE_LITERAL("horse"), sealed);
    CU_ASSERT_EQUAL(secrets_open(f.secrets, correlation(f.other), DEADLINE_MS, slice, 11 * SECOND, &secret),
                    QUIRE_OPEN_FORGED);
    CU_ASSERT_EQUAL(secrets_open(f.secrets, correlation(f.correlation), DEADLINE_MS + 1, slice, 11 * SECOND, &secret),
                    QUIRE_OPEN_FORGED);
    CU_ASSERT_EQUAL(
        secrets_open(f.secrets, (struct quire_slice){f.correlation, 5}, DEADLINE_MS, slice, 11 * SECOND, &secret),
        QUIRE_OPEN_FORGED);
    sealed[sizeof sealed - 1] ^= 1;
    CU_ASSERT_EQUAL(secrets_open(f.secrets, correlation(f.correlation), DEADLINE_MS, slice, 11 * SECOND, &secret),
                    QUIRE_OPEN_FORGED);
    sealed[sizeof sealed - 1] ^= 1;
    CU_ASSERT_EQUAL(secrets_open(f.secrets, correlation(f.correlation), DEADLINE_MS, slice, 11 * SECOND, &secret),
                    QUIRE_OPENED);
}

/* Else a garbage message is a buffer overrun. */
static void sizes_at_the_edges_are_refused_or_opened(void) {
    static uint8_t longest[SECRET_BYTES_MAX];
    static uint8_t sealed[SECRET_BYTES_MAX + QUIRE_SEAL_OVERHEAD_BYTES + 1];
    struct secret secret;
    quire_seal(&f.old_key, f.correlation, DEADLINE_MS, (struct quire_slice){longest, sizeof longest}, sealed);
    CU_ASSERT_EQUAL(secrets_open(f.secrets, correlation(f.correlation), DEADLINE_MS,
                                 (struct quire_slice){sealed, sizeof sealed - 1}, 12 * SECOND, &secret),
                    QUIRE_OPENED);
    CU_ASSERT_EQUAL(secret.size, sizeof longest);
    CU_ASSERT_EQUAL(secrets_open(f.secrets, correlation(f.correlation), DEADLINE_MS,
                                 (struct quire_slice){sealed, sizeof sealed}, 12 * SECOND, &secret),
                    QUIRE_OPEN_FORGED);
    for (size_t size = 0; size < QUIRE_SEAL_OVERHEAD_BYTES; size++)
        CU_ASSERT_NOT_EQUAL(secrets_open(f.secrets, correlation(f.correlation), DEADLINE_MS,
                                         (struct quire_slice){sealed, size}, 12 * SECOND, &secret),
                            QUIRE_OPENED);
}

/* Else a rotation under load fails log-ins: those sealed with the new key before this process looked, or with the old
 * one after. */
static void keys_rotate_under_load(void) {
    struct secret secret;
    CU_ASSERT_EQUAL(open_with(&f.new_key, 20 * SECOND, &secret), QUIRE_OPEN_UNKNOWN_KEY);
    CU_ASSERT_TRUE_FATAL(put_keys(&f.new_key, &f.old_key));
    CU_ASSERT_EQUAL(open_with(&f.new_key, 20 * SECOND, &secret),
                    QUIRE_OPENED); /* within the second since the last look */
    CU_ASSERT_EQUAL(open_with(&f.old_key, 20 * SECOND, &secret), QUIRE_OPENED);
    CU_ASSERT_TRUE_FATAL(put_keys(&f.new_key, NULL));
    CU_ASSERT_EQUAL(open_with(&f.old_key, 20 * SECOND + SECOND / 2, &secret), QUIRE_OPENED);
    CU_ASSERT_EQUAL(open_with(&f.old_key, 21 * SECOND, &secret), QUIRE_OPEN_UNKNOWN_KEY);
    CU_ASSERT_EQUAL(open_with(&f.new_key, 21 * SECOND, &secret), QUIRE_OPENED);
}

/* Else a slip in the file ends all log-ins at once. */
static void a_broken_file_leaves_the_keys_as_they_were(void) {
    struct secret secret;
    CU_ASSERT_TRUE_FATAL(put_text("no keys\n"));
    CU_ASSERT_EQUAL(open_with(&f.new_key, 30 * SECOND, &secret), QUIRE_OPENED);
    CU_ASSERT_EQUAL_FATAL(unlink(f.path), 0);
    CU_ASSERT_EQUAL(open_with(&f.new_key, 32 * SECOND, &secret), QUIRE_OPENED);
    CU_ASSERT_TRUE_FATAL(put_keys(&f.old_key, NULL));
    CU_ASSERT_EQUAL(open_with(&f.old_key, 34 * SECOND, &secret), QUIRE_OPENED);
    CU_ASSERT_EQUAL(open_with(&f.new_key, 34 * SECOND, &secret), QUIRE_OPEN_UNKNOWN_KEY);
}

static void no_start_without_keys(void) {
    CU_ASSERT_PTR_NULL(secrets_create("/nowhere/at/all", f.log));
}

QUIRE_TEST_MAIN("secrets", set_up, tear_down,
                {"what_was_sealed_for_the_message_opens", what_was_sealed_for_the_message_opens},
                {"what_was_sealed_for_another_message_opens_not", what_was_sealed_for_another_message_opens_not},
                {"sizes_at_the_edges_are_refused_or_opened", sizes_at_the_edges_are_refused_or_opened},
                {"keys_rotate_under_load", keys_rotate_under_load},
                {"a_broken_file_leaves_the_keys_as_they_were", a_broken_file_leaves_the_keys_as_they_were},
                {"no_start_without_keys", no_start_without_keys})
