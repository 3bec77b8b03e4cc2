/* Opening an account, and showing it. */
#include "session/handlers.h"

#include "base/id.h"
#include "base/token.h"
#include "session/address.h"
#include "session/note.h"

/* NFKC_Casefold makes of one character up to 18; of 254 bytes it makes in practice less than twice as many. */
#define FOLDED_BYTES_MAX 1024u

/* One row, or SQLSTATE Q0409; takes the row of `once` and the entry of accounts' unique index. */
const struct quire_statement session_statement_register = {
    .name = "session.register",
    .sql = "SELECT id, email, created_at FROM session.register($1, $2, $3, $4, $5, $6, $7)",
    .on_primary_only = true,
};
/* By the primary key. For sessions without a note that can be read (note.h). */
const struct quire_statement session_statement_me = {
    .name = "session.me",
    .sql = "SELECT id, email, created_at FROM session.accounts WHERE id = $1",
};

/* Answers with the account of the statements above. */
static void reply_account(struct quire_request *request, const PGresult *result) {
    Quire__Account account = QUIRE__ACCOUNT__INIT;
    struct quire_slice id = quire_column_text(result, 0, 0);
    account.id = (ProtobufCBinaryData){id.size, (uint8_t *)(uintptr_t)id.bytes};
    account.email = quire_arena_text(quire_request_arena(request), quire_column_text(result, 0, 1));
    account.created_at = quire_column_time(result, 0, 2);
    if (account.email == NULL) {
        quire_request_refuse_for(request, 503, NULL, 1);
        return;
    }
    quire_request_reply(request, &account.base);
}

static void on_registered(struct quire_request *request, const PGresult *result) {
    uint8_t tag[QUIRE_TAG_BYTES];
    if (PQntuples(result) != 1 || !quire_account_tag(quire_column_text(result, 0, 1), tag)) {
        quire_request_refuse(request, 500, NULL);
        return;
    }
    /* The row's id, not the one made here: a redelivery is answered with the account of the first delivery. */
    quire_request_set_account(request, tag, quire_column_text(result, 0, 0).bytes);
    reply_account(request, result);
}

void session_sign_up(Quire__Session_Service *service, const Quire__SignUpRequest *input, Quire__Account_Closure closure,
                     void *closure_data) {
    (void)service;
    (void)closure; /* the continuation answers by the request */
    struct quire_request *request = quire_request_of(closure_data);
    struct quire_slice email = quire_slice_of(input->email);
    size_t folded_size;
    char *folded = session_alloc(request, FOLDED_BYTES_MAX);
    uint8_t *id = folded == NULL ? NULL : session_alloc(request, QUIRE_UUID_BYTES);
    struct password_hash *hash = id == NULL ? NULL : session_alloc(request, sizeof *hash);
    if (hash == NULL)
        return;
    if (!address_is_valid(email) || !quire_email_fold(email, FOLDED_BYTES_MAX, folded, &folded_size) ||
        !address_is_valid((struct quire_slice){(uint8_t *)folded, folded_size})) {
        quire_request_refuse_field(request, "email", "is no e-mail address");
        return;
    }
    struct secret password;
    if (!session_open_password(request, input->password, "password", PASSWORD_BYTES_MIN, &password))
        return;
    bool hashed = session_hash_password(request, &password, hash);
    secret_wipe(&password);
    if (!hashed)
        return;
    quire_uuid7(quire_request_now_ms(request), id);
    struct quire_parameters *parameters = quire_request_parameters(request);
    session_bind_once(parameters, request);
    quire_bind_uuid(parameters, id);
    quire_bind_text(parameters, email);
    quire_bind_text(parameters, (struct quire_slice){(uint8_t *)folded, folded_size});
    quire_bind_ctext(parameters, hash->text);
    quire_request_write(request, &session_statement_register, parameters, on_registered);
}

static void on_me(struct quire_request *request, const PGresult *result) {
    if (PQntuples(result) != 1)
        quire_request_refuse(request, 401, NULL); /* a session of nobody's */
    else
        reply_account(request, result);
}

void session_me(Quire__Session_Service *service, const Quire__MeRequest *input, Quire__Account_Closure closure,
                void *closure_data) {
    (void)service;
    (void)input;
    (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    const uint8_t *id = quire_request_account(request);
    const Quire__Account *account = note_decode(quire_request_arena(request), quire_request_session_note(request), id);
    if (account != NULL) {
        quire_request_reply(request, &account->base);
        return;
    }
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, id);
    quire_request_read(request, &session_statement_me, parameters, on_me);
}
