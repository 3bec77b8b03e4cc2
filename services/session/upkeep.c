#include "session/upkeep.h"

#include "base/clock.h"
#include "session/fcall.h"
#include "session/handlers.h"

#define PIECE 500
#define PIECE_TEXT "500"
#define SWEEP_PIECE 1000
#define SWEEP_MS 10000u
#define REST_MS 1000u /* between looks for what is to be done */
#define FOLLOWER_REST_MS 2000u
#define MORE_REST_MS 20u /* between the pieces of more than one */
#define ROUND_MS_MAX 60000

/* A last-seen time is brought when it is idle_s / IDLE_PARTS newer than PostgreSQL's, in rounds of idle_s / IDLE_PARTS
 * at most: a busy session of the default idle time costs an update every five minutes, and PostgreSQL is late by 2 /
 * IDLE_PARTS, which the loader allows for. */
#define IDLE_PARTS 288

const struct quire_statement upkeep_statement_lead = {
    .name = "session.upkeep_lead", .sql = "SELECT session.lead(2)", .on_primary_only = true};
/* By the primary key. */
const struct quire_statement upkeep_statement_live = {
    .name = "session.upkeep_live",
    .sql = "SELECT id, tag || token_hash, last_seen_at, idle_s FROM session.sessions "
           "WHERE id > $1 AND revoked_at IS NULL AND expires_at > now() ORDER BY id LIMIT " PIECE_TEXT,
    .on_primary_only = true,
};
/* Row locks by the primary key; HOT updates. */
const struct quire_statement upkeep_statement_seen = {
    .name = "session.upkeep_seen",
    .sql = "UPDATE session.sessions s SET last_seen_at = u.seen "
           "FROM (SELECT unnest($1::uuid[]) AS id, to_timestamp(unnest($2::int8[]) / 1000.0) AS seen) u WHERE s.id = "
           "u.id AND s.last_seen_at < u.seen",
    .on_primary_only = true,
};
/* By the partial index sessions_unsynced. */
const struct quire_statement upkeep_statement_unsynced = {
    .name = "session.upkeep_unsynced",
    .sql = "SELECT id, tag || token_hash FROM session.sessions WHERE revoked_at IS NOT NULL AND NOT redis_synced "
           "ORDER BY revoked_at LIMIT " PIECE_TEXT,
    .on_primary_only = true,
};
const struct quire_statement upkeep_statement_synced = {
    .name = "session.upkeep_synced",
    .sql = "UPDATE session.sessions SET redis_synced = true WHERE id = ANY ($1::uuid[])",
    .on_primary_only = true,
};
/* By the indexes of expires_at of both tables; skips what is locked. */
const struct quire_statement upkeep_statement_sweep = {
    .name = "session.upkeep_sweep", .sql = "SELECT session.sweep($1)", .on_primary_only = true};

/* Runs a statement that answers nothing. */
static bool execute(struct quire_background *background, const struct quire_statement *statement,
                    struct quire_parameters *parameters) {
    PGresult *result = quire_background_sql(background, statement, parameters);
    PQclear(result);
    return result != NULL;
}

static bool leads(struct quire_background *background) {
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    PGresult *result = quire_background_sql(background, &upkeep_statement_lead, &parameters);
    bool leading = result != NULL && PQntuples(result) == 1 && quire_column_bool(result, 0, 0);
    PQclear(result);
    return leading;
}

/* A revocation reaches Redis before its caller hears of it, if it can; this is for when it couldn't, and costs the
 * others one repetition. */
static bool revoke_rows(struct quire_background *background, const PGresult *result) {
    const int rows = PQntuples(result);
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    struct quire_slice *ids = quire_arena_alloc(parameters.arena, (size_t)rows * sizeof *ids);
    int64_t removed;
    struct fcall call;
    if (ids == NULL)
        return false;
    fcall_begin(&call, background, "quire_session_revoke", 2 * (size_t)rows, 1);
    for (int row = 0; row < rows; row++) {
        ids[row] = quire_column_text(result, row, 0);
        fcall_add_session(&call, quire_column_text(result, row, 1).bytes);
        fcall_add_tombstone(&call, quire_column_text(result, row, 1).bytes);
    }
    fcall_add(&call, QUIRE_SLICE_LITERAL(LOADER_TOMBSTONE_S));
    if (!fcall_run_integer(&call, background, &removed))
        return false;
    quire_bind_uuid_array(&parameters, ids, (size_t)rows);
    return execute(background, &upkeep_statement_synced, &parameters);
}

/* True when there may be more. */
static bool repeat_revocations(struct quire_background *background) {
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    PGresult *result = quire_background_sql(background, &upkeep_statement_unsynced, &parameters);
    const int rows = result == NULL ? 0 : PQntuples(result);
    const bool more = rows > 0 && revoke_rows(background, result) && rows == PIECE;
    PQclear(result);
    return more;
}

/* Asks Redis when the rows' sessions were last used; NULL when it failed, else as many integers as rows. */
static redisReply *ask_seen(struct quire_background *background, const PGresult *result) {
    const int rows = PQntuples(result);
    struct fcall call;
    fcall_begin(&call, background, "quire_sessions_seen", (size_t)rows, 0);
    for (int row = 0; row < rows; row++)
        fcall_add_session(&call, quire_column_text(result, row, 1).bytes);
    redisReply *reply = fcall_run(&call, background);
    if (reply == NULL || (reply->type == REDIS_REPLY_ARRAY && reply->elements == (size_t)rows))
        return reply;
    freeReplyObject(reply);
    return NULL;
}

static bool bring_rows(struct quire_background *background, const PGresult *result) {
    const int rows = PQntuples(result);
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    struct quire_slice *ids = quire_arena_alloc(parameters.arena, (size_t)rows * sizeof *ids);
    int64_t *seen_ms = quire_arena_alloc(parameters.arena, (size_t)rows * sizeof *seen_ms);
    size_t count = 0;
    if (ids == NULL || seen_ms == NULL)
        return false;
    redisReply *reply = ask_seen(background, result);
    if (reply == NULL)
        return false;
    for (int row = 0; row < rows; row++) {
        const int64_t step_ms = (int64_t)quire_column_int32(result, row, 3) * 1000 / IDLE_PARTS;
        if (reply->element[row]->type != REDIS_REPLY_INTEGER ||
            reply->element[row]->integer <= quire_column_time(result, row, 2) + step_ms)
            continue;
        ids[count] = quire_column_text(result, row, 0);
        seen_ms[count++] = reply->element[row]->integer;
    }
    freeReplyObject(reply);
    if (count == 0)
        return true;
    quire_bind_uuid_array(&parameters, ids, count);
    quire_bind_int64_array(&parameters, seen_ms, count);
    return execute(background, &upkeep_statement_seen, &parameters);
}

/* One piece of the round. True when there is more of it. */
static bool bring_seen(struct upkeep *upkeep, struct quire_background *background) {
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    quire_bind_uuid(&parameters, upkeep->cursor);
    PGresult *result = quire_background_sql(background, &upkeep_statement_live, &parameters);
    const int rows = result == NULL ? 0 : PQntuples(result);
    const bool more = rows > 0 && bring_rows(background, result) && rows == PIECE;
    if (more)
        memcpy(upkeep->cursor, quire_column_text(result, rows - 1, 0).bytes, sizeof upkeep->cursor);
    else
        memset(upkeep->cursor, 0, sizeof upkeep->cursor);
    PQclear(result);
    return more;
}

static uint64_t round_ms(const struct session_settings *settings) {
    const int64_t part_ms = settings->idle_s * 1000 / IDLE_PARTS;
    return (uint64_t)(part_ms > ROUND_MS_MAX ? ROUND_MS_MAX : part_ms);
}

/* True when there may be more. */
static bool sweep(struct quire_background *background) {
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    quire_bind_int32(&parameters, SWEEP_PIECE);
    PGresult *result = quire_background_sql(background, &upkeep_statement_sweep, &parameters);
    const bool more = result != NULL && quire_column_int64(result, 0, 0) >= SWEEP_PIECE;
    PQclear(result);
    return more;
}

unsigned upkeep_run(struct quire_background *background, void *context) {
    struct session_context *session = context;
    struct upkeep *upkeep = &session->upkeep;
    const uint64_t now_ms = quire_wall_ms();
    if (!leads(background)) {
        upkeep->in_round = false;
        memset(upkeep->cursor, 0, sizeof upkeep->cursor);
        return FOLLOWER_REST_MS;
    }
    bool more = repeat_revocations(background);
    if (!upkeep->in_round && now_ms >= upkeep->next_round_ms) {
        upkeep->in_round = true;
        upkeep->next_round_ms = now_ms + round_ms(&session->settings);
    }
    if (upkeep->in_round)
        upkeep->in_round = bring_seen(upkeep, background);
    if (now_ms >= upkeep->next_sweep_ms)
        upkeep->next_sweep_ms = sweep(background) ? now_ms : now_ms + SWEEP_MS;
    more = more || upkeep->in_round || upkeep->next_sweep_ms == now_ms;
    return more ? MORE_REST_MS : REST_MS;
}
