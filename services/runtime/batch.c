#include "runtime/batch.h"

#include "base/clock.h"
#include "runtime/faults.h"
#include "runtime/fold.h"
#include "runtime/partition.h"
#include "runtime/texts.h"

#include <assert.h>
#include <stdlib.h>

#define SETTLE_NS_MAX UINT64_C(5000000000) /* no flush or publication stands before a lane for longer */
#define RETRY_AFTER_S 1u

static const char not_durable[] = "The change could not be made durable; whether it was made, a read shows.";

bool quire_batch_init(struct quire_batch *batch, const struct quire_batch_options *options) {
    *batch = (struct quire_batch){.options = *options};
    quire_arena_init(&batch->arena, options->arena_bytes_max);
    batch->scope = (struct quire_scope){.arena = &batch->arena, .log = options->log, .context = options->context};
    batch->publications_max = options->batch_max * 4;
    batch->requests = calloc(options->batch_max, sizeof(*batch->requests));
    batch->checks = calloc(options->batch_max, sizeof(*batch->checks));
    batch->queries = calloc(options->batch_max, sizeof(*batch->queries));
    batch->waiting = calloc(options->batch_max, sizeof(*batch->waiting));
    batch->publications = calloc(batch->publications_max, sizeof(*batch->publications));
    return batch->requests != NULL && batch->checks != NULL && batch->queries != NULL && batch->waiting != NULL &&
           batch->publications != NULL;
}

void quire_batch_deinit(struct quire_batch *batch) {
    quire_arena_deinit(&batch->arena);
    free(batch->requests);
    free(batch->checks);
    free(batch->queries);
    free(batch->waiting);
    free(batch->publications);
}

void quire_batch_begin(struct quire_batch *batch, uint64_t now_ms, uint64_t now_ns) {
    quire_arena_reset(&batch->arena);
    batch->scope.now_ms = now_ms;
    batch->begun_ns = now_ns;
    batch->count = 0;
    batch->decode_ns = batch->check_ns = batch->sql_ns = batch->flush_ns = batch->publish_ns = 0;
}

/* Decode. */

/* The account that a log-in is tried for: the session's own, or the one whose e-mail the call gives. */
static const uint8_t *find_meant_tag(struct quire_request *request) {
    const struct quire_call *call = request->envelope.call;
    const ProtobufCMessageDescriptor *descriptor = call->input->descriptor;

    if (call->access == QUIRE_SESSION)
        return request->envelope.session.bytes; /* begins with the tag */
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (!call->input->fields[i].gives_account_tag || descriptor->fields[i].type != PROTOBUF_C_TYPE_STRING)
            continue;
        const char *email = *(char *const *)((const char *)request->input + descriptor->fields[i].offset);
        if (email != NULL && quire_account_tag(quire_slice_of(email), request->meant_tag))
            return request->meant_tag;
    }
    return NULL;
}

static void decode_payload(struct quire_batch *batch, struct quire_request *request) {
    static const uint8_t nothing[1];
    const ProtobufCMessageDescriptor *descriptor = request->envelope.call->input->descriptor;
    const uint8_t *bytes = request->payload.size == 0 ? nothing : request->payload.bytes;

    request->input = protobuf_c_message_unpack(descriptor, &batch->arena.protobuf, request->payload.size, bytes);
    if (request->input != NULL) {
        if (!quire_texts_valid(request->input))
            quire_request_kill(request, QUIRE_REASON_PAYLOAD);
        return;
    }
    /* Told apart from a payload that can't be read, as that would be put aside for good. Unpacking takes little more
     * than twice the payload. */
    if (batch->arena.used_bytes + 3 * request->payload.size + 65536 > batch->arena.bytes_max)
        quire_request_refuse_for(request, 503, "Too many large requests at once.", RETRY_AFTER_S);
    else
        quire_request_kill(request, QUIRE_REASON_PAYLOAD);
}

static void decode(struct quire_batch *batch, struct quire_request *request, const rd_kafka_headers_t *headers) {
    const enum quire_reason reason =
        quire_envelope_decode(batch->options.service, batch->options.lane, headers, &request->envelope);
    const bool prepared = quire_request_prepare(request);

    request->deadline_ms =
        quire_deadline_bounded(request->envelope.deadline_ms, batch->scope.now_ms, batch->options.skew_ms_max);
    request->deadline_ns = quire_deadline_monotonic(request->deadline_ms, batch->scope.now_ms, batch->begun_ns);
    if (reason != QUIRE_REASON_NONE) {
        quire_request_kill(request, reason);
    } else if (request->attempt > QUIRE_ATTEMPTS_MAX) {
        quire_request_kill(request, QUIRE_REASON_CRASHED);
    } else if (request->deadline_ms <= batch->scope.now_ms) {
        quire_request_move(request, QUIRE_REQUEST_DROPPED);
        quire_series_add(batch->options.measures->expired, 1);
    } else if (!prepared) {
        quire_request_refuse_for(request, 503, "Too many large requests at once.", RETRY_AFTER_S);
    } else if (!request->envelope.health) {
        decode_payload(batch, request);
    }
}

struct quire_request *quire_batch_add(struct quire_batch *batch, const rd_kafka_headers_t *headers,
                                      struct quire_slice payload, unsigned attempt) {
    assert(batch->count < batch->options.batch_max);
    struct quire_request *request = &batch->requests[batch->count++];

    quire_request_init(request, &batch->scope);
    request->payload = payload;
    request->attempt = attempt;
    decode(batch, request, headers);
    return request;
}

/* Run. */

static bool open_call(const struct quire_request *request) {
    return request->state == QUIRE_REQUEST_RECEIVED && request->envelope.call != NULL;
}

static void check_sessions(struct quire_batch *batch, uint64_t begun_ns) {
    uint64_t deadline_ns = 0;
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct quire_request *request = &batch->requests[i];
        if (!open_call(request))
            continue;
        request->check = (struct quire_check){
            .call = request->envelope.call,
            .session = request->envelope.session.bytes,
            .client = request->envelope.client,
            .request = request->envelope.correlation,
            .deadline_ms = request->deadline_ms,
            .account_tag = request->envelope.call->throttle == QUIRE_THROTTLE_LOG_IN ? find_meant_tag(request) : NULL,
            .arena = &batch->arena,
        };
        batch->checks[count++] = &request->check;
        if (deadline_ns < request->deadline_ns)
            deadline_ns = request->deadline_ns;
    }
    if (count == 0)
        return;
    quire_sessions_check(batch->options.sessions, batch->checks, count, batch->scope.now_ms, deadline_ns);
    for (size_t i = 0; i < batch->count; i++) {
        if (open_call(&batch->requests[i]))
            quire_request_admit(&batch->requests[i]); /* what isn't admitted is answered, and so is no longer open */
    }
    batch->check_ns = quire_monotonic_ns() - begun_ns;
}

static void invoke_handlers(struct quire_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        struct quire_request *request = &batch->requests[i];
        if (!open_call(request))
            continue;
        if (quire_monotonic_ns() >= request->deadline_ns) {
            quire_request_move(request, QUIRE_REQUEST_DROPPED);
            quire_series_add(batch->options.measures->expired, 1);
        } else if (quire_fault_strikes(request, QUIRE_FAULT_TURN)) {
            quire_request_kill(request, QUIRE_REASON_FAILED);
        } else {
            quire_request_invoke(request, batch->options.handlers);
        }
    }
}

/* One round: the statements of all that wait, in one pipeline a connection. False when nothing waited. Ends, as each
 * request has a bounded number of rounds and tries. */
static bool run_round(struct quire_batch *batch) {
    const uint64_t now_ns = quire_monotonic_ns();
    size_t waiting = 0, count = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct quire_request *request = &batch->requests[i];
        if (request->state != QUIRE_REQUEST_WAITING)
            continue;
        batch->waiting[waiting++] = request;
        request->query.outcome = QUIRE_QUERY_LATE;
        request->query.took_ns = 0;
        if (now_ns < request->deadline_ns)
            batch->queries[count++] = &request->query;
    }
    if (count != 0)
        quire_database_run(batch->options.database, batch->queries, count);
    for (size_t i = 0; i < waiting; i++) {
        const unsigned failures = batch->waiting[i]->failures;
        quire_request_resume(batch->waiting[i]);
        if (batch->waiting[i]->failures > failures && batch->waiting[i]->state == QUIRE_REQUEST_WAITING)
            quire_series_add(batch->options.measures->retries, 1);
    }
    return waiting != 0;
}

/* Flush and publish. */

static uint64_t settle_deadline(const struct quire_batch *batch) {
    uint64_t deadline_ns = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (deadline_ns < batch->requests[i].deadline_ns)
            deadline_ns = batch->requests[i].deadline_ns;
    }
    const uint64_t latest_ns = quire_monotonic_ns() + SETTLE_NS_MAX;
    return deadline_ns < latest_ns ? deadline_ns : latest_ns;
}

/* The watermark for all of the batch. After a write it is the flush's; where accounts without one were read on the
 * primary, its position as it is now: asked for before the read it could lie before a commit that the read has shown. A
 * flush comes after all reads, so its position serves them too. */
static bool find_watermark(struct quire_batch *batch, uint64_t deadline_ns, struct quire_watermark *ret_watermark) {
    bool wrote = false, needed = false;

    for (size_t i = 0; i < batch->count; i++) {
        wrote |= batch->requests[i].wrote;
        needed |= batch->requests[i].needs_watermark && batch->requests[i].has_account;
    }
    if (wrote)
        return quire_database_flush(batch->options.database, deadline_ns, ret_watermark);
    return needed && quire_database_position(batch->options.database, deadline_ns, ret_watermark);
}

static bool add_publication(struct quire_batch *batch, size_t *count, struct quire_publication *publication) {
    publication->failed = true; /* until Redis has said otherwise */
    if (*count == batch->publications_max) {
        struct quire_publication **more = realloc(batch->publications, 2 * batch->publications_max * sizeof(*more));
        if (more == NULL)
            return false; /* it stays failed */
        batch->publications = more;
        batch->publications_max *= 2;
    }
    publication->failed = false;
    batch->publications[(*count)++] = publication;
    return true;
}

static void add_raise(struct quire_batch *batch, struct quire_request *request, const struct quire_watermark *watermark,
                      size_t *count) {
    request->raise = (struct quire_publication){
        .kind = QUIRE_RAISE_WATERMARK,
        .tag = request->tag,
        .account = request->account,
        .watermark = watermark,
    };
    (void)add_publication(batch, count, &request->raise); /* its `failed` tells */
}

static void add_release(struct quire_batch *batch, struct quire_request *request, size_t *count) {
    /* By the check's words: where a later question refused the request, it has none of its own. */
    request->release = (struct quire_publication){
        .kind = QUIRE_RELEASE_PLACE,
        .tag = request->check.session,
        .account = request->check.account,
        .request = request->envelope.correlation,
    };
    (void)add_publication(batch, count, &request->release); /* a place that isn't released lapses with the deadline */
}

/* An attempt to log in was counted before anybody looked at it. One that ended without a verdict on the password (a
 * backend away, no time left, its address over another limit) is given back: else an outage, or colleagues behind the
 * same address, would lock out whoever has the right one. */
static bool owes_undo(const struct quire_request *request) {
    if (!request->check.counts_as_failure)
        return false;
    return request->state == QUIRE_REQUEST_DROPPED ||
           (request->state == QUIRE_REQUEST_ANSWERED &&
            (request->status >= 500 || request->check.verdict != QUIRE_ADMITTED));
}

static void add_undo(struct quire_batch *batch, struct quire_request *request, size_t *count) {
    const uint8_t *tag = request->check.account_tag != NULL ? request->check.account_tag : request->check.session;

    if (tag == NULL)
        return; /* nothing was counted */
    quire_keys_log_in(request->check.client, tag, request->undo_keys);
    for (size_t i = 0; i < QUIRE_LOG_IN_KEYS; i++)
        request->undo_slices[i] = quire_key_slice(&request->undo_keys[i]);
    request->undo = (struct quire_publication){
        .kind = QUIRE_CALL_FUNCTION,
        .function = "quire_log_in_undone",
        .keys = request->undo_slices,
        .keys_count = QUIRE_LOG_IN_KEYS,
    };
    (void)add_publication(batch, count, &request->undo); /* what isn't given back lapses with its window */
}

/* Watermarks first: where Redis stops in the middle, the more important has been said. */
static size_t gather_publications(struct quire_batch *batch, const struct quire_watermark *watermark) {
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct quire_request *request = &batch->requests[i];
        if (watermark != NULL && request->has_account && (request->wrote || request->needs_watermark))
            add_raise(batch, request, watermark, &count);
    }
    for (size_t i = 0; i < batch->count; i++) {
        for (struct quire_promise *promise = batch->requests[i].promises; promise != NULL; promise = promise->next) {
            if (promise->always || quire_request_succeeded(&batch->requests[i]))
                (void)add_publication(batch, &count, &promise->publication);
        }
    }
    for (size_t i = 0; i < batch->count; i++) {
        if (owes_undo(&batch->requests[i]))
            add_undo(batch, &batch->requests[i], &count);
    }
    return count;
}

static bool promises_kept(const struct quire_request *request) {
    for (const struct quire_promise *promise = request->promises; promise != NULL; promise = promise->next) {
        if (promise->publication.failed)
            return false;
    }
    return !(request->wrote && request->has_account && request->raise.failed);
}

/* Nothing that was written is acknowledged before it is durable and every reader will know. */
static void settle(struct quire_batch *batch) {
    const uint64_t begun_ns = quire_monotonic_ns(), deadline_ns = settle_deadline(batch);
    struct quire_watermark watermark = {0};
    const bool known = find_watermark(batch, deadline_ns, &watermark);
    const uint64_t known_ns = quire_monotonic_ns();

    for (size_t i = 0; i < batch->count; i++) {
        if (!known && batch->requests[i].wrote && quire_request_succeeded(&batch->requests[i]))
            quire_request_overrule(&batch->requests[i], 503, not_durable, RETRY_AFTER_S);
    }
    const size_t count = gather_publications(batch, known ? &watermark : NULL);
    if (count != 0)
        quire_sessions_publish(batch->options.sessions, batch->publications, count, deadline_ns);
    for (size_t i = 0; i < batch->count; i++) {
        if (quire_request_succeeded(&batch->requests[i]) && !promises_kept(&batch->requests[i]))
            quire_request_overrule(&batch->requests[i], 503, not_durable, RETRY_AFTER_S);
    }
    batch->flush_ns = known_ns - begun_ns;
    batch->publish_ns = quire_monotonic_ns() - known_ns;
}

/* No answer waits until a place is given back. But that is said before the answer, so that whoever has it finds room.
 */
static void release_places(struct quire_batch *batch) {
    batch->releases = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->requests[i].check.holds_place)
            add_release(batch, &batch->requests[i], &batch->releases);
    }
    if (batch->releases != 0)
        quire_sessions_publish_begin(batch->options.sessions, batch->publications, batch->releases,
                                     settle_deadline(batch));
}

static void strike_faults(struct quire_batch *batch, enum quire_fault_point point) {
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->requests[i].wrote)
            (void)quire_fault_strikes(&batch->requests[i], point); /* too late to fail */
    }
}

void quire_batch_run(struct quire_batch *batch) {
    const uint64_t decoded_ns = quire_monotonic_ns();
    batch->decode_ns = decoded_ns - batch->begun_ns;
    check_sessions(batch, decoded_ns);
    const size_t folded = quire_fold(batch->requests, batch->count);
    if (folded != 0)
        quire_series_add(batch->options.measures->folded, (double)folded);
    const uint64_t begun_ns = quire_monotonic_ns();
    invoke_handlers(batch);
    while (run_round(batch))
        ;
    batch->sql_ns = quire_monotonic_ns() - begun_ns;
    strike_faults(batch, QUIRE_FAULT_COMMITTED);
    settle(batch);
    release_places(batch);
    strike_faults(batch, QUIRE_FAULT_PUBLISHED);
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->requests[i].state != QUIRE_REQUEST_FOLDED)
            continue;
        if (batch->requests[i].leader->state == QUIRE_REQUEST_ANSWERED)
            quire_request_copy_answer(&batch->requests[i]);
        else
            quire_request_move(&batch->requests[i], QUIRE_REQUEST_DROPPED); /* the leader had the latest deadline */
    }
}

void quire_batch_end(struct quire_batch *batch) {
    if (batch->releases != 0)
        quire_sessions_publish_end(batch->options.sessions, batch->publications, batch->releases,
                                   settle_deadline(batch));
    batch->releases = 0;
}
