/* A call of the Redis function library from background work, put together word by word. Background thread only; memory
 * is the run's arena's. */
#ifndef QUIRE_SESSION_FCALL_H
#define QUIRE_SESSION_FCALL_H

#include "runtime/background.h"
#include "runtime/keys.h"

struct fcall {
    struct quire_arena *arena;
    struct quire_slice *words; /* NULL: no memory, and fcall_run fails */
    size_t count, max;
};

/* keys_count keys must follow, then at most arguments_max arguments. */
void fcall_begin(struct fcall *call, struct quire_background *background, const char *function, size_t keys_count,
                 size_t arguments_max);
void fcall_add(struct fcall *call, struct quire_slice word); /* copied */
void fcall_add_session(struct fcall *call, const uint8_t session[QUIRE_SESSION_BYTES]);
void fcall_add_tombstone(struct fcall *call, const uint8_t session[QUIRE_SESSION_BYTES]);
void fcall_add_integer(struct fcall *call, int64_t value);
/* NULL when it failed or Redis answered with an error; else the caller frees the reply. */
QUIRE_MUSTCHECK redisReply *fcall_run(const struct fcall *call, struct quire_background *background);
/* The same where the answer is an integer; false when it failed. */
QUIRE_MUSTCHECK bool fcall_run_integer(const struct fcall *call, struct quire_background *background,
                                       int64_t *ret_answer);

#endif
