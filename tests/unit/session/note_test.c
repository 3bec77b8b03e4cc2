#include "session/note.h"

#include "unit/suite.h"

#define CREATED_AT INT64_C(1700000000123)

static const uint8_t id[QUIRE_UUID_BYTES] = {1, 0, 2, 0xff}, other[QUIRE_UUID_BYTES] = {1, 0, 2, 0xfe};

static struct fixture {
    struct quire_arena arena;
} f;

static int set_up(void) {
    quire_arena_init(&f.arena, 1 << 20);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&f.arena);
    return 0;
}

static Quire__Account account_of(const char *email) {
    Quire__Account account = QUIRE__ACCOUNT__INIT;
    account.id = (ProtobufCBinaryData){QUIRE_UUID_BYTES, (uint8_t *)(uintptr_t)id};
    account.email = (char *)(uintptr_t)email;
    account.created_at = CREATED_AT;
    return account;
}

static struct quire_slice note_of(const char *email) {
    const Quire__Account account = account_of(email);
    const struct quire_slice note = note_encode(&f.arena, &account);
    CU_ASSERT_TRUE_FATAL(note.size > 0);
    return note;
}

/* Else /auth/me says of an account what a registration never said. */
static void an_account_comes_back_as_it_was(void) {
    static const char *const emails[] = {"ada@example.org", "Ada.LOVELACE@Example.ORG",
                                         "\xd0\x96\xc3\xa9\xe6\x97\xa5@xn--e1afmkfd.example", "\"a\\b\"@example.org"};
    for (size_t i = 0; i < sizeof emails / sizeof emails[0]; i++) {
        const Quire__Account *account = note_decode(&f.arena, note_of(emails[i]), id);
        CU_ASSERT_PTR_NOT_NULL_FATAL(account);
        CU_ASSERT_STRING_EQUAL(account->email, emails[i]);
        CU_ASSERT_EQUAL(account->created_at, CREATED_AT);
        CU_ASSERT_TRUE(account->id.len == sizeof id && memcmp(account->id.data, id, sizeof id) == 0);
    }
}

/* Else its session is stored without one, and nobody knows why its /auth/me is slower. */
static void the_longest_account_has_room(void) {
    char email[254 + 1];
    memset(email, 'a', sizeof email - 1);
    email[sizeof email - 1] = '\0';
    Quire__Account account = account_of(email);
    account.created_at = -1; /* the longest that there is */
    CU_ASSERT_EQUAL(note_encode(&f.arena, &account).size, NOTE_BYTES_MAX);
}

static void a_note_of_another_account_is_none(void) {
    CU_ASSERT_PTR_NULL(note_decode(&f.arena, note_of("ada@example.org"), other));
}

static void what_cannot_be_read_is_none(void) {
    const struct quire_slice note = note_of("ada@example.org");
    for (size_t size = 0; size < note.size; size++)
        CU_ASSERT_PTR_NULL(note_decode(&f.arena, (struct quire_slice){note.bytes, size}, id));
    CU_ASSERT_PTR_NULL(note_decode(&f.arena, QUIRE_SLICE_LITERAL("\xff\xff\xff"), id));
    CU_ASSERT_PTR_NULL(note_decode(&f.arena, note_of(""), id));
    CU_ASSERT_PTR_NULL(note_decode(&f.arena, note_of("caf\xe9@example.org"), id)); /* no UTF-8: no JSON either */
}

/* The gateway can't name such a time, and its caller would get a 5xx for as long as the session lives. */
static void a_time_that_never_was_is_none(void) {
    static const struct {
        int64_t created_at;
        bool good;
    } cases[] = {{INT64_MIN, false}, {0, false}, {1, true}, {253402300799999, true}, {253402300800000, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Quire__Account account = account_of("ada@example.org");
        account.created_at = cases[i].created_at;
        const Quire__Account *read = note_decode(&f.arena, note_encode(&f.arena, &account), id);
        CU_ASSERT_EQUAL(read != NULL, cases[i].good);
    }
}

/* A process of the next version may have written it; the gateway reads what this one answers. */
static void a_note_that_says_more_is_read_for_what_is_known(void) {
    const struct quire_slice note = note_of("ada@example.org");
    uint8_t longer[NOTE_BYTES_MAX + 2];
    memcpy(longer, note.bytes, note.size);
    memcpy(longer + note.size, "\x78\x01", 2); /* field 15, a varint */
    const Quire__Account *account = note_decode(&f.arena, (struct quire_slice){longer, note.size + 2}, id);
    CU_ASSERT_PTR_NOT_NULL_FATAL(account);
    CU_ASSERT_TRUE(quire_slice_equal(note_encode(&f.arena, account), note));
}

static void without_memory_there_is_none_and_the_next_is_there(void) {
    const Quire__Account account = account_of("ada@example.org");
    const struct quire_slice note = note_of("ada@example.org");
    struct quire_arena small;
    quire_arena_init(&small, 16);
    CU_ASSERT_EQUAL(note_encode(&small, &account).size, 0);
    CU_ASSERT_PTR_NULL(note_decode(&small, note, id));
    quire_arena_deinit(&small);
    CU_ASSERT_PTR_NOT_NULL(note_decode(&f.arena, note, id));
}

QUIRE_TEST_MAIN("note", set_up, tear_down, {"an_account_comes_back_as_it_was", an_account_comes_back_as_it_was},
                {"the_longest_account_has_room", the_longest_account_has_room},
                {"a_note_of_another_account_is_none", a_note_of_another_account_is_none},
                {"what_cannot_be_read_is_none", what_cannot_be_read_is_none},
                {"a_time_that_never_was_is_none", a_time_that_never_was_is_none},
                {"a_note_that_says_more_is_read_for_what_is_known", a_note_that_says_more_is_read_for_what_is_known},
                {"without_memory_there_is_none_and_the_next_is_there",
                 without_memory_there_is_none_and_the_next_is_there})
