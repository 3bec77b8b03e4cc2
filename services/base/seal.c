#define _GNU_SOURCE /* strerrordesc_np */

#include "base/seal.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define ID_BYTES 4u
#define PREFIX_BYTES (QUIRE_CORRELATION_BYTES + 8u) /* correlation id and deadline, before the secret */
#define LINE_BYTES 512u                             /* of a key file: id, two keys in hexadecimal, blanks: under 160 */

static_assert(QUIRE_SEAL_OVERHEAD_BYTES == ID_BYTES + crypto_box_SEALBYTES + PREFIX_BYTES, "the drawing in seal.h");
static_assert(QUIRE_SEAL_KEY_BYTES == crypto_box_PUBLICKEYBYTES && QUIRE_SEAL_KEY_BYTES == crypto_box_SECRETKEYBYTES,
              "libsodium's keys");

static void put_prefix(uint8_t *bytes, const uint8_t *correlation, uint64_t deadline_ms) {
    memcpy(bytes, correlation, QUIRE_CORRELATION_BYTES);
    quire_put_u64(bytes + QUIRE_CORRELATION_BYTES, deadline_ms);
}

void quire_seal(const struct quire_seal_key *key, const uint8_t correlation[QUIRE_CORRELATION_BYTES],
                uint64_t deadline_ms, struct quire_slice secret, uint8_t *ret_sealed) {
    /* Sealed in place: libsodium allows ciphertext and message to overlap, so the secret is copied nowhere else. */
    uint8_t *box = ret_sealed + ID_BYTES, *message = box + crypto_box_SEALBYTES;
    int initialised = sodium_init();
    assert(initialised >= 0);
    (void)initialised;
    quire_put_u32(ret_sealed, key->id);
    put_prefix(message, correlation, deadline_ms);
    if (secret.size > 0)
        memcpy(message + PREFIX_BYTES, secret.bytes, secret.size);
    int failed = crypto_box_seal(box, message, PREFIX_BYTES + secret.size, key->public_key);
    assert(failed == 0); /* only for a weak key, which quire_seal_keys_read refuses */
    if (failed != 0)
        abort(); /* never let a secret out unsealed, also where assertions are off */
}

static const struct quire_seal_key *find_key(const struct quire_seal_key *keys, size_t keys_count, uint32_t id) {
    for (size_t i = 0; i < keys_count; i++) {
        if (keys[i].id == id)
            return &keys[i];
    }
    return NULL;
}

enum quire_open_result quire_open(const struct quire_seal_key *keys, size_t keys_count,
                                  const uint8_t correlation[QUIRE_CORRELATION_BYTES], uint64_t deadline_ms,
                                  struct quire_slice sealed, uint8_t *ret_secret, size_t *ret_size) {
    uint8_t expected[PREFIX_BYTES];
    if (sealed.size < QUIRE_SEAL_OVERHEAD_BYTES)
        return QUIRE_OPEN_FORGED;
    const struct quire_seal_key *key = find_key(keys, keys_count, quire_get_u32(sealed.bytes));
    if (key == NULL)
        return QUIRE_OPEN_UNKNOWN_KEY;
    size_t box_bytes = sealed.size - ID_BYTES, message_bytes = box_bytes - crypto_box_SEALBYTES;
    if (crypto_box_seal_open(ret_secret, sealed.bytes + ID_BYTES, box_bytes, key->public_key, key->secret_key) != 0)
        return QUIRE_OPEN_FORGED;
    put_prefix(expected, correlation, deadline_ms);
    if (sodium_memcmp(ret_secret, expected, PREFIX_BYTES) != 0) {
        sodium_memzero(ret_secret, message_bytes);
        return QUIRE_OPEN_FORGED;
    }
    *ret_size = message_bytes - PREFIX_BYTES;
    memmove(ret_secret, ret_secret + PREFIX_BYTES, *ret_size);
    sodium_memzero(ret_secret + *ret_size, PREFIX_BYTES); /* the secret's end, left behind by the move */
    return QUIRE_OPENED;
}

/* Takes the next word of a line; NULL at its end. */
static char *next_word(char **at) {
    char *word = *at + strspn(*at, " \t\r\n");
    if (*word == '\0')
        return NULL;
    char *end = word + strcspn(word, " \t\r\n");
    if (*end != '\0')
        *end++ = '\0';
    *at = end;
    return word;
}

static bool read_hex(const char *word, uint8_t ret_key[QUIRE_SEAL_KEY_BYTES]) {
    size_t size = 0;
    return strlen(word) == 2 * QUIRE_SEAL_KEY_BYTES &&
           sodium_hex2bin(ret_key, QUIRE_SEAL_KEY_BYTES, word, strlen(word), NULL, &size, NULL) == 0 &&
           size == QUIRE_SEAL_KEY_BYTES;
}

/* What is wrong with the line, or NULL with the key filled in. */
static const char *read_key(char *line, struct quire_seal_key *ret_key) {
    char *at = line, *end = NULL;
    char *id = next_word(&at), *public_key = next_word(&at), *secret_key = public_key == NULL ? NULL : next_word(&at);
    if (public_key == NULL || (secret_key != NULL && next_word(&at) != NULL))
        return "is not \"<id> <public hex> [<secret hex>]\"";
    errno = 0;
    unsigned long long number = strtoull(id, &end, 10);
    if (id[0] < '0' || id[0] > '9' || *end != '\0' || errno != 0 || number > UINT32_MAX)
        return "has an id that is no number of 0..4294967295";
    *ret_key = (struct quire_seal_key){.id = (uint32_t)number};
    if (!read_hex(public_key, ret_key->public_key))
        return "has a public key that is not 64 hexadecimal digits";
    uint8_t probe[crypto_box_SEALBYTES];
    if (crypto_box_seal(probe, NULL, 0, ret_key->public_key) != 0)
        return "has a weak public key";
    if (secret_key == NULL)
        return NULL;
    if (!read_hex(secret_key, ret_key->secret_key))
        return "has a secret key that is not 64 hexadecimal digits";
    uint8_t derived[QUIRE_SEAL_KEY_BYTES];
    if (crypto_scalarmult_base(derived, ret_key->secret_key) != 0 ||
        sodium_memcmp(derived, ret_key->public_key, sizeof(derived)) != 0)
        return "has a secret key that does not belong to its public key";
    return NULL;
}

/* Reads all lines; what is wrong, or NULL. */
static const char *read_keys(FILE *file, size_t keys_max, struct quire_seal_key *ret_keys, size_t *count,
                             unsigned *line_number) {
    char line[LINE_BYTES];
    const char *fault = NULL;
    *line_number = 0;
    while (fault == NULL && fgets(line, sizeof(line), file) != NULL) {
        ++*line_number;
        size_t size = strlen(line);
        const char *first = line + strspn(line, " \t\r\n");
        if (size == sizeof(line) - 1 && line[size - 1] != '\n')
            fault = "is too long";
        else if (*first == '\0' || *first == '#')
            continue;
        else if (*count == keys_max)
            fault = "is one key too many";
        else if ((fault = read_key(line, &ret_keys[*count])) == NULL) {
            if (find_key(ret_keys, *count, ret_keys[*count].id) != NULL)
                fault = "has an id that stood in an earlier line";
            ++*count;
        }
    }
    sodium_memzero(line, sizeof(line));
    return fault;
}

bool quire_seal_keys_read(const char *path, size_t keys_max, struct quire_seal_key *ret_keys, size_t *ret_count,
                          char ret_error[160]) {
    size_t count = 0;
    unsigned line_number = 0;
    if (sodium_init() < 0) {
        (void)snprintf(ret_error, 160, "libsodium can't start");
        return false;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        (void)snprintf(ret_error, 160, "can't open the key file %.80s: %s", path, strerrordesc_np(errno));
        return false;
    }
    /* Unbuffered by stdio's own memory, which would keep the secret keys after fclose. */
    char buffer[4096];
    setvbuf(file, buffer, _IOFBF, sizeof(buffer));
    const char *fault = read_keys(file, keys_max, ret_keys, &count, &line_number);
    bool unread = fault == NULL && ferror(file) != 0;
    fclose(file);
    sodium_memzero(buffer, sizeof(buffer));
    if (fault == NULL && !unread && count > 0) {
        *ret_count = count;
        return true;
    }
    sodium_memzero(ret_keys, sizeof(*ret_keys) * count);
    if (fault != NULL)
        (void)snprintf(ret_error, 160, "line %u of the key file %.60s %s", line_number, path, fault);
    else
        (void)snprintf(ret_error, 160, "the key file %.80s %s", path, unread ? "can't be read" : "holds no key");
    return false;
}
