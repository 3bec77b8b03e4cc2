/* Bearer tokens: how they are minted and what of them may travel.
 *
 * A token is 2 bytes of the account's tag and 32 random bytes, as base64url without padding (46 characters). What
 * travels and is stored is its session key: the tag and the SHA-256 of the 46 characters (34 bytes). The tag, the first
 * two bytes of the SHA-256 of the folded e-mail, is the Redis hash tag of all the account's keys, so that one call
 * stays in one slot. Any thread. */
#ifndef QUIRE_BASE_TOKEN_H
#define QUIRE_BASE_TOKEN_H

#include "base/slice.h"

#define QUIRE_TAG_BYTES 2u
#define QUIRE_SESSION_BYTES 34u
#define QUIRE_TOKEN_CHARACTERS 46u

/* Folds an e-mail so that addresses that differ only in case or width become equal (Unicode NFKC_Casefold by ICU).
 * Writes at most folded_max bytes, no NUL. False: no valid UTF-8, or too long. */
QUIRE_MUSTCHECK bool quire_email_fold(struct quire_slice email, size_t folded_max, char *ret_folded, size_t *ret_size);
/* False as quire_email_fold. */
QUIRE_MUSTCHECK bool quire_account_tag(struct quire_slice email, uint8_t ret_tag[QUIRE_TAG_BYTES]);

/* Mints a token (libsodium's random bytes) and its session key. ret_token is NUL-terminated. */
void quire_token_mint(const uint8_t tag[QUIRE_TAG_BYTES], char ret_token[QUIRE_TOKEN_CHARACTERS + 1],
                      uint8_t ret_session[QUIRE_SESSION_BYTES]);
/* The session key of what a client sent. False when it can't be a token: answer 401. */
QUIRE_MUSTCHECK bool quire_token_session(struct quire_slice token, uint8_t ret_session[QUIRE_SESSION_BYTES]);

#endif
