/* The owner watermark: how far a replica must have replayed to show an account all of its own writes. Plain values, any
 * thread. */
#ifndef QUIRE_RUNTIME_WATERMARK_H
#define QUIRE_RUNTIME_WATERMARK_H

#include "base/slice.h"

#define QUIRE_EPOCH_CHARACTERS 32u
#define QUIRE_WATERMARK_CHARACTERS (QUIRE_EPOCH_CHARACTERS + 17u)

struct quire_watermark {
    bool known;                             /* false: read the primary */
    char epoch[QUIRE_EPOCH_CHARACTERS + 1]; /* "<system identifier>/<timeline>" of the cluster that lsn speaks of */
    uint64_t lsn;
};

/* "<epoch>:<16 hex digits>", as Redis keeps it: of one epoch, the greater text is the later. */
void quire_watermark_text(const struct quire_watermark *watermark, char ret_text[QUIRE_WATERMARK_CHARACTERS + 1]);
/* False when text is none. */
QUIRE_MUSTCHECK bool quire_watermark_parse(struct quire_slice text, struct quire_watermark *ret_watermark);
/* False also where either is unknown. */
bool quire_watermark_of_epoch(const struct quire_watermark *watermark, const char *epoch);

#endif
