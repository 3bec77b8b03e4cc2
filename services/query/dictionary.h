/* Lexemes of words, as far as the cache knows them; documents.lexemes() tells the others. Any thread.
 *
 * A dictionary says the same of a word for as long as the process lives: dictionaries change by a migration of the
 * documents service, which mends the postings too, and after which services are started again. */
#ifndef QUIRE_QUERY_DICTIONARY_H
#define QUIRE_QUERY_DICTIONARY_H

#include "base/arena.h"
#include "query/cache.h"

/* ret_lexemes[i] is words[i]'s by the dictionary of languages[i], copied: empty for a stop word, bytes NULL when
 * unknown. Tells how many are unknown in ret_unknown. False without memory. */
QUIRE_MUSTCHECK bool dictionary_find(struct cache *cache, struct quire_arena *arena,
                                     const struct quire_slice *languages, const struct quire_slice *words, size_t count,
                                     struct quire_slice *ret_lexemes, size_t *ret_unknown);
void dictionary_keep(struct cache *cache, struct quire_slice language, struct quire_slice word,
                     struct quire_slice lexeme);

#endif
