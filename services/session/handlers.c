#include "session/handlers.h"

#include "base/clock.h"
#include "runtime/keys.h"

#include <sodium.h>

/* Sessions that one call of the Redis function ends: two words each, where runtime's calls have at most 64. */
#define ENDED_AT_ONCE 16

static const struct quire_statement *const statements[] = {
    &session_statement_register, &session_statement_me,       &session_statement_account_of_email,
    &session_statement_log_in,   &session_statement_password, &session_statement_change_password,
    &session_statement_list,     &session_statement_revoke,   &loader_statement_lead,
    &loader_statement_live,      &loader_statement_ended,     &loader_statement_unlock,
    &upkeep_statement_lead,      &upkeep_statement_live,      &upkeep_statement_seen,
    &upkeep_statement_unsynced,  &upkeep_statement_synced,    &upkeep_statement_sweep,
};

const struct quire_statement *const *session_statements(size_t *ret_count) {
    *ret_count = sizeof statements / sizeof statements[0];
    return statements;
}

bool session_start(void *context, const struct quire_runtime_settings *runtime, struct quire_log *log,
                   struct quire_metrics *metrics) {
    struct session_context *session = context;
    session->log = log;
    if (sodium_init() < 0)
        return false;
    session->seen = seen_create(&(struct seen_options){.access = &runtime->redis, .log = log, .metrics = metrics});
    if (session->seen == NULL)
        return false;
    if (!session_settings_seals(runtime))
        return true;
    if (session->settings.seal_keys_file[0] == '\0') {
        QUIRE_LOG(log, QUIRE_ERROR, "secrets.no_key_file",
                  QUIRE_CTEXT("reason",
                              "the password lane needs QUIRE_SEAL_KEYS_FILE; or leave the lane out of QUIRE_LANES"));
        return false;
    }
    session->secrets = secrets_create(session->settings.seal_keys_file, log);
    if (session->secrets == NULL)
        return false;
    if (!password_hash_nobody(session_settings_cost(&session->settings), &session->nobody)) {
        QUIRE_LOG(log, QUIRE_ERROR, "password.no_memory", QUIRE_INTEGER("kib", session->settings.password_memory_kib));
        return false;
    }
    return true;
}

void session_stop(void *context) {
    struct session_context *session = context;
    secrets_destroy(session->secrets);
    session->secrets = NULL;
    seen_destroy(session->seen);
    session->seen = NULL;
}

bool session_open_password(struct quire_request *request, ProtobufCBinaryData sealed, const char *field,
                           size_t bytes_min, struct secret *ret_password) {
    const struct session_context *context = quire_request_context(request);
    enum quire_open_result result = QUIRE_OPEN_UNKNOWN_KEY;
    if (context->secrets != NULL)
        result = secrets_open(context->secrets, quire_request_correlation(request), quire_request_deadline_ms(request),
                              (struct quire_slice){sealed.data, sealed.len}, quire_monotonic_ns(), ret_password);
    switch (result) {
    case QUIRE_OPENED:
        if (ret_password->size >= bytes_min && ret_password->size <= PASSWORD_BYTES_MAX)
            return true;
        secret_wipe(ret_password);
        quire_request_refuse_field(request, field, "has a length that is not allowed");
        return false;
    case QUIRE_OPEN_UNKNOWN_KEY:
        QUIRE_LOG(context->log, QUIRE_WARN, "secrets.unknown_key",
                  QUIRE_CTEXT("request_id", quire_request_id(request)));
        quire_request_refuse_for(request, 503, "The keys are being changed.", 1);
        return false;
    case QUIRE_OPEN_FORGED:
        break;
    }
    QUIRE_LOG(context->log, QUIRE_WARN, "secrets.forged", QUIRE_CTEXT("request_id", quire_request_id(request)));
    quire_request_refuse(request, 400, "The password was not sealed for this request.");
    return false;
}

bool session_hash_password(struct quire_request *request, const struct secret *password,
                           struct password_hash *ret_hash) {
    const struct session_context *context = quire_request_context(request);
    if (password_hash(session_settings_cost(&context->settings), secret_slice(password), ret_hash))
        return true;
    QUIRE_LOG(context->log, QUIRE_ERROR, "password.no_memory", QUIRE_CTEXT("request_id", quire_request_id(request)));
    quire_request_refuse_for(request, 503, NULL, 1);
    return false;
}

void session_bind_once(struct quire_parameters *parameters, const struct quire_request *request) {
    struct quire_once once = quire_request_once(request);
    quire_bind_text(parameters, once.key);
    quire_bind_bytes(parameters, once.fingerprint);
    quire_bind_int32(parameters, once.keep_s);
}

void *session_alloc(struct quire_request *request, size_t bytes) {
    void *memory = quire_arena_zalloc(quire_request_arena(request), bytes);
    if (memory == NULL)
        quire_request_refuse_for(request, 503, NULL, 1);
    return memory;
}

void session_publish_end(struct quire_request *request, const uint8_t *session) {
    const struct quire_key keys[] = {quire_key_session(session), quire_key_revoked(session)};
    const struct quire_slice key_slices[] = {quire_key_slice(&keys[0]), quire_key_slice(&keys[1])};
    const struct quire_slice ttl_s = QUIRE_SLICE_LITERAL(LOADER_TOMBSTONE_S);
    quire_request_publish(request, "quire_session_revoke", false, key_slices, 2, &ttl_s, 1);
}

/* Ends sessions first..first + count - 1 of the result, by one call of the Redis function. */
static void publish_some_ends(struct quire_request *request, const PGresult *result, int first, int count, int column) {
    struct quire_key keys[2 * ENDED_AT_ONCE];
    struct quire_slice slices[2 * ENDED_AT_ONCE];
    const struct quire_slice ttl_s = QUIRE_SLICE_LITERAL(LOADER_TOMBSTONE_S);
    for (int i = 0; i < count; i++) {
        const uint8_t *session = quire_column_text(result, first + i, column).bytes;
        keys[2 * i] = quire_key_session(session);
        keys[2 * i + 1] = quire_key_revoked(session);
        slices[2 * i] = quire_key_slice(&keys[2 * i]);
        slices[2 * i + 1] = quire_key_slice(&keys[2 * i + 1]);
    }
    quire_request_publish(request, "quire_session_revoke", false, slices, 2 * (size_t)count, &ttl_s, 1);
}

void session_publish_ends(struct quire_request *request, const PGresult *result, int first, int column) {
    for (const int rows = PQntuples(result); first < rows; first += ENDED_AT_ONCE)
        publish_some_ends(request, result, first, rows - first < ENDED_AT_ONCE ? rows - first : ENDED_AT_ONCE, column);
}

void session_publish_right_password(struct quire_request *request, const uint8_t tag[QUIRE_TAG_BYTES]) {
    struct quire_key keys[QUIRE_LOG_IN_KEYS];
    quire_keys_log_in(quire_request_client(request), tag, keys);
    const struct quire_slice slices[QUIRE_LOG_IN_KEYS] = {quire_key_slice(&keys[0]), quire_key_slice(&keys[1])};
    quire_request_publish(request, "quire_log_in_succeeded", false, slices, QUIRE_LOG_IN_KEYS, NULL, 0);
}
