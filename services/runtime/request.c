#include "runtime/request_internal.h"

#include "base/id.h"
#include "quire/wire.pb-c.h"

#include <assert.h>
#include <stdio.h>

#define KEY_KEEP_S 86400
#define MESSAGE_KEEP_S 3600
#define RETRY_AFTER_S 1u

static const char away[] = "A backend is away. Nothing is known to have been stored; ask again.";
static const char no_memory[] = "The answer takes more memory than one batch may have.";

/* allowed[from] is a bit set of states. */
#define TO(state) (1u << QUIRE_REQUEST_##state)
static const unsigned allowed[QUIRE_REQUEST_STATES_COUNT] = {
    [QUIRE_REQUEST_RECEIVED] = TO(RUNNING) | TO(FOLDED) | TO(ANSWERED) | TO(DROPPED),
    [QUIRE_REQUEST_RUNNING] = TO(WAITING) | TO(ANSWERED),
    [QUIRE_REQUEST_WAITING] = TO(RUNNING) | TO(ANSWERED),
    [QUIRE_REQUEST_FOLDED] = TO(ANSWERED) | TO(DROPPED),
};

void quire_request_move(struct quire_request *request, enum quire_request_state state) {
    assert(allowed[request->state] & (1u << state));
    request->state = state;
    assert((state == QUIRE_REQUEST_ANSWERED) == (request->status != 0));
    assert((state == QUIRE_REQUEST_FOLDED) == (request->leader != NULL) || state >= QUIRE_REQUEST_ANSWERED);
}

void quire_request_init(struct quire_request *request, const struct quire_scope *scope) {
    *request = (struct quire_request){.scope = scope};
    request->promises_end = &request->promises;
}

static struct quire_slice hexadecimal_key(struct quire_arena *arena, struct quire_slice bytes) {
    static const char digits[] = "0123456789abcdef";
    const size_t size = 4 + 2 * bytes.size;
    char *text = quire_arena_alloc(arena, size);

    if (text == NULL)
        return (struct quire_slice){0};
    memcpy(text, "msg:", 4);
    for (size_t i = 0; i < bytes.size; i++) {
        text[4 + 2 * i] = digits[bytes.bytes[i] >> 4];
        text[5 + 2 * i] = digits[bytes.bytes[i] & 15];
    }
    return (struct quire_slice){(const uint8_t *)text, size};
}

static bool prepare_once(struct quire_request *request) {
    static const uint8_t no_fingerprint[32];
    const struct quire_envelope *envelope = &request->envelope;
    struct quire_arena *arena = request->scope->arena;

    if (envelope->idempotency_key.size == 0 || !envelope->call->idempotency_key) {
        request->once.key = hexadecimal_key(arena, envelope->correlation);
        request->once.fingerprint = (struct quire_slice){no_fingerprint, sizeof(no_fingerprint)};
        request->once.keep_s = MESSAGE_KEEP_S;
        return request->once.key.bytes != NULL;
    }
    uint8_t *key = quire_arena_alloc(arena, 4 + envelope->idempotency_key.size);
    if (key == NULL)
        return false;
    memcpy(key, "key:", 4);
    memcpy(key + 4, envelope->idempotency_key.bytes, envelope->idempotency_key.size);
    request->once.key = (struct quire_slice){key, 4 + envelope->idempotency_key.size};
    request->once.fingerprint = envelope->fingerprint;
    request->once.keep_s = KEY_KEEP_S;
    return true;
}

bool quire_request_prepare(struct quire_request *request) {
    if (request->envelope.request_id.size != 0) {
        request->request_id = quire_arena_text(request->scope->arena, request->envelope.request_id);
    } else {
        uint8_t uuid[QUIRE_UUID_BYTES];
        char *text = quire_arena_alloc(request->scope->arena, QUIRE_UUID_CHARACTERS + 1);
        if (text != NULL) {
            quire_uuid7(request->scope->now_ms, uuid);
            quire_uuid_text(uuid, text);
        }
        request->request_id = text;
    }
    if (request->request_id == NULL)
        return false;
    return request->envelope.call == NULL || !request->envelope.call->write || prepare_once(request);
}

/* Answers. */

static bool answerable(struct quire_request *request) {
    if (request->state != QUIRE_REQUEST_ANSWERED)
        return true;
    QUIRE_LOG(request->scope->log, QUIRE_ERROR, "request.answered_twice",
              QUIRE_CTEXT("request_id", request->request_id), QUIRE_TEXT("method", request->envelope.method));
    return false;
}

static void set_answer(struct quire_request *request, unsigned status, struct quire_slice answer) {
    request->status = status;
    request->answer = answer;
    if (request->state != QUIRE_REQUEST_ANSWERED)
        quire_request_move(request, QUIRE_REQUEST_ANSWERED);
}

/* An empty slice with NULL bytes is "no memory"; an empty message has bytes. */
static struct quire_slice pack(struct quire_arena *arena, const ProtobufCMessage *message) {
    const size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = quire_arena_alloc(arena, size == 0 ? 1 : size);

    if (bytes == NULL)
        return (struct quire_slice){0};
    return (struct quire_slice){bytes, protobuf_c_message_pack(message, bytes)};
}

/* A problem of status 503 alone, for when there is no memory to pack one: field 1, varint 503. */
static const uint8_t bare_503[] = {0x08, 0xf7, 0x03};

static void set_problem(struct quire_request *request, const Quire__Problem *problem) {
    const struct quire_slice answer = pack(request->scope->arena, &problem->base);
    if (answer.bytes != NULL)
        set_answer(request, problem->status, answer);
    else
        set_answer(request, 503, (struct quire_slice){bare_503, sizeof(bare_503)});
}

static void set_refusal(struct quire_request *request, unsigned status, const char *detail, unsigned retry_after_s) {
    Quire__Problem problem = QUIRE__PROBLEM__INIT;
    problem.status = status;
    problem.detail = (char *)(uintptr_t)detail;
    problem.has_retry_after_s = retry_after_s != 0;
    problem.retry_after_s = retry_after_s;
    set_problem(request, &problem);
}

static void answer_with(struct quire_request *request, unsigned status, const ProtobufCMessage *message) {
    if (!answerable(request))
        return;
    if (message == NULL) {
        quire_request_kill(request, QUIRE_REASON_UNANSWERED);
        return;
    }
    const struct quire_slice answer = pack(request->scope->arena, message);
    if (answer.bytes == NULL || request->out_of_memory)
        set_refusal(request, 503, no_memory, RETRY_AFTER_S);
    else
        set_answer(request, status, answer);
}

void quire_request_reply(struct quire_request *request, const ProtobufCMessage *message) {
    answer_with(request, request->envelope.call->status, message);
}

void quire_request_not_modified(struct quire_request *request, const ProtobufCMessage *message) {
    answer_with(request, 304, message);
}

void quire_request_refuse_for(struct quire_request *request, unsigned status, const char *detail,
                              unsigned retry_after_s) {
    assert(status >= 400 && status <= 599);
    if (answerable(request))
        set_refusal(request, status, detail, retry_after_s);
}

void quire_request_refuse(struct quire_request *request, unsigned status, const char *detail) {
    quire_request_refuse_for(request, status, detail, 0);
}

void quire_request_refuse_field(struct quire_request *request, const char *field, const char *message) {
    Quire__FieldFault fault = QUIRE__FIELD_FAULT__INIT;
    Quire__FieldFault *faults[] = {&fault};
    Quire__Problem problem = QUIRE__PROBLEM__INIT;

    if (!answerable(request))
        return;
    fault.field = (char *)(uintptr_t)field;
    fault.message = (char *)(uintptr_t)message;
    problem.status = 422;
    problem.errors = faults;
    problem.n_errors = 1;
    set_problem(request, &problem);
}

void quire_request_kill(struct quire_request *request, enum quire_reason reason) {
    request->reason = reason;
    set_refusal(request, quire_reason_status(reason), quire_reason_detail(reason), 0);
}

void quire_request_overrule(struct quire_request *request, unsigned status, const char *detail,
                            unsigned retry_after_s) {
    assert(request->state == QUIRE_REQUEST_ANSWERED);
    set_refusal(request, status, detail, retry_after_s);
}

void quire_request_copy_answer(struct quire_request *request) {
    assert(request->state == QUIRE_REQUEST_FOLDED && request->leader->state == QUIRE_REQUEST_ANSWERED);
    request->server = request->leader->server;
    set_answer(request, request->leader->status, request->leader->answer);
}

bool quire_request_succeeded(const struct quire_request *request) {
    return request->state == QUIRE_REQUEST_ANSWERED && request->status < 400;
}

static void refuse_limited(struct quire_request *request) {
    const struct quire_check *check = &request->check;
    Quire__Problem problem = QUIRE__PROBLEM__INIT;
    problem.status = 429;
    problem.has_retry_after_s = true;
    problem.retry_after_s = check->retry_after_s != 0 ? check->retry_after_s : RETRY_AFTER_S;
    problem.has_pace_us = check->pace_us != 0;
    problem.pace_us = check->pace_us;
    if (check->rate_limit[0] != '\0')
        problem.rate_limit = (char *)(uintptr_t)check->rate_limit;
    if (check->rate_limit_policy[0] != '\0')
        problem.rate_limit_policy = (char *)(uintptr_t)check->rate_limit_policy;
    set_problem(request, &problem);
}

void quire_request_admit(struct quire_request *request) {
    switch (request->check.verdict) {
    case QUIRE_ADMITTED:
        assert(request->envelope.call->access == QUIRE_PUBLIC || request->envelope.session.bytes != NULL);
        if (request->envelope.call->access == QUIRE_SESSION) {
            memcpy(request->tag, request->envelope.session.bytes, sizeof(request->tag));
            memcpy(request->account, request->check.account, sizeof(request->account));
            request->has_account = true;
        }
        return;
    case QUIRE_UNAUTHENTICATED:
        set_refusal(request, 401, NULL, 0);
        return;
    case QUIRE_LIMITED:
        refuse_limited(request);
        return;
    case QUIRE_SESSIONS_AWAY:
        break;
    }
    set_refusal(request, 503, "Sessions can't be checked at the moment.", RETRY_AFTER_S);
}

/* Running. */

static void closure(const ProtobufCMessage *message, void *closure_data) {
    quire_request_reply(closure_data, message);
}

static void after_turn(struct quire_request *request) {
    if (request->state != QUIRE_REQUEST_RUNNING)
        return;
    QUIRE_LOG(request->scope->log, QUIRE_ERROR, "request.unanswered", QUIRE_CTEXT("request_id", request->request_id),
              QUIRE_TEXT("method", request->envelope.method));
    quire_request_kill(request, QUIRE_REASON_UNANSWERED);
}

void quire_request_invoke(struct quire_request *request, ProtobufCService *handlers) {
    quire_request_move(request, QUIRE_REQUEST_RUNNING);
    handlers->invoke(handlers, request->envelope.method_index, request->input, closure, request);
    after_turn(request);
}

static void handle_failure(struct quire_request *request) {
    request->failures++;
    if (request->failures >= QUIRE_TRIES_MAX)
        quire_request_kill(request, QUIRE_REASON_FAILED);
    else
        request->retries++;
}

static void handle_done(struct quire_request *request, const PGresult *result) {
    if (request->query.kind == QUIRE_WRITE)
        request->wrote = true;
    else
        request->needs_watermark |= request->query.needs_watermark;
    request->server = request->query.server;
    request->kept |= request->query.kept;
    request->failures = 0;
    quire_request_move(request, QUIRE_REQUEST_RUNNING);
    request->on_result(request, result);
    after_turn(request);
}

void quire_request_resume(struct quire_request *request) {
    PGresult *result = request->query.result;

    assert(request->state == QUIRE_REQUEST_WAITING);
    request->query.result = NULL;
    request->statements += request->query.took_ns != 0;
    request->sql_ns += request->query.took_ns;
    switch (request->query.outcome) {
    case QUIRE_QUERY_DONE:
        handle_done(request, result);
        break;
    case QUIRE_QUERY_REFUSED:
        quire_request_refuse(request, request->query.status,
                             request->query.message[0] == '\0' ? NULL : request->query.message);
        break;
    case QUIRE_QUERY_CONFLICT:
    case QUIRE_QUERY_FAILED:
        handle_failure(request);
        break;
    case QUIRE_QUERY_LATE:
        set_refusal(request, 504, NULL, 0);
        break;
    case QUIRE_QUERY_AWAY:
        set_refusal(request, 503, away, RETRY_AFTER_S);
        break;
    }
    PQclear(result);
}

/* What handlers ask. */

struct quire_request *quire_request_of(void *closure_data) {
    return closure_data;
}

void *quire_request_context(const struct quire_request *request) {
    return request->scope->context;
}

struct quire_arena *quire_request_arena(struct quire_request *request) {
    return request->scope->arena;
}

struct quire_log *quire_request_log(struct quire_request *request) {
    return request->scope->log;
}

const char *quire_request_id(const struct quire_request *request) {
    return request->request_id;
}

const uint8_t *quire_request_account(const struct quire_request *request) {
    return request->envelope.call->access == QUIRE_SESSION ? request->account : NULL;
}

const uint8_t *quire_request_session(const struct quire_request *request) {
    return request->envelope.session.bytes;
}

struct quire_slice quire_request_session_note(const struct quire_request *request) {
    return request->check.note;
}

uint64_t quire_request_deadline_ms(const struct quire_request *request) {
    return request->envelope.deadline_ms; /* as sent: sealed values name it */
}

struct quire_slice quire_request_correlation(const struct quire_request *request) {
    return request->envelope.correlation;
}

struct quire_slice quire_request_client(const struct quire_request *request) {
    return request->envelope.client;
}

uint64_t quire_request_now_ms(const struct quire_request *request) {
    return request->scope->now_ms;
}

struct quire_once quire_request_once(const struct quire_request *request) {
    assert(request->envelope.call->write); /* the contract says which calls write */
    return request->once;
}

void quire_request_set_state(struct quire_request *request, void *state) {
    request->handler_state = state;
}

void *quire_request_state(const struct quire_request *request) {
    return request->handler_state;
}

struct quire_parameters *quire_request_parameters(struct quire_request *request) {
    /* Without memory the caller still gets parameters that it can bind to: they are marked as failed, and the request
     * is answered 503. */
    static _Thread_local struct quire_parameters none;
    struct quire_parameters *parameters = quire_arena_alloc(request->scope->arena, sizeof(*parameters));

    if (parameters == NULL) {
        none = (struct quire_parameters){.arena = request->scope->arena, .failed = true};
        return &none;
    }
    parameters->arena = request->scope->arena;
    parameters->count = 0;
    parameters->failed = false;
    return parameters;
}

static void ask(struct quire_request *request, const struct quire_statement *statement,
                struct quire_parameters *parameters, enum quire_query_kind kind, quire_on_result *on_result) {
    if (!answerable(request))
        return;
    if (request->state != QUIRE_REQUEST_RUNNING || request->rounds >= QUIRE_ROUNDS_MAX) {
        QUIRE_LOG(request->scope->log, QUIRE_ERROR, "request.too_many_statements",
                  QUIRE_CTEXT("request_id", request->request_id), QUIRE_CTEXT("statement", statement->name));
        quire_request_kill(request, QUIRE_REASON_UNANSWERED);
        return;
    }
    if (parameters->failed) {
        set_refusal(request, 503, no_memory, RETRY_AFTER_S);
        return;
    }
    request->rounds++;
    request->query = (struct quire_query){
        .statement = statement,
        .parameters = parameters,
        .kind = kind,
        .watermark = &request->check.watermark,
        .deadline_ns = request->deadline_ns,
        .request_id = request->request_id,
        .replica = -1,
    };
    request->on_result = on_result;
    quire_request_move(request, QUIRE_REQUEST_WAITING);
}

void quire_request_read(struct quire_request *request, const struct quire_statement *statement,
                        struct quire_parameters *parameters, quire_on_result *on_result) {
    /* What this request wrote a moment ago has no watermark yet: only the primary is sure to show it. */
    ask(request, statement, parameters, request->wrote ? QUIRE_READ_PRIMARY : QUIRE_READ, on_result);
}

void quire_request_read_primary(struct quire_request *request, const struct quire_statement *statement,
                                struct quire_parameters *parameters, quire_on_result *on_result) {
    ask(request, statement, parameters, QUIRE_READ_PRIMARY, on_result);
}

void quire_request_write(struct quire_request *request, const struct quire_statement *statement,
                         struct quire_parameters *parameters, quire_on_result *on_result) {
    ask(request, statement, parameters, QUIRE_WRITE, on_result);
}

void quire_request_set_account(struct quire_request *request, const uint8_t tag[2], const uint8_t account[16]) {
    memcpy(request->tag, tag, sizeof(request->tag));
    memcpy(request->account, account, sizeof(request->account));
    request->has_account = true;
}

static struct quire_slice *copy_slices(struct quire_arena *arena, const struct quire_slice *slices, size_t count) {
    struct quire_slice *copies = quire_arena_alloc(arena, (count + 1) * sizeof(*copies));

    for (size_t i = 0; copies != NULL && i < count; i++) {
        uint8_t *bytes = quire_arena_alloc(arena, slices[i].size + 1);
        if (bytes == NULL)
            return NULL;
        if (slices[i].size != 0)
            memcpy(bytes, slices[i].bytes, slices[i].size);
        copies[i] = (struct quire_slice){bytes, slices[i].size};
    }
    return copies;
}

void quire_request_publish(struct quire_request *request, const char *function, bool always,
                           const struct quire_slice *keys, size_t keys_count, const struct quire_slice *arguments,
                           size_t arguments_count) {
    struct quire_arena *arena = request->scope->arena;
    struct quire_promise *promise = quire_arena_zalloc(arena, sizeof(*promise));
    struct quire_slice *own_keys = copy_slices(arena, keys, keys_count);
    struct quire_slice *own_arguments = copy_slices(arena, arguments, arguments_count);

    if (promise == NULL || own_keys == NULL || own_arguments == NULL) {
        request->out_of_memory = true;
        if (quire_request_succeeded(request))
            quire_request_overrule(request, 503, no_memory, RETRY_AFTER_S);
        return;
    }
    promise->publication = (struct quire_publication){
        .kind = QUIRE_CALL_FUNCTION,
        .function = function,
        .keys = own_keys,
        .keys_count = keys_count,
        .arguments = own_arguments,
        .arguments_count = arguments_count,
    };
    promise->always = always;
    *request->promises_end = promise;
    request->promises_end = &promise->next;
}
