#include "base/id.h"

#include "unit/suite.h"

#include <pthread.h>
#include <stdlib.h>

/* Else other software won't take our ids for UUIDs. */
static void time_version_and_variant_stand_in_their_places(void) {
    uint8_t uuid[QUIRE_UUID_BYTES];
    quire_uuid7(0x0123456789abu, uuid);
    CU_ASSERT_EQUAL(memcmp(uuid, "\x01\x23\x45\x67\x89\xab", 6), 0);
    CU_ASSERT_EQUAL(uuid[6] >> 4, 7);
    CU_ASSERT_EQUAL(uuid[8] >> 6, 2);
}

/* Documents are listed by id within a millisecond: the order must be that of creation. */
static void ids_ascend_within_a_millisecond_and_when_the_clock_steps_back(void) {
    uint8_t before[QUIRE_UUID_BYTES], after[QUIRE_UUID_BYTES];
    unsigned wrong = 0;
    quire_uuid7(1000000, before);
    for (unsigned i = 0; i < 100000; i++) {
        quire_uuid7(i % 3 == 0 ? 999990 : 1000000, after);
        wrong += memcmp(before, after, sizeof(before)) >= 0;
        memcpy(before, after, sizeof(before));
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* A clock that is far off and set right must not be ignored for ever. */
static void large_step_back_is_believed(void) {
    uint8_t uuid[QUIRE_UUID_BYTES];
    quire_uuid7(0x0fffffffffffu, uuid);
    quire_uuid7(0x000000010000u, uuid);
    CU_ASSERT_EQUAL(memcmp(uuid, "\x00\x00\x00\x01\x00\x00", 6), 0);
}

#define IDS 20000u
static void *make_ids(void *ids) {
    for (unsigned i = 0; i < IDS; i++)
        quire_uuid7(42, (uint8_t *)ids + (size_t)i * QUIRE_UUID_BYTES);
    return NULL;
}

static int compare(const void *a, const void *b) {
    return memcmp(a, b, QUIRE_UUID_BYTES);
}

/* Two documents with one id would be one document. */
static void threads_never_make_the_same_id(void) {
    uint8_t *ids = malloc((size_t)2 * IDS * QUIRE_UUID_BYTES);
    pthread_t threads[2];
    unsigned same = 0;
    for (unsigned i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, make_ids, ids + (size_t)i * IDS * QUIRE_UUID_BYTES), 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    qsort(ids, 2 * IDS, QUIRE_UUID_BYTES, compare);
    for (size_t i = 1; i < 2 * IDS; i++)
        same += compare(ids + (i - 1) * QUIRE_UUID_BYTES, ids + i * QUIRE_UUID_BYTES) == 0;
    CU_ASSERT_EQUAL(same, 0);
    free(ids);
}

/* Else a document can't be found by the id that its creation answered. */
static void text_and_bytes_are_the_same_id(void) {
    uint8_t uuid[QUIRE_UUID_BYTES], back[QUIRE_UUID_BYTES];
    char text[QUIRE_UUID_CHARACTERS + 1];
    for (unsigned i = 0; i < QUIRE_UUID_BYTES; i++)
        uuid[i] = (uint8_t)(i * 17);
    quire_uuid_text(uuid, text);
    CU_ASSERT_STRING_EQUAL(text, "00112233-4455-6677-8899-aabbccddeeff");
    CU_ASSERT_TRUE(quire_uuid_parse(quire_slice_of(text), back));
    CU_ASSERT_EQUAL(memcmp(uuid, back, sizeof(uuid)), 0);
    CU_ASSERT_TRUE(quire_uuid_parse(quire_slice_of("00112233-4455-6677-8899-AABBCCDDEEFF"), back));
    CU_ASSERT_EQUAL(memcmp(uuid, back, sizeof(uuid)), 0);
}

/* A path segment that is no id is a 404, never a query. */
static void what_is_no_id_is_refused(void) {
    static const char *const bad[] = {"",
                                      "00112233-4455-6677-8899-aabbccddeef",
                                      "00112233-4455-6677-8899-aabbccddeefff",
                                      "00112233445566778899aabbccddeeff",
                                      "00112233-4455-6677-8899-aabbccddeefg",
                                      "00112233-4455-6677-8899-aabbccddee f",
                                      "00112233x4455-6677-8899-aabbccddeeff",
                                      "0011223-34455-6677-8899-aabbccddeeff",
                                      "{0112233-4455-6677-8899-aabbccddeef}",
                                      "00112233-4455-6677-8899-aabbccddee\x10"
                                      "f",
                                      "00112233-4455-6677-8899-aabbccddee@f"};
    uint8_t uuid[QUIRE_UUID_BYTES];
    memset(uuid, 9, sizeof(uuid));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(quire_uuid_parse(quire_slice_of(bad[i]), uuid));
    CU_ASSERT_EQUAL(uuid[0], 9); /* untouched */
}

QUIRE_TEST_MAIN("id", NULL, NULL,
                {"time_version_and_variant_stand_in_their_places", time_version_and_variant_stand_in_their_places},
                {"ids_ascend_within_a_millisecond_and_when_the_clock_steps_back",
                 ids_ascend_within_a_millisecond_and_when_the_clock_steps_back},
                {"large_step_back_is_believed", large_step_back_is_believed},
                {"threads_never_make_the_same_id", threads_never_make_the_same_id},
                {"text_and_bytes_are_the_same_id", text_and_bytes_are_the_same_id},
                {"what_is_no_id_is_refused", what_is_no_id_is_refused})
