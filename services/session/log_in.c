/* Opening a session. */
#include "session/handlers.h"

#include "base/id.h"
#include "base/token.h"
#include "base/utf8.h"
#include "runtime/keys.h"
#include "session/note.h"

#include <stdio.h>

#define FOLDED_BYTES_MAX 1024u
#define IP_BYTES_MAX 64u
#define USER_AGENT_BYTES_MAX 512u
/* How often a password is verified again because the account's changed meanwhile. */
#define STALE_MAX 2u

/* By the unique index of email_folded. On the primary: an account logs in the moment it is registered, and there is no
 * watermark before a session. */
const struct quire_statement session_statement_account_of_email = {
    .name = "session.account_of_email",
    .sql = "SELECT id, email, created_at, password_hash FROM session.accounts WHERE email_folded = $1",
    .on_primary_only = true,
};
/* Locks the account's row against a change of its password (FOR SHARE, or more where the hash is renewed), and those of
 * the sessions that it ends, which it finds by the partial index sessions_live. */
const struct quire_statement session_statement_log_in = {
    .name = "session.log_in",
    .sql = "SELECT stale, live, id, session, idle_s, expires_at "
           "FROM session.log_in($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    .on_primary_only = true,
};

struct log_in {
    const Quire__LogInRequest *input;
    struct quire_slice folded;
    uint8_t tag[QUIRE_TAG_BYTES];
    uint8_t account[QUIRE_UUID_BYTES], id[QUIRE_UUID_BYTES];
    char *email;
    int64_t created_at;
    char *verified_hash;              /* what the password was verified against */
    struct password_hash better_hash; /* "" unless that is outgrown */
    unsigned stale;
    bool right; /* the limit has been told */
};

/* Of the statement above. */
enum { COLUMN_STALE, COLUMN_LIVE, COLUMN_ID, COLUMN_SESSION, COLUMN_IDLE_S, COLUMN_EXPIRES_AT };

static void find_account(struct quire_request *request);

static Quire__Account account_of(struct log_in *log_in) {
    Quire__Account account = QUIRE__ACCOUNT__INIT;
    account.id = (ProtobufCBinaryData){QUIRE_UUID_BYTES, log_in->account};
    account.email = log_in->email;
    account.created_at = log_in->created_at;
    return account;
}

static void publish_session(struct quire_request *request, struct log_in *log_in, const PGresult *result) {
    const Quire__Account noted = account_of(log_in);
    const uint8_t *session = quire_column_text(result, 0, COLUMN_SESSION).bytes;
    char account[QUIRE_UUID_CHARACTERS + 1], id[QUIRE_UUID_CHARACTERS + 1], idle_s[16], expires_ms[24];
    quire_uuid_text(log_in->account, account);
    quire_uuid_text(quire_column_text(result, 0, COLUMN_ID).bytes, id);
    (void)snprintf(idle_s, sizeof idle_s, "%d", quire_column_int32(result, 0, COLUMN_IDLE_S));
    (void)snprintf(expires_ms, sizeof expires_ms, "%lld", (long long)quire_column_time(result, 0, COLUMN_EXPIRES_AT));
    const struct quire_key keys[] = {quire_key_session(session), quire_key_revoked(session)};
    const struct quire_slice key_slices[] = {quire_key_slice(&keys[0]), quire_key_slice(&keys[1])};
    const struct quire_slice arguments[] = {
        quire_slice_of(account),    quire_slice_of(id),       quire_slice_of(idle_s),
        quire_slice_of(expires_ms), QUIRE_SLICE_LITERAL("0"), note_encode(quire_request_arena(request), &noted)};
    quire_request_publish(request, "quire_session_put", false, key_slices, 2, arguments, 6);
}

static void on_logged_in(struct quire_request *request, const PGresult *result) {
    struct log_in *log_in = quire_request_state(request);
    const int rows = PQntuples(result);
    if (rows == 0) {
        quire_request_refuse(request, 500, NULL);
        return;
    }
    if (quire_column_bool(result, 0, COLUMN_STALE)) {
        if (log_in->stale++ < STALE_MAX)
            find_account(request);
        else
            quire_request_refuse_for(request, 503, NULL, 1);
        return;
    }
    /* A session that a former delivery opened and its owner has ended since is not put back; the answer is the first
     * one all the same. */
    if (quire_column_bool(result, 0, COLUMN_LIVE))
        publish_session(request, log_in, result);
    session_publish_ends(request, result, 1, COLUMN_SESSION);
    Quire__Account account = account_of(log_in);
    Quire__LogInReply reply = QUIRE__LOG_IN_REPLY__INIT;
    reply.token_type = (char *)(uintptr_t)"Bearer";
    reply.expires_at = quire_column_time(result, 0, COLUMN_EXPIRES_AT);
    reply.user = &account;
    quire_request_reply(request, &reply.base);
}

/* No longer than the gateway sends it; null for NULL. */
static void bind_cut(struct quire_parameters *parameters, const char *text, size_t bytes_max) {
    if (text == NULL)
        quire_bind_null(parameters);
    else
        quire_bind_text(parameters, quire_utf8_cut(quire_slice_of(text), bytes_max));
}

static void write_session(struct quire_request *request, struct log_in *log_in) {
    const struct session_context *context = quire_request_context(request);
    const ProtobufCBinaryData *session = &log_in->input->token_hash;
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, log_in->account);
    session_bind_once(parameters, request);
    quire_bind_ctext(parameters, log_in->verified_hash);
    quire_bind_ctext(parameters, log_in->better_hash.text[0] == '\0' ? NULL : log_in->better_hash.text);
    quire_bind_uuid(parameters, log_in->id);
    quire_bind_bytes(parameters, (struct quire_slice){session->data + QUIRE_TAG_BYTES, session->len - QUIRE_TAG_BYTES});
    quire_bind_bytes(parameters, (struct quire_slice){log_in->tag, QUIRE_TAG_BYTES});
    quire_bind_int32(parameters, (int32_t)context->settings.idle_s);
    quire_bind_int32(parameters, (int32_t)context->settings.absolute_s);
    bind_cut(parameters, log_in->input->ip, IP_BYTES_MAX);
    bind_cut(parameters, log_in->input->user_agent, USER_AGENT_BYTES_MAX);
    quire_bind_int32(parameters, (int32_t)context->settings.live_max);
    quire_request_write(request, &session_statement_log_in, parameters, on_logged_in);
}

/* Verifies the password against the account's hash, or against nobody's: an e-mail that is unknown takes as long and is
 * answered the same as a wrong password. False when the request has been answered. */
static bool verify(struct quire_request *request, struct log_in *log_in) {
    const struct session_context *context = quire_request_context(request);
    const char *hash = log_in->verified_hash != NULL ? log_in->verified_hash : context->nobody.text;
    struct secret password;
    if (!session_open_password(request, log_in->input->password, "password", 1, &password))
        return false;
    bool good = password_verify(hash, secret_slice(&password)) && log_in->verified_hash != NULL;
    bool ready = true;
    log_in->better_hash.text[0] = '\0';
    if (good && password_outgrown(session_settings_cost(&context->settings), hash))
        ready = session_hash_password(request, &password, &log_in->better_hash);
    secret_wipe(&password);
    if (!good)
        quire_request_refuse(request, 401, "The e-mail address or the password is wrong.");
    return good && ready;
}

static void on_account(struct quire_request *request, const PGresult *result) {
    struct log_in *log_in = quire_request_state(request);
    struct quire_arena *arena = quire_request_arena(request);
    log_in->verified_hash = NULL;
    if (PQntuples(result) == 1) {
        memcpy(log_in->account, quire_column_text(result, 0, 0).bytes, sizeof log_in->account);
        log_in->email = quire_arena_text(arena, quire_column_text(result, 0, 1));
        log_in->created_at = quire_column_time(result, 0, 2);
        log_in->verified_hash = quire_arena_text(arena, quire_column_text(result, 0, 3));
        if (log_in->email == NULL || log_in->verified_hash == NULL) {
            quire_request_refuse_for(request, 503, NULL, 1);
            return;
        }
    }
    if (!verify(request, log_in))
        return;
    if (!log_in->right)
        session_publish_right_password(request, log_in->tag);
    log_in->right = true;
    quire_request_set_account(request, log_in->tag, log_in->account);
    write_session(request, log_in);
}

static void find_account(struct quire_request *request) {
    const struct log_in *log_in = quire_request_state(request);
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_text(parameters, log_in->folded);
    quire_request_read_primary(request, &session_statement_account_of_email, parameters, on_account);
}

void session_log_in(Quire__Session_Service *service, const Quire__LogInRequest *input,
                    Quire__LogInReply_Closure closure, void *closure_data) {
    (void)service;
    (void)closure; /* the continuation answers by the request */
    struct quire_request *request = quire_request_of(closure_data);
    struct log_in *log_in = session_alloc(request, sizeof *log_in);
    char *folded = log_in == NULL ? NULL : session_alloc(request, FOLDED_BYTES_MAX);
    struct quire_slice email = quire_slice_of(input->email);
    if (folded == NULL)
        return;
    log_in->input = input;
    log_in->folded.bytes = (uint8_t *)folded;
    if (email.size == 0 || !quire_account_tag(email, log_in->tag) ||
        !quire_email_fold(email, FOLDED_BYTES_MAX, folded, &log_in->folded.size)) {
        quire_request_refuse_field(request, "email", "is no e-mail address");
        return;
    }
    /* The gateway mints for this e-mail; a token of another tag would be looked for in the wrong place. */
    if (input->token_hash.len != QUIRE_SESSION_BYTES ||
        memcmp(input->token_hash.data, log_in->tag, QUIRE_TAG_BYTES) != 0) {
        quire_request_refuse(request, 400, "The token was not minted for this e-mail address.");
        return;
    }
    quire_uuid7(quire_request_now_ms(request), log_in->id);
    quire_request_set_state(request, log_in);
    find_account(request);
}
