/* Which words stand in which chunks of a document, on the way to the table documents.postings.
 *
 * Two steps, because the dictionaries are PostgreSQL's: postings_gather cuts title, headings and chunks into words
 * (text/words.h), each distinct one once; the caller asks documents.lexemes() for them; postings_merge joins words of
 * one lexeme and weighs. Any thread; all memory is the arena's.
 *
 * An entry is  31..8 chunk index | 7..0 impact,  where impact is 255 times BM25's saturated term frequency:
 *     tf / (tf + K1 * (1 - B + B * characters of the chunk / CHUNK_CHARACTERS))
 * A chunk's usual length is known (we cut them), so no average has to be kept, and a search only adds up idf * impact.
 * Title and headings count as words of each chunk under them, once. */
#ifndef QUIRE_DOCUMENTS_POSTINGS_H
#define QUIRE_DOCUMENTS_POSTINGS_H

#include "documents/chunker.h"

#define POSTINGS_K1 1.2
#define POSTINGS_B 0.5
#define POSTINGS_ROW_MAX 256u    /* entries a row, so that it fits into an index entry (001_documents.sql) */
#define POSTINGS_TITLE_WORDS 16u /* of the title, counted for every chunk; the first chunk has all of them */
#define POSTINGS_WORDS_MAX                                                                                             \
    250000u /* distinct words; what a larger vocabulary brings later in the text is not indexed. Natural text of 15    \
               MiB has fewer; random identifiers would make a write miss its deadline */
#define POSTINGS_CHUNKS_MAX (1u << 23)

struct postings;

/* False without memory. */
QUIRE_MUSTCHECK bool postings_gather(struct quire_arena *arena, struct quire_slice title, struct quire_slice text,
                                     const struct chunk *chunks, size_t chunks_count, struct postings **ret_postings);
/* The distinct words, in the order of their first appearance. */
const struct quire_slice *postings_words(const struct postings *postings, size_t *ret_count);

struct postings_row {
    struct quire_slice lexeme;
    struct quire_slice entries; /* an int[] as PostgreSQL reads it: {256,513} */
};

/* lexemes[i] is the lexeme of word i, empty for a stop word. Rows come in no particular order. False without memory. */
QUIRE_MUSTCHECK bool postings_merge(struct quire_arena *arena, const struct postings *postings,
                                    const struct quire_slice *lexemes, struct postings_row **ret_rows,
                                    size_t *ret_count);

/* What a word that stands tf times in a chunk of so many characters weighs: 1..255. */
uint32_t postings_impact(uint32_t tf, size_t characters);

#endif
