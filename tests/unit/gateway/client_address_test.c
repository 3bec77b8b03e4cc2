/* The caller's address: if it failed, anyone could pass for anyone in front of the limits by address. */
#include "unit/suite.h"

#include "gateway/client_address.h"

static struct client_proxies proxies_of(const char *text) {
    struct client_proxies proxies;
    char fault[64];
    CU_ASSERT_TRUE(client_proxies_parse(text, &proxies, fault));
    return proxies;
}

/* Who calls, seen from a peer with these X-Forwarded-For lines. */
static const char *client_of(const char *trusted, const char *peer, const char *first_line, const char *second_line) {
    static char text[CLIENT_ADDRESS_CHARACTERS + 1];
    struct client_proxies proxies = proxies_of(trusted);
    struct client_address address;
    struct http_field fields[] = {{QUIRE_SLICE_LITERAL("x-forwarded-for"), quire_slice_of(first_line)},
                                  {QUIRE_SLICE_LITERAL("X-Forwarded-For"), quire_slice_of(second_line)}};
    struct http_head head = {.fields = fields, .fields_count = first_line == NULL ? 0 : second_line == NULL ? 1 : 2};
    CU_ASSERT_TRUE(client_address_parse(quire_slice_of(peer), &address));
    address = client_behind(&proxies, address, &head);
    client_address_text(&address, text);
    return text;
}

static void who_is_not_trusted_is_the_client_whatever_it_says(void) {
    CU_ASSERT_STRING_EQUAL(client_of("", "10.0.0.1", "1.2.3.4", NULL), "10.0.0.1");
    CU_ASSERT_STRING_EQUAL(client_of("192.168.0.0/16", "10.0.0.1", "1.2.3.4", NULL), "10.0.0.1");
}

static void a_trusted_proxy_names_the_client(void) {
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/8", "10.0.0.1", "1.2.3.4", NULL), "1.2.3.4");
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/8", "10.0.0.1", NULL, NULL), "10.0.0.1");
    CU_ASSERT_STRING_EQUAL(client_of("::1", "::1", "2001:db8::1", NULL), "2001:db8::1");
}

static void what_the_client_itself_put_in_front_is_not_believed(void) {
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 1.2.3.4", NULL), "1.2.3.4");
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/8", "10.0.0.1", "6.6.6.6", "1.2.3.4 , 10.9.9.9"), "1.2.3.4");
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/8", "10.0.0.1", "6.6.6.6, nonsense, 10.9.9.9", NULL), "10.9.9.9");
}

static void when_all_are_trusted_the_first_is_the_client(void) {
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/8", "10.0.0.1", "10.0.0.3, 10.0.0.2", NULL), "10.0.0.3");
}

static void ports_and_brackets_are_understood(void) {
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/8", "10.0.0.1", "1.2.3.4:5678", NULL), "1.2.3.4");
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/8", "10.0.0.1", "[2001:db8::1]:5678", NULL), "2001:db8::1");
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/8", "10.0.0.1", "::ffff:1.2.3.4", NULL), "1.2.3.4");
}

static void networks_end_at_the_bit(void) {
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/9", "10.127.0.1", "1.2.3.4", NULL), "1.2.3.4");
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.0/9", "10.128.0.1", "1.2.3.4", NULL), "10.128.0.1");
    CU_ASSERT_STRING_EQUAL(client_of("fd00::/8, 10.0.0.7", "10.0.0.7", "1.2.3.4", NULL), "1.2.3.4");
    CU_ASSERT_STRING_EQUAL(client_of("10.0.0.7", "10.0.0.8", "1.2.3.4", NULL), "10.0.0.8");
    CU_ASSERT_STRING_EQUAL(client_of("0.0.0.0/0", "9.9.9.9", "::1", NULL), "::1");
    CU_ASSERT_STRING_EQUAL(client_of("0.0.0.0/0", "2001:db8::2", "1.2.3.4", NULL), "2001:db8::2");
}

static void a_list_that_cannot_be_read_names_the_part(void) {
    static const char *const lists[] = {"10.0.0.0/33", "10.0.0.0/",     "10.0.0/8",
                                        "fd00::/129",  "10.0.0.0/8, x", "10.0.0.0/8x"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct client_proxies proxies;
        char fault[64] = "";
        CU_ASSERT_FALSE(client_proxies_parse(lists[i], &proxies, fault));
        CU_ASSERT_TRUE(fault[0] != '\0');
    }
}

QUIRE_TEST_MAIN("client_address", NULL, NULL,
                {"who_is_not_trusted_is_the_client_whatever_it_says",
                 who_is_not_trusted_is_the_client_whatever_it_says},
                {"a_trusted_proxy_names_the_client", a_trusted_proxy_names_the_client},
                {"what_the_client_itself_put_in_front_is_not_believed",
                 what_the_client_itself_put_in_front_is_not_believed},
                {"when_all_are_trusted_the_first_is_the_client", when_all_are_trusted_the_first_is_the_client},
                {"ports_and_brackets_are_understood", ports_and_brackets_are_understood},
                {"networks_end_at_the_bit", networks_end_at_the_bit},
                {"a_list_that_cannot_be_read_names_the_part", a_list_that_cannot_be_read_names_the_part})
