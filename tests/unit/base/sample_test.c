#include "base/sample.h"

#include "unit/suite.h"

#include <stdio.h>

static bool takes(const char *id, uint64_t one_in) {
    const struct quire_sample sample = {.one_in = one_in, .slow_us = 1000};
    return quire_sample_takes(&sample, quire_slice_of(id), false, 0);
}

/* Else a request is in one process's log and not in the next one's, and no trace of it is whole. */
static void choice_is_the_proxys_crc32(void) {
    char text[QUIRE_CALL_CHARACTERS + 1];
    quire_call_text(quire_slice_of("123456789"), text); /* the check value of CRC-32 catalogues */
    CU_ASSERT_STRING_EQUAL(text, "cbf43926");
    quire_call_text(quire_slice_of(""), text);
    CU_ASSERT_STRING_EQUAL(text, "00000000");
    CU_ASSERT_TRUE(takes("123456789", 0xcbf43926));
    CU_ASSERT_TRUE(takes("123456789", 2));
    CU_ASSERT_FALSE(takes("123456789", 0xcbf43925));
    CU_ASSERT_FALSE(takes("123456789", 4)); /* 0x26 leaves 2 */
}

static void about_one_in_so_many_is_taken(void) {
    unsigned all = 0, chosen = 0;
    for (unsigned i = 0; i < 10000; i++) {
        char id[24];
        (void)snprintf(id, sizeof(id), "request-%u", i);
        all += takes(id, 1);
        chosen += takes(id, 10);
    }
    CU_ASSERT_EQUAL(all, 10000);
    CU_ASSERT_TRUE(chosen > 800 && chosen < 1200);
}

/* What someone will ask about is never left out. */
static void failures_and_slow_ones_are_always_taken(void) {
    const struct quire_sample sample = {.one_in = 1000000, .slow_us = 1000};
    const struct quire_slice id = quire_slice_of("request-1");
    CU_ASSERT_FALSE(quire_sample_takes(&sample, id, false, 999));
    CU_ASSERT_TRUE(quire_sample_takes(&sample, id, false, 1000));
    CU_ASSERT_TRUE(quire_sample_takes(&sample, id, true, 0));
}

QUIRE_TEST_MAIN("sample", NULL, NULL, {"choice_is_the_proxys_crc32", choice_is_the_proxys_crc32},
                {"about_one_in_so_many_is_taken", about_one_in_so_many_is_taken},
                {"failures_and_slow_ones_are_always_taken", failures_and_slow_ones_are_always_taken})
