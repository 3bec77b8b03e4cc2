/* One request as its handler sees it. protobuf-c's generated service struct calls the handler with the decoded input
 * and, as closure_data, the request; the handler asks for SQL, and in the continuation answers. Nothing waits: the
 * worker gathers what all requests of its batch ask for, runs it in one libpq pipeline a connection, and calls the
 * continuations in the order of the batch. A continuation may ask for more (at most QUIRE_ROUNDS_MAX rounds a request;
 * past it the request is answered 500 and becomes a dead letter).
 *
 *     static void get(Quire__Documents_Service *service, const Quire__GetDocumentRequest *input,
 * Quire__Document_Closure closure, void *closure_data) { struct quire_request *request =
 * quire_request_of(closure_data); struct quire_parameters *p = quire_request_parameters(request); quire_bind_uuid(p,
 * quire_request_account(request)); quire_bind_bytes(p, slice_of(input->id)); quire_request_read(request,
 * &statement_get, p, on_document);
 *     }
 *
 * Worker thread only. Everything reached from a request, its input included, lives until it is answered. Each request
 * is answered exactly once: reply, not_modified or refuse; one that asks for nothing and answers nothing is a bug, and
 * is answered 500. */
#ifndef QUIRE_RUNTIME_REQUEST_H
#define QUIRE_RUNTIME_REQUEST_H

#include "base/contract.h"
#include "base/log.h"
#include "runtime/sql.h"

#define QUIRE_ROUNDS_MAX 8

struct quire_request;

struct quire_request *quire_request_of(void *closure_data);
void *quire_request_context(const struct quire_request *request); /* quire_service_options.context */
struct quire_arena *quire_request_arena(struct quire_request *request);
struct quire_log *quire_request_log(struct quire_request *request);
const char *quire_request_id(const struct quire_request *request); /* X-Request-ID */
/* The session's account, 16 bytes; NULL on a public call. */
const uint8_t *quire_request_account(const struct quire_request *request);
/* The caller's session key (base/token.h), 34 bytes; NULL without a token. Checked unless the call is public. */
const uint8_t *quire_request_session(const struct quire_request *request);
/* What was noted with the caller's session when it was stored in Redis, on calls with the option wants_session_note:
 * bytes that only the session service writes, QUIRE_SESSION_NOTE_BYTES_MAX at most (runtime/keys.h). It came with the
 * check, so it is as good as that; it lives as long as the batch. Empty on other calls, and at any time for a session
 * that has none (one that a process of an older version stored): whoever uses it can do without. */
struct quire_slice quire_request_session_note(const struct quire_request *request);
uint64_t quire_request_deadline_ms(const struct quire_request *request); /* wall clock */
struct quire_slice quire_request_correlation(const struct quire_request *request);
struct quire_slice quire_request_client(const struct quire_request *request); /* address as text; empty when unknown */
uint64_t quire_request_now_ms(const struct quire_request *request);           /* wall clock at the start of the batch */

/* What makes a write happen once: the caller's Idempotency-Key, else the correlation id in hexadecimal, prefixed so
 * that the two never meet; the fingerprint (32 bytes; zeroes without a caller's key); for how long the answer is kept.
 * A write statement takes the three as parameters and gives them to <schema>.once_begin (runtime/once.sql). */
struct quire_once {
    struct quire_slice key;         /* "key:..." or "msg:..." */
    struct quire_slice fingerprint; /* 32 bytes */
    int32_t keep_s;                 /* 86400 for a caller's key, 3600 for a message */
};
struct quire_once quire_request_once(const struct quire_request *request);

/* The handler's own, from one round to the next: as a rule a struct in the request's arena. NULL at first. */
void quire_request_set_state(struct quire_request *request, void *state);
void *quire_request_state(const struct quire_request *request);

/* Empty, in the request's arena. */
struct quire_parameters *quire_request_parameters(struct quire_request *request);

/* Called with a result of status PGRES_TUPLES_OK or PGRES_COMMAND_OK, valid during the call. Failures never come here:
 * SQLSTATE class Q0 is a refusal raised by the service's own SQL ('Q0404' -> 404; the message is the problem's detail),
 * serialisation failures and deadlocks are tried again (3 times in all), a lost connection or an outage is 503, and
 * what is left is 500 and a dead letter. */
typedef void quire_on_result(struct quire_request *request, const PGresult *result);

/* One statement that only reads, on a replica that has replayed the account's watermark, else on the primary. */
void quire_request_read(struct quire_request *request, const struct quire_statement *statement,
                        struct quire_parameters *parameters, quire_on_result *on_result);
/* One statement on the primary that only reads (what must not be stale by a microsecond). */
void quire_request_read_primary(struct quire_request *request, const struct quire_statement *statement,
                                struct quire_parameters *parameters, quire_on_result *on_result);
/* One statement that is one transaction on the primary. Its effect is durable, and the account's watermark raised,
 * before the reply leaves. */
void quire_request_write(struct quire_request *request, const struct quire_statement *statement,
                         struct quire_parameters *parameters, quire_on_result *on_result);
/* For public calls (register, log in), which have no session: whose watermark a write raises. */
void quire_request_set_account(struct quire_request *request, const uint8_t tag[2], const uint8_t account[16]);

/* A Redis function call that must have succeeded before a *successful* reply leaves (else 503): run in one pipeline
 * after the commit. Arguments are copied. `always`: also run when the request is refused, its failure then ignored (a
 * counter of failed log-ins). */
void quire_request_publish(struct quire_request *request, const char *function, bool always,
                           const struct quire_slice *keys, size_t keys_count, const struct quire_slice *arguments,
                           size_t arguments_count);

/* Answers with the call's status and `message` (packed before this returns). The closure that the handler got does the
 * same. */
void quire_request_reply(struct quire_request *request, const ProtobufCMessage *message);
/* 304: only the message's header fields matter. */
void quire_request_not_modified(struct quire_request *request, const ProtobufCMessage *message);
/* Answers with a problem. `detail` may be NULL; it is shown to the caller. */
void quire_request_refuse(struct quire_request *request, unsigned status, const char *detail);
/* 422 for one field. */
void quire_request_refuse_field(struct quire_request *request, const char *field, const char *message);
/* 429/503 with Retry-After. */
void quire_request_refuse_for(struct quire_request *request, unsigned status, const char *detail,
                              unsigned retry_after_s);

#endif
