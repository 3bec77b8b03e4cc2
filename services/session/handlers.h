/* The calls of proto/quire/session.proto, and what they share. A handler runs on a worker's thread; what hangs on the
 * context is constant after session_start or says itself who may use it. */
#ifndef QUIRE_SESSION_HANDLERS_H
#define QUIRE_SESSION_HANDLERS_H

#include "quire/session.pb-c.h"
#include "runtime/request.h"
#include "runtime/service.h"
#include "session/loader.h"
#include "session/password.h"
#include "session/secrets.h"
#include "session/seen.h"
#include "session/settings.h"
#include "session/upkeep.h"

struct session_context {
    struct session_settings settings;
    struct quire_log *log;
    struct secrets *secrets;     /* NULL: this process doesn't serve the password lane */
    struct password_hash nobody; /* as long to verify against as an account's */
    struct seen *seen;
    struct loader loader; /* its background thread's */
    struct upkeep upkeep; /* its background thread's */
};

/* quire_service_options.start: opens what the settings name. False after logging why not. */
bool session_start(void *context, const struct quire_runtime_settings *runtime, struct quire_log *log,
                   struct quire_metrics *metrics);
void session_stop(void *context);

/* All statements of the service, for quire_service_options. */
const struct quire_statement *const *session_statements(size_t *ret_count);

void session_sign_up(Quire__Session_Service *service, const Quire__SignUpRequest *input, Quire__Account_Closure closure,
                     void *closure_data);
void session_me(Quire__Session_Service *service, const Quire__MeRequest *input, Quire__Account_Closure closure,
                void *closure_data);
void session_log_in(Quire__Session_Service *service, const Quire__LogInRequest *input,
                    Quire__LogInReply_Closure closure, void *closure_data);
void session_change_password(Quire__Session_Service *service, const Quire__ChangePasswordRequest *input,
                             Quire__ChangePasswordReply_Closure closure, void *closure_data);
void session_log_out(Quire__Session_Service *service, const Quire__LogOutRequest *input,
                     Quire__LogOutReply_Closure closure, void *closure_data);
void session_list_sessions(Quire__Session_Service *service, const Quire__ListSessionsRequest *input,
                           Quire__SessionList_Closure closure, void *closure_data);
void session_delete_session(Quire__Session_Service *service, const Quire__DeleteSessionRequest *input,
                            Quire__DeleteSessionReply_Closure closure, void *closure_data);

/* Shared by the handlers. */

/* Opens a sealed password of this request. When it can't, the request is refused and false returned; when it can, the
 * caller wipes it. */
QUIRE_MUSTCHECK bool session_open_password(struct quire_request *request, ProtobufCBinaryData sealed, const char *field,
                                           size_t bytes_min, struct secret *ret_password);
/* Hashes a new password; false when there was no memory, and the request is refused. */
QUIRE_MUSTCHECK bool session_hash_password(struct quire_request *request, const struct secret *password,
                                           struct password_hash *ret_hash);
/* Binds the three parameters of once_begin: key, fingerprint, how long. */
void session_bind_once(struct quire_parameters *parameters, const struct quire_request *request);
/* Memory of the request's arena; when there is none the request is refused and NULL returned. */
QUIRE_MUSTCHECK void *session_alloc(struct quire_request *request, size_t bytes);
/* Ends `session` (QUIRE_SESSION_BYTES) in Redis before a success leaves. */
void session_publish_end(struct quire_request *request, const uint8_t *session);
/* The same for the sessions in the column of rows `first` and on. They are one account's, and so share a slot. */
void session_publish_ends(struct quire_request *request, const PGresult *result, int first, int column);
/* Takes this log-in back from the limit of failed ones when the call succeeds; runtime does where it ends in a 5xx. */
void session_publish_right_password(struct quire_request *request, const uint8_t tag[QUIRE_TAG_BYTES]);

extern const struct quire_statement session_statement_register, session_statement_me;
extern const struct quire_statement session_statement_account_of_email, session_statement_log_in;
extern const struct quire_statement session_statement_password, session_statement_change_password;
extern const struct quire_statement session_statement_list, session_statement_revoke;

#endif
