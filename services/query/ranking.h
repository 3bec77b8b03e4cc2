/* Adding up a question's postings lists: the passages of an account that answer it best, as documents.search() ranks
 * them (services/documents/migrations/008_search.sql), to the last digit.
 *
 * A passage's score is the sum, over the question's lexemes that it has, of
 *     ln(1 + max(N - df + 0.5, 0.5) / (df + 0.5)) * impact / 255
 * with N the account's passages, df the length of the lexeme's list, impact the posting's weight (BM25, documents/
 * postings.h); rounded to a millionth, so that it is the same in whatever order it was added up. Any thread; all memory
 * is the arena's. */
#ifndef QUIRE_QUERY_RANKING_H
#define QUIRE_QUERY_RANKING_H

#include "base/arena.h"

#define RANKING_ID_BYTES 16u

/* A lexeme's postings of one account: a copy of bytes made by ranking_pack, aligned as the arena's. `bytes` is opaque
 * and holds no pointer, so that it can be kept, copied and shared. */
struct ranking_list {
    struct quire_slice bytes;
};

/* Packs a list as documents.postings() gives it: `documents` are ids of 16 bytes, newest first, `arrays` for each of
 * them an int4[] in PostgreSQL's binary form, whose items are  31..8 chunk index | 7..0 impact.  The first postings_max
 * postings count. False without memory, or when the two don't fit together: *ret_fits tells which. */
QUIRE_MUSTCHECK bool ranking_pack(struct quire_arena *arena, struct quire_slice documents, struct quire_slice arrays,
                                  size_t postings_max, struct ranking_list *ret_list, bool *ret_fits);
size_t ranking_postings(const struct ranking_list *list);

struct ranked {
    uint8_t document[RANKING_ID_BYTES];
    uint32_t chunk;
    double score;
};

struct ranking_options {
    uint64_t passages;       /* of the account: N */
    size_t top;              /* at most so many; not 0 */
    size_t per_document_max; /* of one document; SIZE_MAX: any number */
};

/* The best passages, best first: by score, then document id, then chunk. Lists are of distinct lexemes. False without
 * memory. */
QUIRE_MUSTCHECK bool ranking_best(struct quire_arena *arena, const struct ranking_list *lists, size_t lists_count,
                                  const struct ranking_options *options, struct ranked **ret_ranked, size_t *ret_count);

#endif
