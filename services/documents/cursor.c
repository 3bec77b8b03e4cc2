#include "documents/cursor.h"

#include "base/wire.h"

#include <assert.h>
#include <sodium.h>

#define FORMAT 1u
#define PLAIN_BYTES 25u
#define CHECK_BYTES 8u
#define CURSOR_BYTES (PLAIN_BYTES + CHECK_BYTES)
static_assert((CURSOR_BYTES * 4 + 2) / 3 == CURSOR_CHARACTERS, "base64url without padding");

static void check_of(const uint8_t plain[PLAIN_BYTES], const struct cursor_scope *scope,
                     uint8_t ret_check[CHECK_BYTES]) {
    crypto_generichash_state state;
    uint8_t hash[crypto_generichash_BYTES], size[8];
    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash)); /* these can't fail: sizes are constants */
    (void)crypto_generichash_update(&state, plain, PLAIN_BYTES);
    (void)crypto_generichash_update(&state, scope->account, 16);
    quire_put_u64(size, scope->tag.size); /* so that tag and q can't run into each other */
    (void)crypto_generichash_update(&state, size, sizeof(size));
    if (scope->tag.size > 0)
        (void)crypto_generichash_update(&state, scope->tag.bytes, scope->tag.size);
    if (scope->q.size > 0)
        (void)crypto_generichash_update(&state, scope->q.bytes, scope->q.size);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    memcpy(ret_check, hash, CHECK_BYTES);
}

void cursor_encode(const struct cursor *cursor, const struct cursor_scope *scope,
                   char ret_text[CURSOR_CHARACTERS + 1]) {
    uint8_t bytes[CURSOR_BYTES];
    bytes[0] = FORMAT;
    quire_put_u64(bytes + 1, (uint64_t)cursor->created_at_ms);
    memcpy(bytes + 9, cursor->id, 16);
    check_of(bytes, scope, bytes + PLAIN_BYTES);
    (void)sodium_bin2base64(ret_text, CURSOR_CHARACTERS + 1, bytes, sizeof(bytes),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* libsodium 1.0.18 takes bytes from 0x80 on for digits, so what was read is spelled again and compared. */
bool cursor_decode(struct quire_slice text, const struct cursor_scope *scope, struct cursor *ret_cursor) {
    uint8_t bytes[CURSOR_BYTES], check[CHECK_BYTES];
    size_t size = 0;
    if (text.size != CURSOR_CHARACTERS ||
        sodium_base642bin(bytes, sizeof(bytes), (const char *)text.bytes, text.size, NULL, &size, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        size != sizeof(bytes) || bytes[0] != FORMAT)
        return false;
    check_of(bytes, scope, check);
    if (memcmp(check, bytes + PLAIN_BYTES, CHECK_BYTES) != 0)
        return false;
    char spelled[CURSOR_CHARACTERS + 1];
    (void)sodium_bin2base64(spelled, sizeof(spelled), bytes, sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    if (memcmp(spelled, text.bytes, CURSOR_CHARACTERS) != 0)
        return false;
    const uint64_t created_at_ms = quire_get_u64(bytes + 1);
    if (created_at_ms > CURSOR_CREATED_AT_MS_MAX)
        return false;
    ret_cursor->created_at_ms = (int64_t)created_at_ms;
    memcpy(ret_cursor->id, bytes + 9, 16);
    return true;
}
