#include "documents/cursor.h"

#include "unit/suite.h"

static const uint8_t account[16] = {1}, other[16] = {2};

static void cursor_comes_back(void) {
    const struct cursor_scope scope = {.account = account, .tag = quire_slice_of("a"), .q = quire_slice_of("b")};
    const struct cursor cursor = {.created_at_ms = 1767225600123, .id = {7, 8, 9}};
    char text[CURSOR_CHARACTERS + 1];
    struct cursor read;
    cursor_encode(&cursor, &scope, text);
    CU_ASSERT_EQUAL(strlen(text), CURSOR_CHARACTERS);
    CU_ASSERT_TRUE(cursor_decode(quire_slice_of(text), &scope, &read));
    CU_ASSERT_EQUAL(read.created_at_ms, cursor.created_at_ms);
    CU_ASSERT(memcmp(read.id, cursor.id, 16) == 0);
}

/* Else a page of one list goes on in the middle of another. */
static void cursor_belongs_to_its_list(void) {
    const struct cursor_scope scope = {.account = account, .tag = quire_slice_of("ab")};
    const struct cursor_scope others[] = {{.account = other, .tag = quire_slice_of("ab")},
                                          {.account = account},
                                          {.account = account, .tag = quire_slice_of("a"), .q = quire_slice_of("b")},
                                          {.account = account, .q = quire_slice_of("ab")}};
    char text[CURSOR_CHARACTERS + 1];
    struct cursor read;
    cursor_encode(&(struct cursor){.created_at_ms = 1}, &scope, text);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_FALSE(cursor_decode(quire_slice_of(text), &others[i], &read));
}

static void what_is_no_cursor_is_refused(void) {
    const struct cursor_scope scope = {.account = account};
    char text[CURSOR_CHARACTERS + 1];
    struct cursor read;
    cursor_encode(&(struct cursor){.created_at_ms = INT64_C(0x5926535897f3), .id = "\xff\xff\xff\xff\xff"}, &scope,
                  text);
    CU_ASSERT_FALSE(cursor_decode(quire_slice_of(""), &scope, &read));
    CU_ASSERT_FALSE(cursor_decode(quire_slice_of("abc"), &scope, &read));
    CU_ASSERT_FALSE(cursor_decode((struct quire_slice){(uint8_t *)text, CURSOR_CHARACTERS - 1}, &scope, &read));
    for (size_t i = 0; i < CURSOR_CHARACTERS; i++) {
        const char kept = text[i];
        text[i] = kept == 'A' ? 'B' : 'A';
        CU_ASSERT_FALSE(cursor_decode(quire_slice_of(text), &scope, &read));
        text[i] = '!';
        CU_ASSERT_FALSE(cursor_decode(quire_slice_of(text), &scope, &read));
        for (int beyond = 0x80; beyond <= 0xff; beyond++) { /* some of them libsodium takes for the character itself */
            text[i] = (char)beyond;
            CU_ASSERT_FALSE(cursor_decode(quire_slice_of(text), &scope, &read));
        }
        text[i] = kept;
    }
}

/* A forger can spell any time; PostgreSQL, which is asked with it, knows fewer. */
static void a_time_that_no_document_can_have_is_refused(void) {
    static const struct {
        int64_t ms;
        bool fits;
    } rows[] = {{0, true},
                {INT64_C(253402300799999), true},
                {INT64_C(253402300800000), false},
                {INT64_MAX, false},
                {-1, false}};
    const struct cursor_scope scope = {.account = account};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[CURSOR_CHARACTERS + 1];
        struct cursor read;
        cursor_encode(&(struct cursor){.created_at_ms = rows[i].ms}, &scope, text);
        CU_ASSERT_EQUAL(cursor_decode(quire_slice_of(text), &scope, &read), rows[i].fits);
    }
}

QUIRE_TEST_MAIN("cursor", NULL, NULL, {"cursor_comes_back", cursor_comes_back},
                {"cursor_belongs_to_its_list", cursor_belongs_to_its_list},
                {"what_is_no_cursor_is_refused", what_is_no_cursor_is_refused},
                {"a_time_that_no_document_can_have_is_refused", a_time_that_no_document_can_have_is_refused})
