/* What keeps PostgreSQL and Redis of one mind about sessions, and small: repeats revocations in Redis that may not have
 * arrived, brings last-seen times to PostgreSQL, sweeps away what has expired. Of all processes one does it; background
 * work, a piece a call. */
#ifndef QUIRE_SESSION_UPKEEP_H
#define QUIRE_SESSION_UPKEEP_H

#include "base/id.h"
#include "runtime/background.h"

/* All zero at first; its background thread's alone. */
struct upkeep {
    uint8_t cursor[QUIRE_UUID_BYTES]; /* the last session of this round whose last-seen time was brought; zero between
                                         rounds */
    bool in_round;
    uint64_t next_round_ms, next_sweep_ms; /* wall clock */
};

/* quire_background_options.run; the context is a struct session_context. */
unsigned upkeep_run(struct quire_background *background, void *context);

extern const struct quire_statement upkeep_statement_lead, upkeep_statement_live, upkeep_statement_seen,
    upkeep_statement_unsynced, upkeep_statement_synced, upkeep_statement_sweep;

#endif
