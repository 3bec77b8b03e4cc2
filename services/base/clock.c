#include "base/clock.h"

#include <assert.h>
#include <time.h>

uint64_t quire_wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t quire_wall_ms(void) {
    return quire_wall_us() / 1000u;
}

uint64_t quire_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Writes `value` as exactly `digits` decimal digits. */
static char *put_digits(char *text, uint64_t value, unsigned digits) {
    for (unsigned i = digits; i > 0; i--) {
        text[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return text + digits;
}

/* Not gmtime_r: glibc takes the time zone's lock in it, and each line of the log comes through here. The calendar is
 * counted in eras of 400 years that begin on the first of March, so that the leap day is the last of its year. */
void quire_time_text(int64_t unix_ms, char ret_text[QUIRE_TIME_CHARACTERS + 1]) {
    const int64_t day_ms = 86400000;
    const int64_t year0_ms = -62167219200000, year10000_ms = 253402300800000;
    assert(unix_ms >= year0_ms && unix_ms < year10000_ms);

    uint64_t since_march0 =
        (uint64_t)(unix_ms - year0_ms + 306 * day_ms); /* 0000-01-01 is 306 days after -0001-03-01 */
    uint64_t ms_of_day = since_march0 % (uint64_t)day_ms;
    uint64_t days = since_march0 / (uint64_t)day_ms; /* since -0001-03-01 */
    /* Shifted by one era less one year, so that nothing is negative: year -1 is year 399 of the era before. */
    days += 146097 - 366;
    uint64_t era = days / 146097, day_of_era = days % 146097;
    uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t month_from_march = (5 * day_of_year + 2) / 153;
    uint64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    uint64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0) - 400;

    char *at = put_digits(ret_text, year, 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    at = put_digits(at, day, 2);
    *at++ = 'T';
    at = put_digits(at, ms_of_day / 3600000, 2);
    *at++ = ':';
    at = put_digits(at, ms_of_day / 60000 % 60, 2);
    *at++ = ':';
    at = put_digits(at, ms_of_day / 1000 % 60, 2);
    *at++ = '.';
    at = put_digits(at, ms_of_day % 1000, 3);
    *at++ = 'Z';
    *at = '\0';
}

void quire_time_us_text(int64_t unix_us, char ret_text[QUIRE_TIME_US_CHARACTERS + 1]) {
    int64_t us = unix_us % 1000;
    if (us < 0) /* before 1970: milliseconds are counted from below */
        us += 1000;
    quire_time_text((unix_us - us) / 1000, ret_text);
    char *at = put_digits(ret_text + QUIRE_TIME_CHARACTERS - 1, (uint64_t)us, 3);
    *at++ = 'Z';
    *at = '\0';
}
