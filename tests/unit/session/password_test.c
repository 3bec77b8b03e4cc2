#include "unit/suite.h"

#include "session/password.h"

#include <stdio.h>

/* Small, so that the suite is quick; nothing here depends on the size. */
static const struct password_cost cheap = {1024, 1};

static struct quire_slice text(const char *bytes) {
    return quire_slice_of(bytes);
}

static int set_up(void) {
    return sodium_init() < 0;
}

/* Else nobody logs in, or everybody does. */
static void a_hash_fits_its_password_alone(void) {
    struct password_hash hash;
    CU_ASSERT_TRUE_FATAL(password_hash(cheap, text("correct horse"), &hash));
    CU_ASSERT_TRUE(password_verify(hash.text, text("correct horse")));
    CU_ASSERT_FALSE(password_verify(hash.text, text("correct horsf")));
    CU_ASSERT_FALSE(password_verify(hash.text, text("")));
    CU_ASSERT_FALSE(password_verify("", text("correct horse")));
    CU_ASSERT_FALSE(password_verify("no hash", text("correct horse")));
}

/* Else a password would end at its first zero byte. */
static void every_byte_of_a_password_counts(void) {
    static const uint8_t one[] = {'p', 'a', 0, 1}, other[] = {'p', 'a', 0, 2};
    struct password_hash hash;
    CU_ASSERT_TRUE_FATAL(password_hash(cheap, (struct quire_slice){one, sizeof one}, &hash));
    CU_ASSERT_TRUE(password_verify(hash.text, (struct quire_slice){one, sizeof one}));
    CU_ASSERT_FALSE(password_verify(hash.text, (struct quire_slice){other, sizeof other}));
    CU_ASSERT_FALSE(password_verify(hash.text, (struct quire_slice){one, 2}));
}

static void the_longest_password_is_hashed_whole(void) {
    uint8_t longest[PASSWORD_BYTES_MAX];
    struct password_hash hash;
    memset(longest, 'x', sizeof longest);
    CU_ASSERT_TRUE_FATAL(password_hash(cheap, (struct quire_slice){longest, sizeof longest}, &hash));
    CU_ASSERT_TRUE(password_verify(hash.text, (struct quire_slice){longest, sizeof longest}));
    CU_ASSERT_FALSE(password_verify(hash.text, (struct quire_slice){longest, sizeof longest - 1}));
}

/* Else the settings would be a wish. */
static void the_parameters_stand_in_the_hash(void) {
    struct password_hash hash;
    CU_ASSERT_TRUE_FATAL(password_hash((struct password_cost){19456, 2}, text("password"), &hash));
    CU_ASSERT_NSTRING_EQUAL(hash.text, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
}

static void equal_passwords_have_different_hashes(void) {
    struct password_hash first, second;
    CU_ASSERT_TRUE_FATAL(password_hash(cheap, text("password"), &first));
    CU_ASSERT_TRUE_FATAL(password_hash(cheap, text("password"), &second));
    CU_ASSERT_STRING_NOT_EQUAL(first.text, second.text);
}

/* Else an unknown e-mail would be told by its time: nobody's hash must cost what an account's costs. */
static void nobodys_hash_costs_the_same_and_fits_nothing(void) {
    struct password_hash nobody;
    CU_ASSERT_TRUE_FATAL(password_hash_nobody(cheap, &nobody));
    CU_ASSERT_NSTRING_EQUAL(nobody.text, "$argon2id$v=19$m=1024,t=1,p=1$", 30);
    CU_ASSERT_FALSE(password_verify(nobody.text, text("")));
    CU_ASSERT_FALSE(password_verify(nobody.text, text("password")));
}

/* Else old accounts keep weak hashes, or each log-in weakens one after the settings fell. */
static void a_hash_is_outgrown_only_when_costs_rose(void) {
    struct password_hash hash;
    CU_ASSERT_TRUE_FATAL(password_hash((struct password_cost){2048, 2}, text("password"), &hash));
    CU_ASSERT_FALSE(password_outgrown((struct password_cost){2048, 2}, hash.text));
    CU_ASSERT_TRUE(password_outgrown((struct password_cost){2049, 2}, hash.text));
    CU_ASSERT_TRUE(password_outgrown((struct password_cost){2048, 3}, hash.text));
    CU_ASSERT_FALSE(password_outgrown((struct password_cost){1024, 1}, hash.text));
    CU_ASSERT_TRUE(password_outgrown((struct password_cost){2048, 2}, "$argon2i$v=19$m=2048,t=2,p=1$c2FsdA$aGFzaA"));
}

static void failure_leaves_the_answer_untouched(void) {
    struct password_hash hash = {.text = "before"};
    CU_ASSERT_FALSE(password_hash((struct password_cost){0, 0}, text("password"), &hash));
    CU_ASSERT_STRING_EQUAL(hash.text, "before");
}

QUIRE_TEST_MAIN("password", set_up, NULL, {"a_hash_fits_its_password_alone", a_hash_fits_its_password_alone},
                {"every_byte_of_a_password_counts", every_byte_of_a_password_counts},
                {"the_longest_password_is_hashed_whole", the_longest_password_is_hashed_whole},
                {"the_parameters_stand_in_the_hash", the_parameters_stand_in_the_hash},
                {"equal_passwords_have_different_hashes", equal_passwords_have_different_hashes},
                {"nobodys_hash_costs_the_same_and_fits_nothing", nobodys_hash_costs_the_same_and_fits_nothing},
                {"a_hash_is_outgrown_only_when_costs_rose", a_hash_is_outgrown_only_when_costs_rose},
                {"failure_leaves_the_answer_untouched", failure_leaves_the_answer_untouched})
