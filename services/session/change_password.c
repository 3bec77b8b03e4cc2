/* A new password, which ends every other session of the account. */
#include "session/handlers.h"

#include "base/token.h"

#define STALE_MAX 2u

/* By the primary keys of both. `answered`: an earlier delivery has set the new password, so the current one can't be
 * verified any more. */
const struct quire_statement session_statement_password = {
    .name = "session.password",
    .sql = "SELECT password_hash, EXISTS (SELECT FROM session.once o WHERE o.account_id = $1 AND o.key = $2 AND "
           "o.answer IS NOT NULL "
           "AND o.expires_at > now()) AS answered FROM session.accounts WHERE id = $1",
    .on_primary_only = true,
};
/* Locks the account's row, and those of its sessions. */
const struct quire_statement session_statement_change_password = {
    .name = "session.change_password",
    .sql = "SELECT stale, session FROM session.change_password($1, $2, $3, $4, $5, $6, $7)",
    .on_primary_only = true,
};

struct change {
    const Quire__ChangePasswordRequest *input;
    char *verified_hash;
    struct password_hash new_hash;
    unsigned stale;
};

static void find_password(struct quire_request *request);

static void on_changed(struct quire_request *request, const PGresult *result) {
    struct change *change = quire_request_state(request);
    const int rows = PQntuples(result);
    if (rows == 1 && quire_column_bool(result, 0, 0)) {
        if (change->stale++ < STALE_MAX)
            find_password(request);
        else
            quire_request_refuse_for(request, 503, NULL, 1);
        return;
    }
    session_publish_ends(request, result, 0, 1);
    Quire__ChangePasswordReply reply = QUIRE__CHANGE_PASSWORD_REPLY__INIT;
    quire_request_reply(request, &reply.base);
}

static void write_change(struct quire_request *request, const struct change *change) {
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, quire_request_account(request));
    session_bind_once(parameters, request);
    quire_bind_ctext(parameters, change->verified_hash);
    quire_bind_ctext(parameters, change->new_hash.text);
    quire_bind_bytes(parameters, (struct quire_slice){quire_request_session(request) + QUIRE_TAG_BYTES,
                                                      QUIRE_SESSION_BYTES - QUIRE_TAG_BYTES});
    quire_request_write(request, &session_statement_change_password, parameters, on_changed);
}

/* False when the request has been answered. */
static bool verify_current(struct quire_request *request, const struct change *change) {
    struct secret password;
    if (!session_open_password(request, change->input->current_password, "current_password", 1, &password))
        return false;
    bool good = password_verify(change->verified_hash, secret_slice(&password));
    secret_wipe(&password);
    /* Either way the attempt stays counted among the failed log-ins: a change costs two hashes, and whoever may make
     * them without end takes the lane of passwords from everybody. */
    if (!good)
        quire_request_refuse(request, 403, "The current password is wrong.");
    return good;
}

/* False when the request has been answered. */
static bool hash_new(struct quire_request *request, struct change *change) {
    struct secret password;
    if (!session_open_password(request, change->input->new_password, "new_password", PASSWORD_BYTES_MIN, &password))
        return false;
    bool hashed = session_hash_password(request, &password, &change->new_hash);
    secret_wipe(&password);
    return hashed;
}

static void on_password(struct quire_request *request, const PGresult *result) {
    struct change *change = quire_request_state(request);
    if (PQntuples(result) != 1) {
        quire_request_refuse(request, 401, NULL); /* a session of nobody's */
        return;
    }
    change->verified_hash = quire_arena_text(quire_request_arena(request), quire_column_text(result, 0, 0));
    if (change->verified_hash == NULL) {
        quire_request_refuse_for(request, 503, NULL, 1);
        return;
    }
    if (quire_column_bool(result, 0, 1) || (verify_current(request, change) && hash_new(request, change)))
        write_change(request, change);
}

static void find_password(struct quire_request *request) {
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, quire_request_account(request));
    quire_bind_text(parameters, quire_request_once(request).key);
    quire_request_read_primary(request, &session_statement_password, parameters, on_password);
}

void session_change_password(Quire__Session_Service *service, const Quire__ChangePasswordRequest *input,
                             Quire__ChangePasswordReply_Closure closure, void *closure_data) {
    (void)service;
    (void)closure; /* the continuation answers by the request */
    struct quire_request *request = quire_request_of(closure_data);
    struct change *change = session_alloc(request, sizeof *change);
    if (change == NULL)
        return;
    change->input = input;
    quire_request_set_state(request, change);
    find_password(request);
}
