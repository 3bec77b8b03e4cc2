#include "unit/suite.h"

#include "runtime/keys.h"

/* All keys of an account must share the tag in braces, or a cluster would refuse the check. */
static void an_accounts_keys_share_its_tag(void) {
    uint8_t session[QUIRE_SESSION_BYTES] = {0x0a, 0xff, 0x01, 0x23}, account[16] = {0x01};
    session[33] = 0xee;
    CU_ASSERT_STRING_EQUAL(quire_key_session(session).text,
                           "quire:{0aff}:session:01230000000000000000000000000000000000000000000000000000000000ee");
    CU_ASSERT_STRING_EQUAL(quire_key_revoked(session).text,
                           "quire:{0aff}:revoked:01230000000000000000000000000000000000000000000000000000000000ee");
    CU_ASSERT_STRING_EQUAL(quire_key_account(session, account, QUIRE_ACCOUNT_WATERMARK).text,
                           "quire:{0aff}:account:01000000-0000-0000-0000-000000000000:watermark");
    CU_ASSERT_STRING_EQUAL(quire_key_account(session, account, QUIRE_ACCOUNT_PLACES).text,
                           "quire:{0aff}:account:01000000-0000-0000-0000-000000000000:places");
}

/* Else whoever has an IPv6 network has 2^64 addresses to guess passwords from, and any text in a header is a key of its
 * own. */
static void addresses_count_by_what_one_customer_has(void) {
    static const struct {
        const char *client, *key;
    } cases[] = {
        {"192.0.2.1", "quire:{addr:192.0.2.1}:requests"},
        {"::ffff:192.0.2.1", "quire:{addr:192.0.2.1}:requests"},
        {"2001:db8:1:2:3:4:5:6", "quire:{addr:2001:db8:1:2::}:requests"},
        {"2001:DB8:1:2::9", "quire:{addr:2001:db8:1:2::}:requests"},
        {"", "quire:{addr:unknown}:requests"},
        {"}:x", "quire:{addr:unknown}:requests"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "quire:{addr:unknown}:requests"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CU_ASSERT_STRING_EQUAL(quire_key_address(quire_slice_of(cases[i].client), QUIRE_ADDRESS_REQUESTS).text,
                               cases[i].key);
    struct quire_key log_in[QUIRE_LOG_IN_KEYS];
    quire_keys_log_in(QUIRE_SLICE_LITERAL("192.0.2.1"), (const uint8_t[]){0x0a, 0x0b}, log_in);
    CU_ASSERT_STRING_EQUAL(log_in[0].text, "quire:{addr:192.0.2.1}:log_in:0a0b");
    CU_ASSERT_STRING_EQUAL(log_in[1].text, "quire:{addr:192.0.2.1}:log_ins");
}

QUIRE_TEST_MAIN("keys", NULL, NULL, {"an_accounts_keys_share_its_tag", an_accounts_keys_share_its_tag},
                {"addresses_count_by_what_one_customer_has", addresses_count_by_what_one_customer_has})
