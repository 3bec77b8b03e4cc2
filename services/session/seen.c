#include "session/seen.h"

#include "runtime/keys.h"

#include <pthread.h>
#include <stdlib.h>

#define FUNCTION_WORDS 3u /* FCALL_RO, the function, the number of keys */

struct seen {
    pthread_mutex_t lock; /* of the connection */
    struct quire_redis *redis;
};

struct seen *seen_create(const struct seen_options *options) {
    struct seen *seen = calloc(1, sizeof *seen);
    if (seen == NULL)
        return NULL;
    (void)pthread_mutex_init(&seen->lock, NULL); /* can't fail with default attributes */
    seen->redis = quire_redis_create(&(struct quire_redis_options){.access = options->access,
                                                                   .connect_ms = SEEN_WAIT_MS,
                                                                   .retry_ms = SEEN_RETRY_MS,
                                                                   .log = options->log,
                                                                   .metrics = options->metrics});
    if (seen->redis == NULL) {
        seen_destroy(seen);
        return NULL;
    }
    return seen;
}

void seen_destroy(struct seen *seen) {
    if (seen == NULL)
        return;
    quire_redis_destroy(seen->redis);
    (void)pthread_mutex_destroy(&seen->lock);
    free(seen);
}

/* False without memory, or when the connection has gone meanwhile. */
static bool append_question(struct quire_redis *redis, const struct quire_slice *sessions, size_t count) {
    struct quire_key *keys = calloc(count, sizeof *keys);
    struct quire_slice *words = calloc(FUNCTION_WORDS + count, sizeof *words);
    bool good = keys != NULL && words != NULL;
    if (good) {
        char number[24];
        (void)snprintf(number, sizeof number, "%zu", count);
        words[0] = QUIRE_SLICE_LITERAL("FCALL_RO");
        words[1] = QUIRE_SLICE_LITERAL("quire_sessions_seen");
        words[2] = quire_slice_of(number);
        for (size_t i = 0; i < count; i++) {
            keys[i] = quire_key_session(sessions[i].bytes);
            words[FUNCTION_WORDS + i] = quire_key_slice(&keys[i]);
        }
        good = quire_redis_append(redis, words, FUNCTION_WORDS + count);
    }
    free(words);
    free(keys);
    return good;
}

/* Lock held. The caller frees the reply: an array of `count`. NULL: not known now. */
static redisReply *ask(struct quire_redis *redis, const struct quire_slice *sessions, size_t count, uint64_t until_ns) {
    if (!quire_redis_ready(redis, until_ns) || !append_question(redis, sessions, count))
        return NULL;
    redisReply *reply = quire_redis_reply(redis, until_ns);
    if (reply == NULL || (reply->type == REDIS_REPLY_ARRAY && reply->elements == count))
        return reply;
    if (quire_redis_unusable(reply))
        quire_redis_drop(redis, reply->str);
    freeReplyObject(reply);
    return NULL;
}

void seen_find(struct seen *seen, const struct quire_slice *sessions, size_t count, uint64_t now_ns,
               int64_t *ret_seen_ms) {
    if (count == 0)
        return;
    pthread_mutex_lock(&seen->lock);
    redisReply *reply = ask(seen->redis, sessions, count, now_ns + SEEN_WAIT_MS * UINT64_C(1000000));
    for (size_t i = 0; reply != NULL && i < count; i++)
        ret_seen_ms[i] = reply->element[i]->type == REDIS_REPLY_INTEGER ? reply->element[i]->integer : 0;
    if (reply != NULL)
        freeReplyObject(reply);
    pthread_mutex_unlock(&seen->lock);
}
