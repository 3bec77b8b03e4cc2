/* What Host and an absolute target name: if it failed, two parties could take one request for two hosts, or a cache and
 * the gateway one answer for another's. */
#include "unit/suite.h"

#include "gateway/host.h"

static void check(const char *const *texts, bool valid) {
    for (; *texts != NULL; texts++) {
        CU_ASSERT_EQUAL(host_is_valid(quire_slice_of(*texts)), valid);
        if (host_is_valid(quire_slice_of(*texts)) != valid)
            printf("\n%s\n", *texts);
    }
}

static void names_and_addresses_are_hosts_with_and_without_a_port(void) {
    static const char *const hosts[] = {"a",
                                        "example.org",
                                        "EXAMPLE.org.",
                                        "127.0.0.1",
                                        "a-b_c~d",
                                        "a!$&'()*+,;=b",
                                        "%41%aF",
                                        "[::]",
                                        "[::1]",
                                        "[2001:db8::192.0.2.1]",
                                        "[0123:4567:89ab:cdef:0123:4567:255.255.255.255]",
                                        "a:80",
                                        "127.0.0.1:8080",
                                        "[::1]:443",
                                        "a:0",
                                        "a:65535",
                                        "a:0000000000000000000080",
                                        "a:",
                                        "[::1]:",
                                        NULL};
    check(hosts, true);
}

static void what_is_neither_is_refused(void) {
    static const char *const others[] = {"",         " ",    "a b", "a\t",  "a/b", "a?b",    "a#b", "u@a",
                                         "a\\b",     "a\"b", "a<b", "a^b",  "a`b", "a|b",    "a{b", "a\x7f",
                                         "\xc3\xa9", "%",    "%4",  "a%zz", "a%4", "a%4:80", NULL};
    check(others, false);
}

static void a_port_is_a_number_that_a_port_can_have(void) {
    static const char *const ports[] = {":",
                                        ":80",
                                        "a:b",
                                        "a:+1",
                                        "a:-1",
                                        "a: 1",
                                        "a:1 ",
                                        "a:1:2",
                                        "a::",
                                        "a:65536",
                                        "127.0.0.1:99999",
                                        "a:4294967376",
                                        "a:18446744073709551696",
                                        "[::1]:x",
                                        "[::1]:65536",
                                        NULL};
    check(ports, false);
}

static void brackets_hold_one_ipv6_address(void) {
    static const char *const literals[] = {"::1",
                                           "[::1",
                                           "::1]",
                                           "]",
                                           "[",
                                           "a]",
                                           "[]",
                                           "[]:80",
                                           "[zz]",
                                           "[a]",
                                           "[1]",
                                           "[127.0.0.1]",
                                           "[::1]x",
                                           "[::1]80",
                                           "x[::1]",
                                           "[[::1]]",
                                           "[::1]]",
                                           "[:::1]",
                                           "[::1%25eth0]",
                                           "[::12345]",
                                           "[v1.a]",
                                           "[::1 ]",
                                           "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]",
                                           NULL};
    check(literals, false);
}

static void a_host_ends_where_its_slice_ends(void) {
    CU_ASSERT_FALSE(host_is_valid(QUIRE_SLICE_LITERAL("a\0b")));
    CU_ASSERT_FALSE(host_is_valid(QUIRE_SLICE_LITERAL("[::1\0]")));
    CU_ASSERT_FALSE(host_is_valid(QUIRE_SLICE_LITERAL("a:8\0")));
    CU_ASSERT_TRUE(host_is_valid((struct quire_slice){(const uint8_t *)"a:80/x", 4}));
    CU_ASSERT_FALSE(host_is_valid((struct quire_slice){(const uint8_t *)"a%41", 3}));
}

QUIRE_TEST_MAIN("host", NULL, NULL,
                {"names_and_addresses_are_hosts_with_and_without_a_port",
                 names_and_addresses_are_hosts_with_and_without_a_port},
                {"what_is_neither_is_refused", what_is_neither_is_refused},
                {"a_port_is_a_number_that_a_port_can_have", a_port_is_a_number_that_a_port_can_have},
                {"brackets_hold_one_ipv6_address", brackets_hold_one_ipv6_address},
                {"a_host_ends_where_its_slice_ends", a_host_ends_where_its_slice_ends})
