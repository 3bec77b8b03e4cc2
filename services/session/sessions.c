/* An account's sessions: the list, the end of one, the end of this one. */
#include "session/handlers.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/token.h"

/* What a list shows at most, newest first: as many as QUIRE_SESSION_LIVE_MAX allows an account to have. */
#define LISTED_MAX "1000"

/* By the index of account_id. */
const struct quire_statement session_statement_list = {
    .name = "session.list",
    .sql = "SELECT id, tag || token_hash, created_at, last_seen_at, expires_at, idle_s, ip, user_agent FROM "
           "session.sessions "
           "WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > now() ORDER BY id DESC LIMIT " LISTED_MAX,
};
/* Locks the one row, found by the primary key or by the unique index of token_hash. */
const struct quire_statement session_statement_revoke = {
    .name = "session.revoke",
    .sql = "SELECT session FROM session.revoke($1, $2, $3, $4, $5, $6)",
    .on_primary_only = true,
};

enum {
    COLUMN_ID,
    COLUMN_SESSION,
    COLUMN_CREATED_AT,
    COLUMN_LAST_SEEN_AT,
    COLUMN_EXPIRES_AT,
    COLUMN_IDLE_S,
    COLUMN_IP,
    COLUMN_USER_AGENT
};

/* NULL for null, and without memory. */
static char *text_of(struct quire_request *request, const PGresult *result, int row, int column) {
    if (quire_column_null(result, row, column))
        return NULL;
    return quire_arena_text(quire_request_arena(request), quire_column_text(result, row, column));
}

/* Fills an entry; false when the session has been idle too long, so that it lives no more. */
static bool fill_entry(struct quire_request *request, const PGresult *result, int row, int64_t seen_ms,
                       Quire__SessionEntry *entry) {
    const int64_t now_ms = (int64_t)quire_request_now_ms(request);
    const int64_t stored_ms = quire_column_time(result, row, COLUMN_LAST_SEEN_AT);
    const struct quire_slice session = quire_column_text(result, row, COLUMN_SESSION);
    const struct quire_slice id = quire_column_text(result, row, COLUMN_ID);
    quire__session_entry__init(entry);
    entry->current =
        quire_slice_equal(session, (struct quire_slice){quire_request_session(request), QUIRE_SESSION_BYTES});
    entry->last_seen_at = seen_ms > stored_ms ? seen_ms : stored_ms;
    if (entry->current && now_ms > entry->last_seen_at)
        entry->last_seen_at = now_ms; /* this very request */
    if (now_ms >= entry->last_seen_at + (int64_t)quire_column_int32(result, row, COLUMN_IDLE_S) * 1000)
        return false;
    entry->id = (ProtobufCBinaryData){id.size, (uint8_t *)(uintptr_t)id.bytes};
    entry->created_at = quire_column_time(result, row, COLUMN_CREATED_AT);
    entry->expires_at = quire_column_time(result, row, COLUMN_EXPIRES_AT);
    entry->ip = text_of(request, result, row, COLUMN_IP);
    entry->user_agent = text_of(request, result, row, COLUMN_USER_AGENT);
    return true;
}

static void on_listed(struct quire_request *request, const PGresult *result) {
    const struct session_context *context = quire_request_context(request);
    const size_t rows = (size_t)PQntuples(result);
    struct quire_slice *sessions = session_alloc(request, (rows + 1) * sizeof *sessions);
    int64_t *seen_ms = sessions == NULL ? NULL : session_alloc(request, (rows + 1) * sizeof *seen_ms);
    Quire__SessionEntry *entries = seen_ms == NULL ? NULL : session_alloc(request, (rows + 1) * sizeof *entries);
    Quire__SessionEntry **items =
        entries == NULL ? NULL : session_alloc(request, (rows + 1) * sizeof(Quire__SessionEntry *));
    if (items == NULL)
        return;
    for (size_t i = 0; i < rows; i++)
        sessions[i] = quire_column_text(result, (int)i, COLUMN_SESSION);
    seen_find(context->seen, sessions, rows, quire_monotonic_ns(), seen_ms); /* 0: what PostgreSQL knows is shown */
    Quire__SessionList list = QUIRE__SESSION_LIST__INIT;
    list.items = items;
    for (size_t i = 0; i < rows; i++) {
        if (fill_entry(request, result, (int)i, seen_ms[i], &entries[i]))
            items[list.n_items++] = &entries[i];
    }
    quire_request_reply(request, &list.base);
}

void session_list_sessions(Quire__Session_Service *service, const Quire__ListSessionsRequest *input,
                           Quire__SessionList_Closure closure, void *closure_data) {
    (void)service;
    (void)input;
    (void)closure; /* the continuation answers by the request */
    struct quire_request *request = quire_request_of(closure_data);
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, quire_request_account(request));
    quire_request_read(request, &session_statement_list, parameters, on_listed);
}

/* Ends the account's session of `id`, or of `token_hash` (32 bytes); the other is NULL. */
static void revoke(struct quire_request *request, const uint8_t *id, const uint8_t *token_hash,
                   quire_on_result *on_result) {
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, quire_request_account(request));
    session_bind_once(parameters, request);
    if (id != NULL)
        quire_bind_uuid(parameters, id);
    else
        quire_bind_null(parameters);
    if (token_hash != NULL)
        quire_bind_bytes(parameters, (struct quire_slice){token_hash, QUIRE_SESSION_BYTES - QUIRE_TAG_BYTES});
    else
        quire_bind_null(parameters);
    quire_request_write(request, &session_statement_revoke, parameters, on_result);
}

static void on_logged_out(struct quire_request *request, const PGresult *result) {
    (void)result; /* whatever PostgreSQL knows of it, the token that came is dead from here on */
    session_publish_end(request, quire_request_session(request));
    Quire__LogOutReply reply = QUIRE__LOG_OUT_REPLY__INIT;
    quire_request_reply(request, &reply.base);
}

void session_log_out(Quire__Session_Service *service, const Quire__LogOutRequest *input,
                     Quire__LogOutReply_Closure closure, void *closure_data) {
    (void)service;
    (void)input;
    (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    revoke(request, NULL, quire_request_session(request) + QUIRE_TAG_BYTES, on_logged_out);
}

static void on_deleted(struct quire_request *request, const PGresult *result) {
    if (PQntuples(result) == 1)
        session_publish_end(request, quire_column_text(result, 0, 0).bytes);
    Quire__DeleteSessionReply reply = QUIRE__DELETE_SESSION_REPLY__INIT;
    quire_request_reply(request, &reply.base);
}

void session_delete_session(Quire__Session_Service *service, const Quire__DeleteSessionRequest *input,
                            Quire__DeleteSessionReply_Closure closure, void *closure_data) {
    (void)service;
    (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    if (input->id.len != QUIRE_UUID_BYTES)
        quire_request_refuse(request, 404, NULL);
    else
        revoke(request, input->id.data, NULL, on_deleted);
}
