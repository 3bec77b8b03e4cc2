#include "session/address.h"

#include "unit/suite.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LABEL_63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"

static_assert(sizeof(LABEL_63) - 1 == 63, "a label may be no longer");

static void expect(bool valid, const char *const *addresses, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const bool found = address_is_valid(quire_slice_of(addresses[i]));
        CU_ASSERT_EQUAL(found, valid);
        if (found != valid)
            printf("%s: %s\n", found ? "valid" : "not valid", addresses[i]);
    }
}

static void addresses_as_people_have_them_are_valid(void) {
    static const char *const addresses[] = {"ada@example.org",
                                            "a@b",
                                            "a@localhost",
                                            "Ada.Lovelace+quire@Example.ORG",
                                            "o'neill@example.ie",
                                            "!#$%&'*+/=?^_`{|}~-@x1.y-z.example",
                                            "1@2.example",
                                            "a@xn--bcher-kva.example",
                                            "a@r3---sn.example",
                                            "a@" LABEL_63 ".example",
                                            "a@sub.sub.sub.sub.example"};
    expect(true, addresses, COUNT(addresses));
}

/* RFC 6531. */
static void other_scripts_are_valid_on_both_sides(void) {
    static const char *const addresses[] = {"jörg@bücher.example", "用户@例え.テスト",      "δοκιμή@παράδειγμα.ελ",
                                            "אבג@דוגמה.קום",       "उपयोगकर्ता@उदाहरण.भारत", "a\xcc\x81@example.org"};
    expect(true, addresses, COUNT(addresses));
}

/* Else two accounts have addresses that nobody can tell apart. */
static void what_cannot_be_seen_is_not_valid(void) {
    static const char *const characters[] = {" ",
                                             "\t",
                                             "\x01",
                                             "\x7f",
                                             "\xc2\x85", /* NEL */
                                             "\xc2\xa0",
                                             "\xe2\x80\x8b",
                                             "\xe2\x80\xae",
                                             "\xe2\x80\xa8",
                                             "\xe3\x80\x80", /* NBSP ZWSP RLO LS */
                                             "\xef\xbb\xbf",
                                             "\xc2\xad",
                                             "\xe2\x80\x8d",
                                             "\xe2\x81\xa0",
                                             "\xef\xb8\x8f", /* BOM SHY ZWJ WJ VS16 */
                                             "\xcd\x8f",
                                             "\xe3\x85\xa4",
                                             "\xee\x80\x80",
                                             "\xf3\xa0\x81\x81",
                                             "\xf4\x8f\xbf\xbf", /* CGJ, Co, tag, Cn */
                                             "\xed\xa0\x80",
                                             "\xff",
                                             "\xf0\x9d\x85\xb3",
                                             "\xcd\xb8",
                                             "\xe1\x9a\x80"};
    static const char *const forms[] = {"a%sb@example.org", "%sa@example.org", "a@exa%smple.org", "a@example.org%s"};
    char address[64];
    for (size_t i = 0; i < COUNT(characters); i++)
        for (size_t k = 0; k < COUNT(forms); k++) {
            const char *one = address;
            snprintf(address, sizeof(address), forms[k], characters[i]);
            expect(false, &one, 1);
        }
}

static void atoms_and_labels_are_whole(void) {
    static const char *const addresses[] = {"", "@", "a", "a@", "@b.example", "a@b..example", "a@.example",
                                            "a@b.example.", ".a@b.example", "a.@b.example", "a..b@c.example",
                                            "a@b@c.example", "a@-b.example", "a@b-.example", "a@b.-example",
                                            "a@b.example-", "a@" LABEL_63 "x.example", "a@b。。example", "a@b。",
                                            /* 63 bytes hold fewer characters of another script as DNS writes them */
                                            "a@üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü.example"};
    expect(false, addresses, COUNT(addresses));
}

static void other_notations_are_not_valid(void) {
    static const char *const addresses[] = {"<a@b.example>",
                                            "a,b@c.example",
                                            "a@b.example,c@d.example",
                                            "Ada <a@b.example>",
                                            "\"a b\"@c.example",
                                            "\"a\"@b.example",
                                            "a(b)@c.example",
                                            "a@[127.0.0.1]",
                                            "a@b_c.example",
                                            "a@b.example/c",
                                            "a@b:25",
                                            "a:b@c.example",
                                            "a;b@c.example",
                                            "a\\b@c.example",
                                            "mailto:a@b.example",
                                            "a@b.example?x",
                                            "a[b]@c.example",
                                            "a@*.example",
                                            "a@xn--a.example"};
    expect(false, addresses, COUNT(addresses));
}

QUIRE_TEST_MAIN("address", NULL, NULL,
                {"addresses_as_people_have_them_are_valid", addresses_as_people_have_them_are_valid},
                {"other_scripts_are_valid_on_both_sides", other_scripts_are_valid_on_both_sides},
                {"what_cannot_be_seen_is_not_valid", what_cannot_be_seen_is_not_valid},
                {"atoms_and_labels_are_whole", atoms_and_labels_are_whole},
                {"other_notations_are_not_valid", other_notations_are_not_valid})
