/* The session service's calls, from a message's bytes to SQL parameters and back to an answer: see consumer.h. */
#define _GNU_SOURCE /* memfd_create */
#include "consumer.h"

#include "session/handlers.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct consumer_statement statements[] = {
    {&session_statement_register, "tbiuttt", "uez", .rows_min = 1, .rows_max = 1},
    {&session_statement_me, "u", "uez", .owned = true, .rows_max = 1},
    {&session_statement_account_of_email, "t", "uezh", .rows_max = 1},
    {&session_statement_log_in, "utbitt?ubbiit?t?i", "oousiz", .rows_min = 1, .rows_max = 15},
    {&session_statement_password, "ut", "ho", .owned = true, .rows_max = 1},
    {&session_statement_change_password, "utbittb", "os", .owned = true, .rows_max = 15},
    {&session_statement_list, "u", "uszzzit?t?", .owned = true, .rows_max = 15},
    {&session_statement_revoke, "utbiu?b?", "s", .owned = true, .rows_max = 1},
};

/* ---- Linked in place of libsodium's: a scalar multiplication or 19 MiB of Argon2id take longer than all else here,
 * and nothing that is looked for hangs on them. What is sealed is what was sent. */

int __wrap_crypto_box_seal_open(unsigned char *message, const unsigned char *sealed, unsigned long long size,
                                const unsigned char *public_key, const unsigned char *secret_key);
int __wrap_crypto_box_seal_open(unsigned char *message, const unsigned char *sealed, unsigned long long size,
                                const unsigned char *public_key, const unsigned char *secret_key) {
    (void)public_key, (void)secret_key;
    if (size < crypto_box_SEALBYTES)
        return -1;
    memcpy(message, sealed + crypto_box_SEALBYTES, (size_t)size - crypto_box_SEALBYTES);
    return 0;
}

int __wrap_crypto_pwhash_str_alg(char hash[crypto_pwhash_STRBYTES], const char *password, unsigned long long size,
                                 unsigned long long passes, size_t memory_bytes, int algorithm);
int __wrap_crypto_pwhash_str_alg(char hash[crypto_pwhash_STRBYTES], const char *password, unsigned long long size,
                                 unsigned long long passes, size_t memory_bytes, int algorithm) {
    (void)password, (void)size, (void)passes, (void)memory_bytes, (void)algorithm;
    (void)snprintf(hash, crypto_pwhash_STRBYTES, "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaA");
    return 0;
}

/* Right passwords begin with an even byte. */
int __wrap_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long size);
int __wrap_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long size) {
    (void)hash;
    return size > 0 && (password[0] & 1) == 0 ? 0 : -1;
}

/* Redis doesn't say. */
void __wrap_seen_find(struct seen *seen, const struct quire_slice *sessions, size_t count, uint64_t now_ns,
                      int64_t *ret_seen_ms);
void __wrap_seen_find(struct seen *seen, const struct quire_slice *sessions, size_t count, uint64_t now_ns,
                      int64_t *ret_seen_ms) {
    (void)seen, (void)sessions, (void)count, (void)now_ns, (void)ret_seen_ms;
}

/* A key pair in a file that only this process has. */
static struct secrets *make_secrets(struct quire_log *log) {
    static char path[64];
    uint8_t public_key[crypto_box_PUBLICKEYBYTES], secret_key[crypto_box_SECRETKEYBYTES];
    char public_hex[2 * sizeof(public_key) + 1], secret_hex[2 * sizeof(secret_key) + 1];
    const int fd = memfd_create("keys", 0);
    crypto_box_keypair(public_key, secret_key);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (dprintf(fd, "1 %s %s\n", sodium_bin2hex(public_hex, sizeof(public_hex), public_key, sizeof(public_key)),
                sodium_bin2hex(secret_hex, sizeof(secret_hex), secret_key, sizeof(secret_key))) < 0)
        abort();
    return secrets_create(path, log);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    static Quire__Session_Service handlers = QUIRE__SESSION__INIT(session_);
    static struct session_context context = {
        .settings = {
            .idle_s = 86400, .absolute_s = 2592000, .live_max = 100, .password_memory_kib = 16, .password_passes = 1}};
    static const struct consumer session = {.service = "session",
                                            .handlers = &handlers.base,
                                            .context = &context,
                                            .statements = statements,
                                            .statements_count = sizeof(statements) / sizeof(statements[0])};
    consumer_begin(&session);
    /* Attempts with forged secrets are logged as warnings: there would be millions. */
    context.log = quire_log_create("session", "fuzz", QUIRE_ERROR, STDERR_FILENO);
    context.secrets = make_secrets(context.log);
    if (context.secrets == NULL || !password_hash_nobody(session_settings_cost(&context.settings), &context.nobody))
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return consumer_run(data, size);
}
