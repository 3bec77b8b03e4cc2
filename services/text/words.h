/* Words as the index has them: what a passage and a question are both cut into, so that one finds the other.
 *
 * - Runs of letters and digits of a script that writes spaces are one word each, folded (Unicode NFKC_Casefold), at
 * most 64 characters. Stemming, stop words and accents are left to PostgreSQL's dictionaries (documents.lexemes).
 * - Scripts without spaces, or without a dictionary, give n-grams of characters: Hebrew 4 of a word (a shorter word
 * whole; points and the quote inside an acronym dropped, final letters folded), Hangul 2, Han and Kana 2 (a Han
 * character also alone), Thai, Lao, Khmer, Myanmar 3. Measured best on public test sets for Hebrew (4) and Korean (2).
 * - All else separates: punctuation, symbols, white space.
 *
 * Any thread; linear time; memory on the stack. Invalid UTF-8 is read as U+FFFD, which separates. */
#ifndef QUIRE_TEXT_WORDS_H
#define QUIRE_TEXT_WORDS_H

#include "base/slice.h"

#define TEXT_WORD_CHARACTERS_MAX 64u

struct text_word {
    struct quire_slice word; /* normalised UTF-8, valid during the call */
    size_t start, end;       /* the bytes of the text that it was made of */
    bool gram;
};

/* Returns false to stop. */
typedef bool text_on_word(void *context, const struct text_word *word);

/* Calls on_word for each word in the order of the text. False when on_word stopped it. */
bool text_words(struct quire_slice text, text_on_word *on_word, void *context);

#endif
