/* How long a text is, by Unicode's rules for words and sentences (UAX 29, ICU). Any thread. */
#ifndef STATS_MEASURE_H
#define STATS_MEASURE_H

#include "base/slice.h"

struct stats_measure {
    int64_t characters; /* code points */
    int64_t words;      /* with a letter, a digit, or an ideograph; "don't" is one */
    int64_t sentences;  /* with at least one word */
};

/* Invalid UTF-8 counts as U+FFFD. Linear time, a few KiB of memory. False without memory or ICU's data. */
QUIRE_MUSTCHECK bool stats_measure(struct quire_slice text, struct stats_measure *ret_measure);

#endif
