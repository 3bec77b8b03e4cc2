/* A document's text cut into passages: about CHUNK_CHARACTERS long, on sentence bounds (ICU, UAX 29), each with the
 * headings it stands under.
 *
 * A chunk is a piece of the text itself, from a byte to a byte: nothing is copied, no code point is split, and the same
 * text always gives the same chunks. Neighbours overlap by whole sentences of at most CHUNK_OVERLAP_CHARACTERS, so that
 * an answer across a cut is still in one piece; never over a Markdown heading (# to ######, outside ``` fences), which
 * begins a new chunk once the present one has some body. Time and memory are linear in the text. Any thread. */
#ifndef QUIRE_DOCUMENTS_CHUNKER_H
#define QUIRE_DOCUMENTS_CHUNKER_H

#include "base/arena.h"

#define CHUNK_CHARACTERS 1000u     /* what a chunk aims at and does not pass, unless a sentence does */
#define CHUNK_CHARACTERS_MAX 1500u /* a longer sentence is cut, at white space if there is some */
#define CHUNK_OVERLAP_CHARACTERS 150u
#define CHUNK_HEADING_BYTES_MAX 300u

struct chunk {
    size_t start, end;          /* bytes of the text; end > start */
    struct quire_slice heading; /* "Operating > Backups", in the arena; empty: none */
};

/* Cuts valid UTF-8 (quire_utf8_valid) of at least one byte. Chunks are in the arena; there is at least one. False
 * without memory. */
QUIRE_MUSTCHECK bool chunker_cut(struct quire_arena *arena, struct quire_slice text, struct chunk **ret_chunks,
                                 size_t *ret_count);

#endif
