/* The commonest function words of each language that is told apart by them. Constant data, any thread. Words are folded
 * as words.h folds them, and stand in byte order (a test checks both), so that one binary search finds a word's
 * languages. */
#ifndef QUIRE_TEXT_FUNCTION_WORDS_H
#define QUIRE_TEXT_FUNCTION_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define FUNCTION_WORD_LANGUAGES_MAX 64u

struct function_word {
    const char *word;
    uint64_t languages; /* bit i: function_word_languages[i] */
};

extern const char *const function_word_languages[];
extern const size_t function_word_languages_count;
extern const struct function_word function_words[];
extern const size_t function_words_count;

#endif
