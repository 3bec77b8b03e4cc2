/* Makes a cold Redis warm: one that restarted, was flushed or replaced holds less or more than what is true, and
 * runtime answers 503 until `quire:epoch` names its run id. Of all processes one loads: it empties Redis, puts in every
 * live session, then the tombstones of those that ended a short while ago, and sets the epoch. Runs as background work,
 * a chunk a call. */
#ifndef QUIRE_SESSION_LOADER_H
#define QUIRE_SESSION_LOADER_H

#include "base/id.h"
#include "runtime/background.h"

/* What a tombstone outlives: every message (deadlines are at most 30 s) and every loader that could still put the
 * session back. */
#define LOADER_TOMBSTONE_S "3600"

#define LOADER_RUN_ID_CHARACTERS 40u
#define LOADER_NONCE_CHARACTERS 32u

enum loader_state {
    LOADER_WATCHING, /* is Redis cold? */
    LOADER_LIVE,     /* live sessions, by id */
    LOADER_ENDED,    /* sessions that ended lately, by id */
};

/* All zero at first; its background thread's alone.
 *   state != WATCHING => run_id is the Redis that was emptied, nonce what was left there to tell */
struct loader {
    enum loader_state state;
    char run_id[LOADER_RUN_ID_CHARACTERS + 1];
    char nonce[LOADER_NONCE_CHARACTERS + 1];
    uint8_t cursor[QUIRE_UUID_BYTES]; /* the last id that is done */
    int64_t loaded;
};

/* quire_background_options.run; the context is a struct session_context. */
unsigned loader_run(struct quire_background *background, void *context);

extern const struct quire_statement loader_statement_lead, loader_statement_unlock, loader_statement_live,
    loader_statement_ended;

#endif
