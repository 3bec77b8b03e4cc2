#include "session/fcall.h"

#include <assert.h>

#define WORDS_BEFORE 3u /* FCALL, the function, the number of keys */

void fcall_begin(struct fcall *call, struct quire_background *background, const char *function, size_t keys_count,
                 size_t arguments_max) {
    call->arena = quire_background_arena(background);
    call->count = 0;
    call->max = WORDS_BEFORE + keys_count + arguments_max;
    call->words = quire_arena_alloc(call->arena, call->max * sizeof *call->words);
    fcall_add(call, QUIRE_SLICE_LITERAL("FCALL"));
    fcall_add(call, quire_slice_of(function));
    fcall_add_integer(call, (int64_t)keys_count);
}

void fcall_add(struct fcall *call, struct quire_slice word) {
    if (call->words == NULL)
        return;
    assert(call->count < call->max);
    const char *copy = quire_arena_text(call->arena, word);
    if (copy == NULL)
        call->words = NULL;
    else
        call->words[call->count++] = (struct quire_slice){(const uint8_t *)copy, word.size};
}

void fcall_add_session(struct fcall *call, const uint8_t session[QUIRE_SESSION_BYTES]) {
    const struct quire_key key = quire_key_session(session);
    fcall_add(call, quire_key_slice(&key));
}

void fcall_add_tombstone(struct fcall *call, const uint8_t session[QUIRE_SESSION_BYTES]) {
    const struct quire_key key = quire_key_revoked(session);
    fcall_add(call, quire_key_slice(&key));
}

void fcall_add_integer(struct fcall *call, int64_t value) {
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    fcall_add(call, quire_slice_of(text));
}

redisReply *fcall_run(const struct fcall *call, struct quire_background *background) {
    if (call->words == NULL)
        return NULL;
    redisReply *reply = quire_background_redis(background, call->count, call->words);
    if (reply == NULL || reply->type != REDIS_REPLY_ERROR)
        return reply;
    QUIRE_LOG(quire_background_log(background), QUIRE_WARN, "session.redis_refused",
              QUIRE_TEXT("function", call->words[1]),
              QUIRE_TEXT("reason", ((struct quire_slice){(const uint8_t *)reply->str, reply->len})));
    freeReplyObject(reply);
    return NULL;
}

bool fcall_run_integer(const struct fcall *call, struct quire_background *background, int64_t *ret_answer) {
    redisReply *reply = fcall_run(call, background);
    if (reply == NULL)
        return false;
    bool integer = reply->type == REDIS_REPLY_INTEGER;
    if (integer)
        *ret_answer = reply->integer;
    freeReplyObject(reply);
    return integer;
}
