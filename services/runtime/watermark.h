/* The owner watermark: how far a replica must have replayed to show an account all of its own writes. Plain values, any thread. */
#ifndef QUIRE_RUNTIME_WATERMARK_H
#define QUIRE_RUNTIME_WATERMARK_H

#include "base/slice.h"

#define QUIRE_EPOCH_CHARACTERS 32u

struct quire_watermark {
    bool known;                              /* false: read the primary */
    char epoch[QUIRE_EPOCH_CHARACTERS + 1];  /* "<system identifier>/<timeline>" of the cluster that lsn speaks of */
    uint64_t lsn;
};

#endif
