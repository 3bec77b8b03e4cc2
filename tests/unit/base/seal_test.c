#define _GNU_SOURCE /* memmem */

#include "base/seal.h"

#include "unit/suite.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECRET "correct horse"

static struct {
    struct quire_seal_key keys[2];
    uint8_t correlation[QUIRE_CORRELATION_BYTES];
    char path[64];
} f;

static int set_up(void) {
    if (sodium_init() < 0)
        return 1;
    for (unsigned i = 0; i < 2; i++) {
        f.keys[i].id = 7 + i;
        crypto_box_keypair(f.keys[i].public_key, f.keys[i].secret_key);
    }
    randombytes_buf(f.correlation, sizeof(f.correlation));
    (void)snprintf(f.path, sizeof(f.path), "/tmp/quire-seal-test-%ld", (long)getpid());
    return 0;
}

static int tear_down(void) {
    unlink(f.path);
    return 0;
}

static struct quire_slice seal_with(unsigned key, const char *secret, uint8_t *sealed) {
    quire_seal(&f.keys[key], f.correlation, 5000, quire_slice_of(secret), sealed);
    return (struct quire_slice){sealed, strlen(secret) + QUIRE_SEAL_OVERHEAD_BYTES};
}

/* Keys change under load: what either key sealed must open. */
static void current_and_previous_key_open(void) {
    uint8_t sealed[256], secret[256];
    for (unsigned i = 0; i < 2; i++) {
        size_t size = 0;
        struct quire_slice slice = seal_with(i, SECRET, sealed);
        CU_ASSERT_EQUAL(quire_open(f.keys, 2, f.correlation, 5000, slice, secret, &size), QUIRE_OPENED);
        CU_ASSERT_EQUAL(size, strlen(SECRET));
        CU_ASSERT_EQUAL(memcmp(secret, SECRET, size), 0);
        CU_ASSERT_EQUAL(quire_get_u32(sealed), f.keys[i].id);
    }
}

static void empty_secret_opens_too(void) {
    uint8_t sealed[256], secret[256];
    size_t size = 9;
    CU_ASSERT_EQUAL(quire_open(f.keys, 2, f.correlation, 5000, seal_with(0, "", sealed), secret, &size), QUIRE_OPENED);
    CU_ASSERT_EQUAL(size, 0);
}

/* A dump of the topic must let no one in. */
static void secret_is_not_in_the_sealed_bytes(void) {
    uint8_t sealed[256], again[256];
    struct quire_slice slice = seal_with(0, SECRET, sealed);
    CU_ASSERT_PTR_NULL(memmem(slice.bytes, slice.size, SECRET, strlen(SECRET)));
    (void)seal_with(0, SECRET, again);
    CU_ASSERT_NOT_EQUAL(memcmp(sealed, again, slice.size), 0); /* nor can equal passwords be told */
}

/* Else a sealed password copied off a topic logs its thief in. */
static void sealed_value_opens_in_its_own_message_only(void) {
    uint8_t sealed[256], secret[256] = {0}, other[QUIRE_CORRELATION_BYTES];
    size_t size = 9;
    struct quire_slice slice = seal_with(0, SECRET, sealed);
    memcpy(other, f.correlation, sizeof(other));
    other[27] ^= 1;
    CU_ASSERT_EQUAL(quire_open(f.keys, 2, other, 5000, slice, secret, &size), QUIRE_OPEN_FORGED);
    CU_ASSERT_EQUAL(quire_open(f.keys, 2, f.correlation, 5001, slice, secret, &size), QUIRE_OPEN_FORGED);
    CU_ASSERT_EQUAL(size, 9);
    CU_ASSERT_PTR_NULL(memmem(secret, sizeof(secret), SECRET, strlen(SECRET)));
}

static void every_changed_bit_and_every_cut_is_noticed(void) {
    uint8_t sealed[256], secret[256];
    size_t size;
    unsigned opened = 0;
    struct quire_slice slice = seal_with(0, SECRET, sealed);
    for (size_t i = 0; i < slice.size; i++) {
        sealed[i] ^= 0x10;
        opened += quire_open(f.keys, 2, f.correlation, 5000, slice, secret, &size) == QUIRE_OPENED;
        sealed[i] ^= 0x10;
        opened +=
            quire_open(f.keys, 2, f.correlation, 5000, (struct quire_slice){sealed, i}, secret, &size) == QUIRE_OPENED;
    }
    CU_ASSERT_EQUAL(opened, 0);
    CU_ASSERT_EQUAL(quire_open(f.keys, 2, f.correlation, 5000, slice, secret, &size), QUIRE_OPENED);
}

/* A key that was removed is another case than a forgery: an operator can mend it. */
static void unknown_key_is_told_apart(void) {
    uint8_t sealed[256], secret[256];
    size_t size;
    struct quire_slice slice = seal_with(0, SECRET, sealed);
    CU_ASSERT_EQUAL(quire_open(f.keys + 1, 1, f.correlation, 5000, slice, secret, &size), QUIRE_OPEN_UNKNOWN_KEY);
    CU_ASSERT_EQUAL(quire_open(f.keys, 0, f.correlation, 5000, slice, secret, &size), QUIRE_OPEN_UNKNOWN_KEY);
}

static void write_file(const char *text) {
    FILE *file = fopen(f.path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static void key_file_is_read_with_and_without_secrets(void) {
    char public_hex[2][65], secret_hex[2][65], text[600], error[160];
    struct quire_seal_key keys[2];
    size_t count = 0;
    for (unsigned i = 0; i < 2; i++) {
        sodium_bin2hex(public_hex[i], 65, f.keys[i].public_key, 32);
        sodium_bin2hex(secret_hex[i], 65, f.keys[i].secret_key, 32);
    }
    (void)snprintf(text, sizeof(text), "# keys\n\n7 %s %s\n8\t%s %s", public_hex[0], secret_hex[0], public_hex[1],
                   secret_hex[1]);
    write_file(text);
    CU_ASSERT_TRUE(quire_seal_keys_read(f.path, 2, keys, &count, error));
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_EQUAL(memcmp(keys, f.keys, sizeof(keys)), 0);
    CU_ASSERT_FALSE(quire_seal_keys_read(f.path, 1, keys, &count, error)); /* one too many */
    (void)snprintf(text, sizeof(text), "4294967295 %s\r\n", public_hex[0]);
    write_file(text);
    CU_ASSERT_TRUE(quire_seal_keys_read(f.path, 1, keys, &count, error));
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(keys[0].id, UINT32_MAX);
    CU_ASSERT_TRUE(sodium_is_zero(keys[0].secret_key, 32));
}

/* A process that starts with half its keys fails much later, at somebody's log-in. */
static void faulty_key_files_are_refused_and_say_the_line_but_no_key(void) {
    char public_hex[65], other_hex[65], text[700], error[160];
    struct quire_seal_key keys[4];
    size_t count = 77;
    sodium_bin2hex(public_hex, 65, f.keys[0].public_key, 32);
    sodium_bin2hex(other_hex, 65, f.keys[1].secret_key, 32);
    const char *formats[] = {"7\n",
                             "x %s\n",
                             "-1 %s\n",
                             "4294967296 %s\n",
                             "7 %.63s\n",
                             "7 %s0\n",
                             "7 %s zz\n",
                             "7 %s %2$s\n",
                             "7 %s\n7 %1$s\n",
                             "7 0000000000000000000000000000000000000000000000000000000000000000\n",
                             "",
                             "# none\n",
                             "7 %s %1$s %1$s\n"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof(text), formats[i], public_hex, other_hex);
#pragma GCC diagnostic pop
        write_file(text);
        error[0] = '\0';
        CU_ASSERT_FALSE(quire_seal_keys_read(f.path, 4, keys, &count, error));
        CU_ASSERT_TRUE(strlen(error) > 10 && strlen(error) < 160);
        CU_ASSERT_PTR_NULL(strstr(error, other_hex));
    }
    CU_ASSERT_FALSE(quire_seal_keys_read("/nonexistent/keys", 4, keys, &count, error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "/nonexistent/keys"));
    CU_ASSERT_FALSE(quire_seal_keys_read("/tmp", 4, keys, &count, error));
    CU_ASSERT_EQUAL(count, 77);
}

QUIRE_TEST_MAIN("seal", set_up, tear_down, {"current_and_previous_key_open", current_and_previous_key_open},
                {"empty_secret_opens_too", empty_secret_opens_too},
                {"secret_is_not_in_the_sealed_bytes", secret_is_not_in_the_sealed_bytes},
                {"sealed_value_opens_in_its_own_message_only", sealed_value_opens_in_its_own_message_only},
                {"every_changed_bit_and_every_cut_is_noticed", every_changed_bit_and_every_cut_is_noticed},
                {"unknown_key_is_told_apart", unknown_key_is_told_apart},
                {"key_file_is_read_with_and_without_secrets", key_file_is_read_with_and_without_secrets},
                {"faulty_key_files_are_refused_and_say_the_line_but_no_key",
                 faulty_key_files_are_refused_and_say_the_line_but_no_key})
