/* The two clocks: wall time for what leaves the process, monotonic time for what is waited for. Any thread. */
#ifndef QUIRE_BASE_CLOCK_H
#define QUIRE_BASE_CLOCK_H

#include "base/slice.h"

/* Milliseconds, microseconds since 1970 (CLOCK_REALTIME). */
uint64_t quire_wall_ms(void);
uint64_t quire_wall_us(void);
/* Nanoseconds (CLOCK_MONOTONIC). */
uint64_t quire_monotonic_ns(void);

#define QUIRE_TIME_CHARACTERS 24u
/* "2026-01-02T03:04:05.678Z" (RFC 3339), NUL-terminated; unix_ms within years 0..9999. */
void quire_time_text(int64_t unix_ms, char ret_text[QUIRE_TIME_CHARACTERS + 1]);
#define QUIRE_TIME_US_CHARACTERS 27u
/* The same with microseconds: "2026-01-02T03:04:05.678901Z". */
void quire_time_us_text(int64_t unix_us, char ret_text[QUIRE_TIME_US_CHARACTERS + 1]);

#endif
