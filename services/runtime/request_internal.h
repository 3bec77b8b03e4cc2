/* A request as the worker sees it: what request.h hides from handlers. Worker thread only; lives for one batch. */
#ifndef QUIRE_RUNTIME_REQUEST_INTERNAL_H
#define QUIRE_RUNTIME_REQUEST_INTERNAL_H

#include "runtime/database.h"
#include "runtime/envelope.h"
#include "runtime/keys.h"
#include "runtime/request.h"
#include "runtime/sessions.h"

#define QUIRE_TRIES_MAX 3u

/* What all requests of a batch share. */
struct quire_scope {
    struct quire_arena *arena;
    struct quire_log *log;
    void *context;   /* of the service's handlers */
    uint64_t now_ms; /* wall clock when the batch began */
};

enum quire_request_state {
    QUIRE_REQUEST_RECEIVED, /* decoded; the session isn't checked yet */
    QUIRE_REQUEST_RUNNING,  /* its handler or continuation is on the stack */
    QUIRE_REQUEST_WAITING,  /* `query` is to be run */
    QUIRE_REQUEST_FOLDED,   /* gets `leader`'s answer */
    QUIRE_REQUEST_ANSWERED, /* status and answer are set */
    QUIRE_REQUEST_DROPPED,  /* late: nobody waits for an answer */
    QUIRE_REQUEST_STATES_COUNT,
};

struct quire_promise {
    struct quire_publication publication;
    bool always;
    struct quire_promise *next;
};

/* Invariants:
 *   state WAITING       <=> query.statement is set and its result not yet seen
 *   state ANSWERED      <=> status != 0
 *   reason != NONE       => status is the reason's, and the message becomes a dead letter
 *   state FOLDED        <=> leader != NULL and leader is not FOLDED
 *   leader's deadline   >= its followers' */
struct quire_request {
    const struct quire_scope *scope;
    struct quire_envelope envelope;
    struct quire_slice payload;
    const char *request_id; /* NUL-terminated; NULL: not even memory for that */
    unsigned attempt;       /* 1, or more after a crash */
    uint8_t meant_tag[2];   /* of the account that a log-in means */
    ProtobufCMessage *input;
    uint64_t deadline_ms, deadline_ns;
    struct quire_once once; /* of writes */
    struct quire_check check;
    uint8_t tag[2]; /* whose watermark a write raises, with `account` */
    uint8_t account[16];
    bool has_account;

    enum quire_request_state state;
    unsigned rounds, failures;
    void *handler_state;
    struct quire_query query;
    quire_on_result *on_result;
    bool wrote;           /* a write of it was done: flush and watermark come before the answer */
    bool needs_watermark; /* and the account has none yet: it gets the primary's position as it is after the read */
    bool kept;            /* a write of it was done before: the answer is the one that was kept */
    const char *server;   /* that answered its last statement; NULL: none */
    uint64_t sql_ns;      /* its own statements, each from the begin of its pipeline */
    unsigned statements;  /* answered ones */
    unsigned retries;     /* of statements that met a conflict or failed */
    bool out_of_memory;   /* something was asked for that can't be kept: no success */
    struct quire_promise *promises, **promises_end;
    struct quire_publication raise, release, undo;
    struct quire_key undo_keys[QUIRE_LOG_IN_KEYS];
    struct quire_slice undo_slices[QUIRE_LOG_IN_KEYS];

    unsigned status;
    struct quire_slice answer; /* packed, in the arena */
    enum quire_reason reason;
    struct quire_request *leader;
};

/* Zeroes and begins a request; envelope, payload, deadlines are then filled by the caller. */
void quire_request_init(struct quire_request *request, const struct quire_scope *scope);
/* request_id and once, from the envelope. False without memory. */
QUIRE_MUSTCHECK bool quire_request_prepare(struct quire_request *request);
/* The only function that changes the state; an assertion for a move that isn't allowed. */
void quire_request_move(struct quire_request *request, enum quire_request_state state);
/* Takes the session's account when its verdict is ADMITTED; answers otherwise. */
void quire_request_admit(struct quire_request *request);
/* Calls the handler. */
void quire_request_invoke(struct quire_request *request, ProtobufCService *handlers);
/* Takes the outcome of `query`: calls the continuation, answers, or leaves it WAITING to be tried again. Clears the
 * result. */
void quire_request_resume(struct quire_request *request);
/* Answers with the reason's status. Any state but ANSWERED and DROPPED. */
void quire_request_kill(struct quire_request *request, enum quire_reason reason);
/* Replaces an answer by a refusal: a success that may not be told. */
void quire_request_overrule(struct quire_request *request, unsigned status, const char *detail, unsigned retry_after_s);
/* Follower takes its leader's answer. */
void quire_request_copy_answer(struct quire_request *request);
bool quire_request_succeeded(const struct quire_request *request);

#endif
