#include "session/loader.h"

#include "session/fcall.h"
#include "session/handlers.h"
#include "session/note.h"

#include <assert.h>
#include <sodium.h>

#define CHUNK "500" /* sessions of eight words each: runtime/redis.c takes 4,096 words */
#define WATCH_REST_MS 200u
#define RETRY_REST_MS 200u
/* A load that its lock was taken from (the connection broke) may put in what it read before a revocation whose
 * tombstone its successor flushed. So the successor sets the tombstones of this long again; a loader isn't held up
 * longer between reading and putting. */
#define ENDED_LATELY "15 minutes"

/* lead() says whether this connection holds the loaders' lock, taken now or before. */
const struct quire_statement loader_statement_lead = {
    .name = "session.loader_lead", .sql = "SELECT session.lead(1)", .on_primary_only = true};
const struct quire_statement loader_statement_unlock = {
    .name = "session.loader_unlock", .sql = "SELECT pg_advisory_unlock(1903520114, 1)", .on_primary_only = true};
/* By the primary keys of both. PostgreSQL hears of a session's use late by up to idle_s / 144 (upkeep.c): that much is
 * allowed for, so that no live session is taken for an idle one. */
const struct quire_statement loader_statement_live = {
    .name = "session.loader_live",
    .sql = "SELECT s.id, s.account_id, s.tag || s.token_hash, s.idle_s, s.expires_at, least(now(), s.last_seen_at + "
           "make_interval(secs => s.idle_s / 144.0)), a.email, a.created_at "
           "FROM session.sessions s JOIN session.accounts a ON a.id = s.account_id "
           "WHERE s.id > $1 AND s.revoked_at IS NULL AND s.expires_at > now() "
           "AND s.last_seen_at + make_interval(secs => s.idle_s * (1 + 1 / 144.0)) > now() ORDER BY s.id LIMIT " CHUNK,
    .on_primary_only = true,
};
/* By the index of revoked_at. */
const struct quire_statement loader_statement_ended = {
    .name = "session.loader_ended",
    .sql = "SELECT id, tag || token_hash FROM session.sessions WHERE id > $1 AND revoked_at > now() - interval "
           "'" ENDED_LATELY "' "
           "ORDER BY id LIMIT " CHUNK,
    .on_primary_only = true,
};

/* The only function that changes the state. */
static void loader_move(struct loader *loader, enum loader_state state) {
    assert(state == LOADER_WATCHING || state == loader->state + 1);
    loader->state = state;
    memset(loader->cursor, 0, sizeof loader->cursor);
}

/* A statement without parameters whose answer is one boolean. False also when it failed. */
static bool ask(struct quire_background *background, const struct quire_statement *statement) {
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    PGresult *result = quire_background_sql(background, statement, &parameters);
    bool yes = result != NULL && PQntuples(result) == 1 && quire_column_bool(result, 0, 0);
    PQclear(result);
    return yes;
}

enum warmth { AWAY, COLD, WARM };

static enum warmth look(struct quire_background *background, char ret_run_id[LOADER_RUN_ID_CHARACTERS + 1]) {
    const struct quire_slice words[] = {QUIRE_SLICE_LITERAL("GET"), QUIRE_SLICE_LITERAL(QUIRE_KEY_EPOCH)};
    redisReply *reply = quire_background_redis(background, 2, words);
    const char *run_id = reply == NULL ? NULL : quire_background_redis_run_id(background);
    enum warmth warmth = AWAY;
    if (run_id != NULL && reply->type != REDIS_REPLY_ERROR) {
        bool same = reply->type == REDIS_REPLY_STRING && reply->len == strlen(run_id) &&
                    memcmp(reply->str, run_id, reply->len) == 0;
        warmth = same ? WARM : COLD;
        (void)snprintf(ret_run_id, LOADER_RUN_ID_CHARACTERS + 1, "%s", run_id);
    }
    if (reply != NULL)
        freeReplyObject(reply);
    return warmth;
}

/* Empties Redis and leaves a nonce there: whatever flushes it again takes that away, and with it the right to set the
 * epoch. */
static bool begin(struct loader *loader, struct quire_background *background) {
    uint8_t random[LOADER_NONCE_CHARACTERS / 2];
    int64_t answer;
    struct fcall call;
    randombytes_buf(random, sizeof random);
    (void)sodium_bin2hex(loader->nonce, sizeof loader->nonce, random, sizeof random);
    fcall_begin(&call, background, "quire_load_begin", 2, 1);
    fcall_add(&call, QUIRE_SLICE_LITERAL(QUIRE_KEY_EPOCH));
    fcall_add(&call, QUIRE_SLICE_LITERAL(QUIRE_KEY_LOADING));
    fcall_add(&call, quire_slice_of(loader->nonce));
    return fcall_run_integer(&call, background, &answer);
}

static unsigned watch(struct loader *loader, struct quire_background *background) {
    if (look(background, loader->run_id) != COLD || !ask(background, &loader_statement_lead))
        return WATCH_REST_MS;
    /* Once more under the lock: its last holder may just have loaded this very Redis. */
    enum warmth warmth = look(background, loader->run_id);
    if (warmth == WARM)
        (void)ask(background, &loader_statement_unlock); /* else it falls with the connection */
    if (warmth != COLD || !begin(loader, background))
        return RETRY_REST_MS;
    QUIRE_LOG(quire_background_log(background), QUIRE_INFO, "loader.begun",
              QUIRE_CTEXT("redis_run_id", loader->run_id));
    loader->loaded = 0;
    loader_move(loader, LOADER_LIVE);
    return 0;
}

/* The next chunk of the statement after the cursor, which moves to its end. NULL when it failed. */
static PGresult *next_chunk(struct loader *loader, struct quire_background *background,
                            const struct quire_statement *statement) {
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    quire_bind_uuid(&parameters, loader->cursor);
    PGresult *result = quire_background_sql(background, statement, &parameters);
    if (result != NULL && PQntuples(result) > 0)
        memcpy(loader->cursor, quire_column_text(result, PQntuples(result) - 1, 0).bytes, sizeof loader->cursor);
    return result;
}

static struct quire_slice note_of(struct quire_arena *arena, const PGresult *result, int row) {
    Quire__Account account = QUIRE__ACCOUNT__INIT;
    const struct quire_slice id = quire_column_text(result, row, 1);
    account.id = (ProtobufCBinaryData){id.size, (uint8_t *)(uintptr_t)id.bytes};
    account.email = quire_arena_text(arena, quire_column_text(result, row, 6));
    account.created_at = quire_column_time(result, row, 7);
    return account.email == NULL ? (struct quire_slice){0} : note_encode(arena, &account);
}

/* The notes come behind all the rest, where a library that knows none doesn't look. */
static bool put_live(struct loader *loader, struct quire_background *background, const PGresult *result) {
    const int rows = PQntuples(result);
    char uuid[QUIRE_UUID_CHARACTERS + 1];
    int64_t stored;
    struct fcall call;
    fcall_begin(&call, background, "quire_sessions_load", 2 * (size_t)rows, 6 * (size_t)rows);
    for (int row = 0; row < rows; row++) {
        fcall_add_session(&call, quire_column_text(result, row, 2).bytes);
        fcall_add_tombstone(&call, quire_column_text(result, row, 2).bytes);
    }
    for (int row = 0; row < rows; row++) {
        quire_uuid_text(quire_column_text(result, row, 1).bytes, uuid);
        fcall_add(&call, quire_slice_of(uuid));
        quire_uuid_text(quire_column_text(result, row, 0).bytes, uuid);
        fcall_add(&call, quire_slice_of(uuid));
        fcall_add_integer(&call, quire_column_int32(result, row, 3));
        fcall_add_integer(&call, quire_column_time(result, row, 4));
        fcall_add_integer(&call, quire_column_time(result, row, 5));
    }
    for (int row = 0; row < rows; row++)
        fcall_add(&call, note_of(quire_background_arena(background), result, row));
    if (!fcall_run_integer(&call, background, &stored))
        return false;
    loader->loaded += stored;
    return true;
}

static bool put_ended(struct quire_background *background, const PGresult *result) {
    const int rows = PQntuples(result);
    int64_t removed;
    struct fcall call;
    fcall_begin(&call, background, "quire_session_revoke", 2 * (size_t)rows, 1);
    for (int row = 0; row < rows; row++) {
        fcall_add_session(&call, quire_column_text(result, row, 1).bytes);
        fcall_add_tombstone(&call, quire_column_text(result, row, 1).bytes);
    }
    fcall_add(&call, QUIRE_SLICE_LITERAL(LOADER_TOMBSTONE_S));
    return fcall_run_integer(&call, background, &removed);
}

/* Sets the epoch, unless Redis was emptied or restarted since: it names the run id that was begun with, and asks for
 * the nonce. */
static void finish(struct loader *loader, struct quire_background *background) {
    int64_t set = 0;
    struct fcall call;
    fcall_begin(&call, background, "quire_epoch_set", 2, 2);
    fcall_add(&call, QUIRE_SLICE_LITERAL(QUIRE_KEY_EPOCH));
    fcall_add(&call, QUIRE_SLICE_LITERAL(QUIRE_KEY_LOADING));
    fcall_add(&call, quire_slice_of(loader->nonce));
    fcall_add(&call, quire_slice_of(loader->run_id));
    bool asked = fcall_run_integer(&call, background, &set);
    if (asked && set == 1)
        QUIRE_LOG(quire_background_log(background), QUIRE_INFO, "loader.done",
                  QUIRE_CTEXT("redis_run_id", loader->run_id), QUIRE_INTEGER("sessions", loader->loaded));
    (void)ask(background, &loader_statement_unlock); /* failed, it falls with the connection */
}

/* One chunk. False when something failed, and the load begins anew. */
static bool step(struct loader *loader, struct quire_background *background) {
    const char *run_id = quire_background_redis_run_id(background);
    if (run_id == NULL || strcmp(run_id, loader->run_id) != 0)
        return false;
    const bool live = loader->state == LOADER_LIVE;
    PGresult *result = next_chunk(loader, background, live ? &loader_statement_live : &loader_statement_ended);
    if (result == NULL)
        return false;
    const bool last = PQntuples(result) == 0;
    const bool good = last || (live ? put_live(loader, background, result) : put_ended(background, result));
    PQclear(result);
    if (!good || !last)
        return good;
    if (live) {
        loader_move(loader, LOADER_ENDED);
        return true;
    }
    finish(loader, background);
    loader_move(loader, LOADER_WATCHING);
    return true;
}

unsigned loader_run(struct quire_background *background, void *context) {
    struct loader *loader = &((struct session_context *)context)->loader;
    if (loader->state == LOADER_WATCHING)
        return watch(loader, background);
    if (step(loader, background))
        return 0;
    QUIRE_LOG(quire_background_log(background), QUIRE_WARN, "loader.interrupted",
              QUIRE_CTEXT("instead", "begins anew"));
    loader_move(loader, LOADER_WATCHING);
    return RETRY_REST_MS;
}
