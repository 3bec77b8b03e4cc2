#include "base/token.h"

#include "base/utf8.h"

#include <assert.h>
#include <sodium.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#define TOKEN_BYTES (QUIRE_TAG_BYTES + 32u)
#define EMAIL_BYTES_MAX 1024u
#define FOLDED_UNITS_MAX 4096u
#define FOLDED_BYTES_MAX 4096u

static_assert(QUIRE_SESSION_BYTES == QUIRE_TAG_BYTES + crypto_hash_sha256_BYTES,
              "a session key is the tag and a SHA-256");
static_assert(QUIRE_TOKEN_CHARACTERS + 1 ==
                  sodium_base64_ENCODED_LEN(TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
              "a token's bytes as base64url");

bool quire_email_fold(struct quire_slice email, size_t folded_max, char *ret_folded, size_t *ret_size) {
    UChar units[EMAIL_BYTES_MAX], folded[FOLDED_UNITS_MAX];
    char text[FOLDED_BYTES_MAX];
    int32_t units_count = 0, folded_count = 0, size = 0;
    UErrorCode code = U_ZERO_ERROR;

    if (email.size > EMAIL_BYTES_MAX)
        return false;
    const UNormalizer2 *fold = unorm2_getNFKCCasefoldInstance(&code);
    u_strFromUTF8(units, EMAIL_BYTES_MAX, &units_count, (const char *)email.bytes, (int32_t)email.size, &code);
    if (U_FAILURE(code))
        return false;
    folded_count = unorm2_normalize(fold, units, units_count, folded, FOLDED_UNITS_MAX, &code);
    u_strToUTF8(text, FOLDED_BYTES_MAX, &size, folded, folded_count, &code);
    if (U_FAILURE(code) || (size_t)size > folded_max)
        return false;
    memcpy(ret_folded, text, (size_t)size);
    *ret_size = (size_t)size;
    return true;
}

bool quire_account_tag(struct quire_slice email, uint8_t ret_tag[QUIRE_TAG_BYTES]) {
    char folded[FOLDED_BYTES_MAX];
    uint8_t hash[crypto_hash_sha256_BYTES];
    size_t size;
    if (!quire_email_fold(email, sizeof(folded), folded, &size))
        return false;
    crypto_hash_sha256(hash, (const uint8_t *)folded, size);
    memcpy(ret_tag, hash, QUIRE_TAG_BYTES);
    return true;
}

void quire_token_mint(const uint8_t tag[QUIRE_TAG_BYTES], char ret_token[QUIRE_TOKEN_CHARACTERS + 1],
                      uint8_t ret_session[QUIRE_SESSION_BYTES]) {
    uint8_t bytes[TOKEN_BYTES];
    int initialised = sodium_init(); /* 1 when it was before; cheap, and any thread may be the first */
    assert(initialised >= 0);
    (void)initialised;
    memcpy(bytes, tag, QUIRE_TAG_BYTES);
    randombytes_buf(bytes + QUIRE_TAG_BYTES, TOKEN_BYTES - QUIRE_TAG_BYTES);
    sodium_bin2base64(ret_token, QUIRE_TOKEN_CHARACTERS + 1, bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    memcpy(ret_session, tag, QUIRE_TAG_BYTES);
    crypto_hash_sha256(ret_session + QUIRE_TAG_BYTES, (const uint8_t *)ret_token, QUIRE_TOKEN_CHARACTERS);
    sodium_memzero(bytes, sizeof(bytes));
}

/* Only the one canonical spelling of 34 bytes counts: libsodium refuses the other alphabet, padding and unused bits
 * that aren't zero, but 1.0.18 takes bytes from 0x80 on for digits. */
bool quire_token_session(struct quire_slice token, uint8_t ret_session[QUIRE_SESSION_BYTES]) {
    uint8_t bytes[TOKEN_BYTES];
    size_t size = 0;
    if (token.size != QUIRE_TOKEN_CHARACTERS)
        return false;
    const bool valid = quire_utf8_is_ascii(token) &&
                       sodium_base642bin(bytes, sizeof(bytes), (const char *)token.bytes, token.size, NULL, &size, NULL,
                                         sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
                       size == TOKEN_BYTES;
    if (valid) {
        memcpy(ret_session, bytes, QUIRE_TAG_BYTES);
        crypto_hash_sha256(ret_session + QUIRE_TAG_BYTES, token.bytes, token.size);
    }
    sodium_memzero(bytes, sizeof(bytes));
    return valid;
}
