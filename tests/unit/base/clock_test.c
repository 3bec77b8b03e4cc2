#include "base/clock.h"

#include "unit/suite.h"

#include <time.h>

/* Else a time that the database stored is shown as another. */
static void known_times_are_written_as_rfc3339(void) {
    static const struct {
        int64_t unix_ms;
        const char *text;
    } known[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"}, /* no leap year */
        {4107542399999, "2100-02-28T23:59:59.999Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        char text[QUIRE_TIME_CHARACTERS + 1];
        quire_time_text(known[i].unix_ms, text);
        CU_ASSERT_STRING_EQUAL(text, known[i].text);
    }
}

/* Else lines of two processes can't be put in order. */
static void microseconds_follow_the_milliseconds(void) {
    char text[QUIRE_TIME_US_CHARACTERS + 1];
    quire_time_us_text(1767323045678901, text);
    CU_ASSERT_STRING_EQUAL(text, "2026-01-02T03:04:05.678901Z");
    quire_time_us_text(0, text);
    CU_ASSERT_STRING_EQUAL(text, "1970-01-01T00:00:00.000000Z");
    quire_time_us_text(-1, text);
    CU_ASSERT_STRING_EQUAL(text, "1969-12-31T23:59:59.999999Z");
    uint64_t before_ms = quire_wall_ms(), us = quire_wall_us(), after_ms = quire_wall_ms();
    CU_ASSERT_TRUE(us / 1000 >= before_ms && us / 1000 <= after_ms);
}

/* The calendar is Quire's own, so each of its days is compared with the C library's. */
static void every_day_is_the_c_librarys_day(void) {
    unsigned wrong = 0;
    for (int64_t day = -719528; day <= 2932896; day++) { /* 0000-01-01 to 9999-12-31 */
        char text[QUIRE_TIME_CHARACTERS + 1], expected[64];
        time_t seconds = (time_t)(day * 86400);
        struct tm parts;
        quire_time_text(day * 86400000, text);
        gmtime_r(&seconds, &parts);
        (void)snprintf(expected, sizeof(expected), "%04d-%02d-%02dT00:00:00.000Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday);
        wrong += strcmp(text, expected) != 0;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Else a wait could end before it began. */
static void clocks_go_forward_in_their_units(void) {
    uint64_t wall = quire_wall_ms(), monotonic = quire_monotonic_ns();
    CU_ASSERT_TRUE(wall > 1700000000000u && wall < 253402300800000u);
    CU_ASSERT_TRUE(quire_monotonic_ns() >= monotonic);
}

QUIRE_TEST_MAIN("clock", NULL, NULL, {"known_times_are_written_as_rfc3339", known_times_are_written_as_rfc3339},
                {"microseconds_follow_the_milliseconds", microseconds_follow_the_milliseconds},
                {"every_day_is_the_c_librarys_day", every_day_is_the_c_librarys_day},
                {"clocks_go_forward_in_their_units", clocks_go_forward_in_their_units})
