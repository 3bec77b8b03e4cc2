#include "session/seen.h"

#include "runtime/keys.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdlib.h>

#define FUNCTION_WORDS 3u /* FCALL_RO, the function, the number of keys */
#define HOST_CHARACTERS 256u

struct seen {
    struct seen_options options;
    pthread_mutex_t lock; /* of all below */
    redisContext *redis;  /* NULL: not connected */
    uint64_t retry_ns;    /* nobody connects before */
    bool failing;
};

struct seen *seen_create(const struct seen_options *options) {
    struct seen *seen = calloc(1, sizeof *seen);
    if (seen == NULL)
        return NULL;
    seen->options = *options;
    (void)pthread_mutex_init(&seen->lock, NULL); /* can't fail with default attributes */
    return seen;
}

void seen_destroy(struct seen *seen) {
    if (seen == NULL)
        return;
    if (seen->redis != NULL)
        redisFree(seen->redis);
    (void)pthread_mutex_destroy(&seen->lock);
    free(seen);
}

/* Lock held. */
static void seen_drop(struct seen *seen, uint64_t now_ns) {
    if (!seen->failing) {
        seen->failing = true;
        QUIRE_LOG(seen->options.log, QUIRE_WARN, "seen.redis_away",
                  QUIRE_CTEXT("instead", "lists show last_seen_at as PostgreSQL knows it"));
    }
    if (seen->redis != NULL)
        redisFree(seen->redis);
    seen->redis = NULL;
    seen->retry_ns = now_ns + SEEN_RETRY_MS * UINT64_C(1000000);
}

static bool authenticate(redisContext *redis, const struct seen_options *options) {
    if (options->password[0] == '\0')
        return true;
    const char *username = options->username[0] == '\0' ? "default" : options->username;
    redisReply *reply = redisCommand(redis, "AUTH %s %s", username, options->password);
    bool good = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (reply != NULL)
        freeReplyObject(reply);
    return good;
}

static redisContext *connect_to(const struct seen_options *options) {
    const struct timeval wait = {.tv_usec = SEEN_WAIT_MS * 1000};
    char host[HOST_CHARACTERS];
    const char *colon = strrchr(options->address, ':');
    if (colon == NULL || (size_t)(colon - options->address) >= sizeof host)
        return NULL;
    memcpy(host, options->address, (size_t)(colon - options->address));
    host[colon - options->address] = '\0';
    redisContext *redis = redisConnectWithTimeout(host, atoi(colon + 1), wait);
    if (redis == NULL)
        return NULL;
    if (redis->err == 0 && redisSetTimeout(redis, wait) == REDIS_OK && authenticate(redis, options))
        return redis;
    redisFree(redis);
    return NULL;
}

/* Lock held. */
static bool seen_connected(struct seen *seen, uint64_t now_ns) {
    if (seen->redis != NULL)
        return true;
    if (now_ns < seen->retry_ns)
        return false;
    seen->redis = connect_to(&seen->options);
    if (seen->redis == NULL)
        seen_drop(seen, now_ns);
    return seen->redis != NULL;
}

/* The caller frees the reply; NULL without memory or answer. */
static redisReply *seen_ask(redisContext *redis, const struct quire_slice *sessions, size_t count) {
    const size_t words_count = FUNCTION_WORDS + count;
    struct quire_key *keys = calloc(count, sizeof *keys);
    const char **words = calloc(words_count, sizeof *words);
    size_t *sizes = calloc(words_count, sizeof *sizes);
    redisReply *reply = NULL;
    if (keys != NULL && words != NULL && sizes != NULL) {
        char number[24];
        (void)snprintf(number, sizeof number, "%zu", count);
        words[0] = "FCALL_RO";
        words[1] = "quire_sessions_seen";
        words[2] = number;
        for (size_t i = 0; i < count; i++) {
            keys[i] = quire_key_session(sessions[i].bytes);
            words[FUNCTION_WORDS + i] = keys[i].text;
        }
        for (size_t i = 0; i < words_count; i++)
            sizes[i] = strlen(words[i]);
        reply = redisCommandArgv(redis, (int)words_count, words, sizes);
    }
    free(sizes);
    free(words);
    free(keys);
    return reply;
}

void seen_find(struct seen *seen, const struct quire_slice *sessions, size_t count, uint64_t now_ns,
               int64_t *ret_seen_ms) {
    if (count == 0)
        return;
    pthread_mutex_lock(&seen->lock);
    if (seen_connected(seen, now_ns)) {
        redisReply *reply = seen_ask(seen->redis, sessions, count);
        bool found = reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == count;
        for (size_t i = 0; found && i < count; i++)
            ret_seen_ms[i] = reply->element[i]->type == REDIS_REPLY_INTEGER ? reply->element[i]->integer : 0;
        if (found)
            seen->failing = false;
        else
            seen_drop(seen, now_ns);
        if (reply != NULL)
            freeReplyObject(reply);
    }
    pthread_mutex_unlock(&seen->lock);
}
