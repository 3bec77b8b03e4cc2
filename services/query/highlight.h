/* Pieces of a passage around the words that were found, those between ** and **. Any thread; memory is the arena's.
 *
 * Which words were found is decided by lexemes, as the search did it, so the same dictionaries must speak: words are
 * collected (highlight_collect), the caller asks documents.lexemes() for them, and highlight_write marks what has a
 * lexeme of the question. */
#ifndef QUIRE_QUERY_HIGHLIGHT_H
#define QUIRE_QUERY_HIGHLIGHT_H

#include "base/arena.h"

#define HIGHLIGHTS_MAX 3u
#define HIGHLIGHT_CHARACTERS 200u /* about; marks not counted */

/* Distinct words with the language whose dictionary they go to. */
struct highlight_words {
    struct quire_arena *arena;
    struct quire_slice *languages, *words; /* parallel, count of each: the question to documents.lexemes */
    size_t count, room;
    uint32_t *slots; /* index + 1; 0: free */
    size_t slots_count;
};

void highlight_words_init(struct highlight_words *words, struct quire_arena *arena);
/* Adds the words of `text`. Language and text must outlive the words. False without memory. */
QUIRE_MUSTCHECK bool highlight_collect(struct highlight_words *words, struct quire_slice language,
                                       struct quire_slice text);

/* The highlights of a passage, in its order, at most HIGHLIGHTS_MAX, none when nothing was found. lexemes[i] is of
 * words->words[i]; `question` was collected in the same language. False without memory. */
QUIRE_MUSTCHECK bool highlight_write(const struct highlight_words *words, const struct quire_slice *lexemes,
                                     struct quire_slice language, struct quire_slice question,
                                     struct quire_slice passage, char **ret_highlights, size_t *ret_count);

#endif
