#include "base/token.h"

#include "unit/suite.h"

#include <sodium.h>

static bool folds_to(const char *email, const char *expected) {
    char folded[256];
    size_t size = 0;
    return quire_email_fold(quire_slice_of(email), sizeof(folded), folded, &size) &&
           quire_slice_equal((struct quire_slice){(const uint8_t *)folded, size}, quire_slice_of(expected));
}

/* Else one person has two accounts, or can't log in as they registered. */
static void addresses_that_differ_only_in_case_or_width_are_one(void) {
    CU_ASSERT_TRUE(folds_to("Ann@Example.ORG", "ann@example.org"));
    CU_ASSERT_TRUE(folds_to("\xef\xbc\xa1nn@example.org", "ann@example.org")); /* fullwidth A */
    CU_ASSERT_TRUE(folds_to("STRA\xc3\x9f"
                            "E@example.org",
                            "strasse@example.org"));                           /* sharp s */
    CU_ASSERT_TRUE(folds_to("\xce\xa3@example.org", "\xcf\x83@example.org"));  /* sigma */
    CU_ASSERT_TRUE(folds_to("e\xcc\x81@example.org", "\xc3\xa9@example.org")); /* combining accent */
    CU_ASSERT_TRUE(folds_to("", ""));
}

static void what_cannot_be_folded_is_refused(void) {
    char folded[8];
    size_t size = 99;
    uint8_t tag[QUIRE_TAG_BYTES];
    char large[1100];
    memset(large, 'a', sizeof(large));
    CU_ASSERT_TRUE(quire_email_fold(quire_slice_of("AAAAAAAA"), sizeof(folded), folded, &size));
    CU_ASSERT_EQUAL(size, 8);
    CU_ASSERT_FALSE(quire_email_fold(quire_slice_of("AAAAAAAAA"), sizeof(folded), folded, &size));
    CU_ASSERT_FALSE(quire_email_fold(quire_slice_of("a\xff"), sizeof(folded), folded, &size));
    CU_ASSERT_FALSE(quire_email_fold(quire_slice_of("\xed\xa0\x80"), sizeof(folded), folded, &size)); /* a surrogate */
    CU_ASSERT_FALSE(quire_account_tag(quire_slice_of("\xc0\x80"), tag));
    CU_ASSERT_TRUE(quire_account_tag((struct quire_slice){(const uint8_t *)large, 1024}, tag));
    CU_ASSERT_FALSE(quire_account_tag((struct quire_slice){(const uint8_t *)large, 1025}, tag));
}

/* All keys of an account must stand in one slot, however its address is written. */
static void tag_is_the_start_of_the_folded_addresss_hash(void) {
    uint8_t hash[crypto_hash_sha256_BYTES], tag[QUIRE_TAG_BYTES];
    crypto_hash_sha256(hash, (const uint8_t *)"ann@example.org", 15);
    CU_ASSERT_TRUE(quire_account_tag(quire_slice_of("ANN@example.org"), tag));
    CU_ASSERT_EQUAL(memcmp(tag, hash, sizeof(tag)), 0);
}

/* Else nobody who logs in stays logged in. */
static void minted_token_gives_its_own_session_key(void) {
    const uint8_t tag[QUIRE_TAG_BYTES] = {0xab, 0xcd};
    char token[QUIRE_TOKEN_CHARACTERS + 1], other[QUIRE_TOKEN_CHARACTERS + 1];
    uint8_t session[QUIRE_SESSION_BYTES], again[QUIRE_SESSION_BYTES], hash[crypto_hash_sha256_BYTES];
    quire_token_mint(tag, token, session);
    CU_ASSERT_EQUAL(strlen(token), QUIRE_TOKEN_CHARACTERS);
    CU_ASSERT_EQUAL(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                    QUIRE_TOKEN_CHARACTERS);
    CU_ASSERT_TRUE(quire_token_session(quire_slice_of(token), again));
    CU_ASSERT_EQUAL(memcmp(session, again, sizeof(session)), 0);
    CU_ASSERT_EQUAL(memcmp(session, tag, sizeof(tag)), 0);
    crypto_hash_sha256(hash, (const uint8_t *)token, QUIRE_TOKEN_CHARACTERS);
    CU_ASSERT_EQUAL(memcmp(session + QUIRE_TAG_BYTES, hash, sizeof(hash)), 0);
    quire_token_mint(tag, other, again);
    CU_ASSERT_STRING_NOT_EQUAL(token, other);
}

/* One session has one spelling: any other is a 401, without a question to Redis. */
static void what_cannot_be_a_token_is_refused(void) {
    const uint8_t tag[QUIRE_TAG_BYTES] = {0xff, 0xff};
    char token[QUIRE_TOKEN_CHARACTERS + 2], bad[QUIRE_TOKEN_CHARACTERS + 3];
    uint8_t session[QUIRE_SESSION_BYTES];
    quire_token_mint(tag, token, session);
    CU_ASSERT_FALSE(quire_token_session((struct quire_slice){NULL, 0}, session));
    CU_ASSERT_FALSE(
        quire_token_session((struct quire_slice){(const uint8_t *)token, QUIRE_TOKEN_CHARACTERS - 1}, session));
    (void)snprintf(bad, sizeof(bad), "%s=", token);
    CU_ASSERT_FALSE(quire_token_session(quire_slice_of(bad), session));
    (void)snprintf(bad, sizeof(bad), "%sA", token);
    CU_ASSERT_FALSE(quire_token_session(quire_slice_of(bad), session));
    unsigned accepted = 0;
    for (unsigned byte = 0; byte < 256; byte++) { /* the NUL too, and what a signed char makes negative */
        memcpy(bad, token, QUIRE_TOKEN_CHARACTERS);
        bad[20] = (char)byte;
        accepted += quire_token_session((struct quire_slice){(const uint8_t *)bad, QUIRE_TOKEN_CHARACTERS}, session);
    }
    CU_ASSERT_EQUAL(accepted, 64);
}

/* 46 characters hold four bits more than 34 bytes: only one of sixteen last characters is right. */
static void unused_bits_must_be_zero(void) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t tag[QUIRE_TAG_BYTES] = {1, 2};
    char token[QUIRE_TOKEN_CHARACTERS + 1];
    uint8_t session[QUIRE_SESSION_BYTES];
    unsigned accepted = 0;
    quire_token_mint(tag, token, session);
    for (size_t i = 0; i < 64; i++) {
        token[QUIRE_TOKEN_CHARACTERS - 1] = alphabet[i];
        accepted += quire_token_session(quire_slice_of(token), session);
    }
    CU_ASSERT_EQUAL(accepted, 4);
}

QUIRE_TEST_MAIN("token", NULL, NULL,
                {"addresses_that_differ_only_in_case_or_width_are_one",
                 addresses_that_differ_only_in_case_or_width_are_one},
                {"what_cannot_be_folded_is_refused", what_cannot_be_folded_is_refused},
                {"tag_is_the_start_of_the_folded_addresss_hash", tag_is_the_start_of_the_folded_addresss_hash},
                {"minted_token_gives_its_own_session_key", minted_token_gives_its_own_session_key},
                {"what_cannot_be_a_token_is_refused", what_cannot_be_a_token_is_refused},
                {"unused_bits_must_be_zero", unused_bits_must_be_zero})
