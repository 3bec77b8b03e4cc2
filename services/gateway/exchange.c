#include "gateway/exchange.h"

#include "base/clock.h"
#include "gateway/connection.h"
#include "gateway/exchange_answer.h"
#include "gateway/exchange_pace.h"
#include "gateway/health.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define SPARE_EXCHANGES_MAX 256u      /* a shard's; each keeps at most two first blocks of arenas */
#define HEAD_BYTES_MAX (256u * 1024)  /* a head of 24 KiB in a text that doubled, its fields, the answer's head */
#define WORK_BYTES_MIN (1024u * 1024) /* transcoding, for any size of body */
#define WORK_FACTOR 8u                /* and for each byte of it: JSON's tree, the message, its packed form */
#define COPIES 3u                     /* what the budget is asked for before a body or value is transcoded */
#define NO_REPLY "No reply came before the deadline."
#define KEPT_WORK_BYTES (64u * 1024) /* a larger work arena is freed, not kept */

struct exchange *exchange_take(struct shard *shard, struct connection *connection) {
    struct exchange *exchange = shard->spare;
    if (exchange != NULL) {
        shard->spare = exchange->next;
        shard->spare_count--;
    } else {
        exchange = calloc(1, sizeof *exchange);
        if (exchange == NULL)
            return NULL;
        quire_arena_init(&exchange->arena, HEAD_BYTES_MAX);
        quire_arena_init(&exchange->work, WORK_BYTES_MIN);
    }
    exchange->waiter.kind = WAITER_EXCHANGE;
    exchange->state = EXCHANGE_READING;
    exchange->shard = shard;
    exchange->connection = connection;
    exchange->next = NULL;
    exchange->begun_ns = quire_monotonic_ns();
    return exchange;
}

static void hold(struct exchange *exchange, size_t bytes) {
    exchange->held_bytes += bytes;
}

static void give_held(struct exchange *exchange, size_t kept_bytes) {
    assert(kept_bytes <= exchange->held_bytes);
    budget_give(&exchange->shard->gateway->budget, exchange->share, exchange->held_bytes - kept_bytes);
    exchange->held_bytes = kept_bytes;
}

/* Makes room for transcoding `bytes`. False: the budget is used up. */
static bool prepare_work(struct exchange *exchange, size_t bytes) {
    if (!budget_take(&exchange->shard->gateway->budget, exchange->share, bytes * COPIES))
        return false;
    hold(exchange, bytes * COPIES);
    exchange->work.bytes_max = WORK_BYTES_MIN + bytes * WORK_FACTOR;
    return true;
}

static void clear_work(struct exchange *exchange) {
    if (exchange->work.used_bytes > KEPT_WORK_BYTES)
        quire_arena_deinit(&exchange->work);
    else
        quire_arena_reset(&exchange->work);
}

/* A minted token leaves no copy behind: what held it goes back to the allocator. */
static void wipe_token(struct exchange *exchange) {
    sodium_memzero(exchange->encoded.token, sizeof exchange->encoded.token); /* of a body that was given up */
    if (exchange->token[0] == '\0')
        return;
    sodium_memzero(exchange->token, sizeof exchange->token);
    if (exchange->answer_content.size > 0)
        sodium_memzero((void *)(uintptr_t)exchange->answer_content.bytes,
                       exchange->answer_content.size); /* in `work` */
}

void exchange_give(struct exchange *exchange) {
    struct shard *shard = exchange->shard;
    assert(exchange->state != EXCHANGE_WAITING);
    if (exchange->state == EXCHANGE_ASIDE) {
        assert(exchange->given_up);
        exchange->connection = NULL;
        return;
    }
    wipe_token(exchange);
    body_clear(&exchange->body, &shard->gateway->budget, exchange->share);
    give_held(exchange, 0);
    clear_work(exchange);
    quire_arena_reset(&exchange->arena);
    if (shard->spare_count == SPARE_EXCHANGES_MAX) {
        quire_arena_deinit(&exchange->work);
        quire_arena_deinit(&exchange->arena);
        free(exchange);
        return;
    }
    /* Everything but the arenas begins anew. */
    memset(&exchange->head, 0, sizeof *exchange - offsetof(struct exchange, head));
    exchange->connection = NULL;
    exchange->next_asking = NULL;
    exchange->next = shard->spare;
    shard->spare = exchange;
    shard->spare_count++;
}

void exchange_pool_clear(struct shard *shard) {
    while (shard->spare != NULL) {
        struct exchange *exchange = shard->spare;
        shard->spare = exchange->next;
        quire_arena_deinit(&exchange->work);
        quire_arena_deinit(&exchange->arena);
        free(exchange);
    }
    shard->spare_count = 0;
}

bool exchange_is_safe(const struct exchange *exchange) {
    enum http_method method = exchange->head.method;
    return method == HTTP_METHOD_GET || method == HTTP_METHOD_HEAD || method == HTTP_METHOD_OPTIONS ||
           exchange->refusal.status != 0;
}

void exchange_read_body(struct exchange *exchange, struct quire_slice piece) {
    if (!exchange->keeps_body || exchange->refusal.status != 0)
        return;
    if (body_append(&exchange->body, &exchange->shard->gateway->budget, exchange->share, piece, HTTP_BODY_MAX))
        return;
    exchange->refusal = exchange_refusal(exchange, REFUSAL_BODIES);
    body_clear(&exchange->body, &exchange->shard->gateway->budget, exchange->share);
}

void exchange_end_body(struct exchange *exchange) {
    assert(exchange->state == EXCHANGE_READING);
    exchange->state = EXCHANGE_QUEUED;
    exchange->complete_ns = quire_monotonic_ns();
    exchange->deadline_ns = exchange->complete_ns + (uint64_t)exchange->timeout_ms * 1000000u;
    exchange->deadline_ms = quire_wall_ms() + exchange->timeout_ms;
}

/* What transcoding asks for by name. A list that was sent in several lines is one value (RFC 9110 5.3). */
static const struct quire_slice *find_header(void *context, const char *name) {
    struct exchange *exchange = context;
    size_t count, bytes = 0;
    const struct http_field *first = http_find(&exchange->head, name, &count);
    if (count <= 1)
        return first == NULL ? NULL : &first->value;
    for (size_t i = 0; i < exchange->head.fields_count; i++)
        if (http_name_equal(exchange->head.fields[i].name, name))
            bytes += exchange->head.fields[i].value.size + 2;
    struct quire_slice *joined = quire_arena_alloc(&exchange->arena, sizeof *joined + bytes);
    if (joined == NULL)
        return &first->value;
    uint8_t *at = (uint8_t *)(joined + 1);
    *joined = (struct quire_slice){at, 0};
    for (size_t i = 0; i < exchange->head.fields_count; i++) {
        struct quire_slice value = exchange->head.fields[i].value;
        if (!http_name_equal(exchange->head.fields[i].name, name))
            continue;
        if (joined->size > 0) {
            memcpy(at + joined->size, ", ", 2);
            joined->size += 2;
        }
        if (value.size > 0)
            memcpy(at + joined->size, value.bytes, value.size);
        joined->size += value.size;
    }
    return joined;
}

/* What a repeated Idempotency-Key is compared by: method, path and body, as sent. */
static void make_fingerprint(const struct exchange *exchange, uint8_t ret_fingerprint[crypto_hash_sha256_BYTES]) {
    crypto_hash_sha256_state state;
    const char *method = http_method_text(exchange->head.method);
    (void)crypto_hash_sha256_init(&state); /* always 0, as the two below */
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)method, strlen(method) + 1);
    (void)crypto_hash_sha256_update(&state, exchange->target.path.bytes, exchange->target.path.size);
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)"", 1); /* a path holds no NUL */
    if (exchange->body.size > 0)
        (void)crypto_hash_sha256_update(&state, exchange->body.bytes, exchange->body.size);
    (void)crypto_hash_sha256_final(&state, ret_fingerprint);
}

/* The body becomes a message. On the ring's thread or the one beside it: touches nothing of the shard's that changes.
 */
static bool encode(struct exchange *exchange) {
    uint8_t nothing[BODY_PADDING] = {0}, correlation[QUIRE_CORRELATION_BYTES];
    if (exchange->idempotency_key.size > 0)
        make_fingerprint(exchange, exchange->fingerprint); /* before the body is parsed in place */
    bus_correlation(exchange->shard->port, exchange->id.slot, exchange->id.generation, correlation);
    const struct transcode_request request = {
        .call = exchange->match.route->call,
        .body = exchange->body.bytes == NULL ? nothing : exchange->body.bytes,
        .body_bytes = exchange->body.size,
        .query = exchange->target.query,
        .path_segments = exchange->target.segments,
        .header = find_header,
        .context = exchange,
        .client = quire_slice_of(exchange->client),
        .seal_key = keyring_current(exchange->shard->gateway->keyring),
        .correlation = correlation,
        .deadline_ms = exchange->deadline_ms,
    };
    if (exchange->body.bytes != NULL)
        memset(exchange->body.bytes + exchange->body.size, 0, BODY_PADDING);
    return transcode_encode(&exchange->work, &request, &exchange->encoded, &exchange->problem);
}

static enum bus_result send_request(struct exchange *exchange, uint32_t lane) {
    const struct transcode_encoded *encoded = &exchange->encoded;
    const struct route *route = exchange->match.route;
    bool with_key = exchange->idempotency_key.size > 0;
    const struct bus_request request = {
        .service = route->service,
        .lane = lane,
        .waiting = inflight_count(exchange->shard->inflight),
        .reply_ns = admission_reply_ns(exchange->lane),
        .method = route->call->method,
        .id = {exchange->id.slot, exchange->id.generation},
        .now_ns = exchange->shard->now_ns,
        .deadline_ms = exchange->deadline_ms,
        .request_id = exchange->request_id,
        .traceparent = exchange->traceparent,
        .client = quire_slice_of(exchange->client),
        .idempotency_key = exchange->idempotency_key,
        .fingerprint = with_key ? (struct quire_slice){exchange->fingerprint, sizeof exchange->fingerprint}
                                : (struct quire_slice){NULL, 0},
        .session = exchange->has_session ? (struct quire_slice){exchange->session, sizeof exchange->session}
                                         : (struct quire_slice){NULL, 0},
        .value = {exchange->given_value == NULL ? encoded->value : exchange->given_value, encoded->value_bytes},
        .value_given = exchange->given_value != NULL,
    };
    const enum bus_result result = bus_send(exchange->shard->port, &request);
    if (result == BUS_SENT)
        exchange->given_value = NULL;
    return result;
}

/* After sending: only the value's copy in the producer's queue is held still. */
static void await_reply(struct exchange *exchange, size_t value_bytes) {
    exchange->state = EXCHANGE_WAITING;
    exchange->sent_ns = quire_monotonic_ns();
    admission_begin(exchange->lane, exchange->shard->now_ns);
    exchange_pace_passed(exchange);
    body_clear(&exchange->body, &exchange->shard->gateway->budget, exchange->share);
    give_held(exchange, value_bytes < exchange->held_bytes ? value_bytes : exchange->held_bytes);
    clear_work(exchange);
}

/* The exchange stands in the inflight table, and its body has been encoded, or not. False: it is answered, and must be
 * taken out. */
static bool ask(struct exchange *exchange, bool encoded) {
    if (!encoded) {
        exchange_answer_problem(exchange, &exchange->problem);
        return false;
    }
    const size_t value_bytes = exchange->encoded.value_bytes;
    memcpy(exchange->token, exchange->encoded.token, sizeof exchange->token);
    sodium_memzero(exchange->encoded.token, sizeof exchange->encoded.token);
    const uint32_t lane = exchange_lane(exchange->match.route->call, value_bytes);
    exchange->lane = admission_lane_of(exchange->shard->admission, exchange->match.route->service, lane);
    switch (send_request(exchange, lane)) {
    case BUS_SENT:
        await_reply(exchange, value_bytes);
        return true;
    case BUS_TOO_LARGE:
        exchange_answer_status(exchange, 413, "The message is larger than the topics take.");
        return false;
    case BUS_FULL:
        exchange_answer_refusal(exchange, REFUSAL_PRODUCER);
        return false;
    case BUS_AWAY:
        break;
    }
    exchange_answer_refusal(exchange, REFUSAL_TOPIC);
    return false;
}

static struct exchange *exchange_of(struct aside_job *job) {
    return (struct exchange *)((uint8_t *)job - offsetof(struct exchange, job));
}

/* The producer gets the message as it is: the ring would be kept by copying it, too. Without memory it has to. */
static void encode_aside(struct aside_job *job) {
    struct exchange *exchange = exchange_of(job);
    exchange->transcoded = encode(exchange);
    if (exchange->transcoded && exchange->encoded.value_bytes > 0)
        exchange->given_value = malloc(exchange->encoded.value_bytes);
    if (exchange->given_value != NULL)
        memcpy(exchange->given_value, exchange->encoded.value, exchange->encoded.value_bytes);
}

static void take_back(struct aside_job *job);

/* False when it isn't worth it, or the other thread has enough to do. */
static bool hand_over(struct exchange *exchange, size_t bytes, void (*run)(struct aside_job *job)) {
    exchange->job = (struct aside_job){.run = run, .done = take_back};
    if (bytes < EXCHANGE_ASIDE_BYTES || !aside_give(exchange->shard->aside, &exchange->job))
        return false;
    exchange->state = EXCHANGE_ASIDE;
    return true;
}

bool exchange_has_room(struct exchange *exchange, size_t body_bytes) {
    struct shard *shard = exchange->shard;
    const struct route *route = exchange->match.route;
    struct admission_lane *lane =
        admission_lane_of(shard->admission, route->service, exchange_lane(route->call, body_bytes));
    return admission_admits(lane, shard->now_ns, (uint64_t)exchange->timeout_ms * 1000000u);
}

static void start_call(struct exchange *exchange) {
    struct shard *shard = exchange->shard;
    struct problem problem;
    if (exchange->deadline_ns <= shard->now_ns) {
        exchange_answer_status(exchange, 504, "The deadline passed before the request's turn came.");
    } else if (!bus_port_ready(shard->port)) {
        exchange_answer_refusal(exchange, REFUSAL_KAFKA);
    } else if (!exchange_has_room(exchange, exchange->body.size)) {
        exchange_answer_refusal(exchange, REFUSAL_LANE);
    } else if (exchange_is_paced(exchange, &problem)) {
        exchange_answer_problem(exchange, &problem);
    } else if (!prepare_work(exchange, exchange->body.size)) {
        exchange_answer_refusal(exchange, REFUSAL_BODIES);
    } else if (!inflight_add(shard->inflight, exchange, exchange->deadline_ns, &exchange->id)) {
        exchange_answer_refusal(exchange, REFUSAL_INFLIGHT);
    } else if (hand_over(exchange, exchange->body.size, encode_aside)) {
        return; /* take_back goes on */
    } else if (!ask(exchange, encode(exchange))) {
        (void)inflight_take(shard->inflight, exchange->id); /* it is this exchange */
    }
}

void exchange_start(struct exchange *exchange) {
    const struct route *route = exchange->match.route;
    assert(exchange->state == EXCHANGE_QUEUED);
    /* The turn began before a message that is started in the turn that completed it. */
    exchange->started_ns =
        exchange->shard->now_ns > exchange->complete_ns ? exchange->shard->now_ns : exchange->complete_ns;
    if (exchange->refusal.status != 0) {
        exchange_answer_problem(exchange, &exchange->refusal);
    } else if (route != NULL && route->kind == ROUTE_CALL) {
        start_call(exchange);
    } else if (route != NULL && route->kind == ROUTE_HEALTH) {
        exchange->state = EXCHANGE_WAITING;
        health_ask(exchange->shard->health, exchange);
    } else {
        exchange_answer_own(exchange);
    }
}

void exchange_refuse(struct exchange *exchange) {
    assert(exchange->state == EXCHANGE_READING && exchange->refusal.status != 0);
    exchange->close_after = true;
    exchange_answer_problem(exchange, &exchange->refusal);
}

static const char *cache_control(const struct transcode_decoded *decoded) {
    return decoded->etag.size > 0 ? "private, no-cache" : "no-store";
}

/* The reply becomes an answer's content. On the ring's thread or the one beside it. */
static bool decode(struct exchange *exchange) {
    return transcode_decode(&exchange->work, exchange->match.route->call, exchange->reply.status, exchange->reply.value,
                            exchange->token, &exchange->decoded);
}

static void decode_aside(struct aside_job *job) {
    exchange_of(job)->transcoded = decode(exchange_of(job));
}

static void answer_decoded(struct exchange *exchange, bool decodable) {
    const struct transcode_decoded *decoded = &exchange->decoded;
    if (!decodable) {
        QUIRE_LOG(exchange->shard->gateway->log, QUIRE_ERROR, "reply.undecodable",
                  QUIRE_TEXT("request_id", exchange->request_id),
                  QUIRE_CTEXT("method", exchange->match.route->call->method),
                  QUIRE_INTEGER("bytes", exchange->reply.value.size));
        exchange_answer_status(exchange, 500, NULL);
        return;
    }
    size_t answer_bytes = decoded->json.size;
    give_held(exchange, answer_bytes < exchange->held_bytes ? answer_bytes : exchange->held_bytes);
    exchange_answer(exchange, &(struct answer){
                                  .status = exchange->reply.status,
                                  .content_type = "application/json",
                                  .content = decoded->json,
                                  .cache_control = cache_control(decoded),
                                  .etag_name = decoded->etag_name,
                                  .etag = decoded->etag,
                                  .location = decoded->location,
                              });
}

static void answer_failed(struct exchange *exchange, unsigned status, struct quire_slice value) {
    struct problem problem;
    if (!problem_decode(&exchange->work, value, &problem)) {
        QUIRE_LOG(exchange->shard->gateway->log, QUIRE_ERROR, "reply.undecodable",
                  QUIRE_TEXT("request_id", exchange->request_id),
                  QUIRE_CTEXT("method", exchange->match.route->call->method), QUIRE_INTEGER("status", status));
        exchange_answer_status(exchange, 500, NULL);
        return;
    }
    problem.status = status;
    exchange_pace_learn(exchange, &problem);
    exchange_answer_problem(exchange, &problem);
}

static void receive_success(struct exchange *exchange, struct bus_reply *reply) {
    const size_t value_bytes = reply->value.size;
    if (!prepare_work(exchange, value_bytes)) {
        exchange_answer_refusal(exchange, REFUSAL_BODIES);
        return;
    }
    exchange->reply = *reply;
    if (hand_over(exchange, value_bytes, decode_aside)) {
        *reply = (struct bus_reply){0};
        return;
    }
    answer_decoded(exchange, decode(exchange));
    exchange->reply = (struct bus_reply){0}; /* the caller's */
}

void exchange_receive(struct exchange *exchange, struct bus_reply *reply) {
    assert(exchange->state == EXCHANGE_WAITING);
    exchange->replied_ns = quire_monotonic_ns();
    admission_end(exchange->lane, exchange->shard->now_ns, ADMISSION_ANSWERED);
    admission_reply_took(exchange->lane, exchange->replied_ns - exchange->sent_ns);
    if (reply->status == 0 || reply->status == 200)
        reply->status = exchange->match.route->call->status;
    const unsigned status = reply->status;
    if ((status >= 200 && status <= 299) || status == 304)
        receive_success(exchange, reply);
    else if (status >= 400 && status <= 599)
        answer_failed(exchange, status, reply->value);
    else
        exchange_answer_status(exchange, 500, NULL);
}

/* Nobody touches the body of one that is ASIDE, so its answer waits: for no longer than the other thread's few jobs. */
void exchange_expire(struct exchange *exchange) {
    if (exchange->state == EXCHANGE_ASIDE) {
        exchange->expired = true;
        return;
    }
    assert(exchange->state == EXCHANGE_WAITING);
    admission_end(exchange->lane, exchange->shard->now_ns, ADMISSION_EXPIRED);
    exchange_answer_status(exchange, 504, NO_REPLY);
}

/* As ask(). Others may have taken the lane's places meanwhile. */
static bool ask_if_there_is_room(struct exchange *exchange) {
    if (exchange->transcoded && !exchange_has_room(exchange, exchange->encoded.value_bytes)) {
        exchange_answer_refusal(exchange, REFUSAL_LANE);
        return false;
    }
    return ask(exchange, exchange->transcoded);
}

/* ASIDE -> WAITING or ANSWERED: its job has come back. */
static void take_back(struct aside_job *job) {
    struct exchange *exchange = exchange_of(job);
    assert(exchange->state == EXCHANGE_ASIDE);
    if (exchange->given_up)
        exchange->state = EXCHANGE_ANSWERED;
    else if (exchange->replied_ns != 0)
        answer_decoded(exchange, exchange->transcoded);
    else if (exchange->expired)
        exchange_answer_status(exchange, 504, NO_REPLY);
    else if (!ask_if_there_is_room(exchange))
        (void)inflight_take(exchange->shard->inflight, exchange->id); /* it is this exchange */
    bus_reply_release(&exchange->reply);
    free(exchange->given_value); /* was not sent */
    exchange->given_value = NULL;
    if (exchange->connection == NULL)
        exchange_give(exchange);
}

void exchange_receive_health(struct exchange *exchange, bool healthy, struct quire_slice json) {
    assert(exchange->state == EXCHANGE_WAITING);
    uint8_t *copy = quire_arena_alloc(&exchange->work, json.size);
    if (copy == NULL) {
        exchange_answer_status(exchange, 503, NULL);
        return;
    }
    memcpy(copy, json.bytes, json.size);
    exchange_answer(exchange, &(struct answer){.status = healthy ? 200 : 503,
                                               .content_type = "application/json",
                                               .content = {copy, json.size},
                                               .cache_control = "no-store"});
}

void exchange_abandon(struct exchange *exchange) {
    if (exchange->state == EXCHANGE_ASIDE) {
        if (!exchange->given_up && exchange->replied_ns == 0)
            (void)inflight_take(exchange->shard->inflight, exchange->id); /* it is this exchange, or has expired */
        exchange->given_up = true;
        return;
    }
    if (exchange->state == EXCHANGE_WAITING) {
        if (exchange->match.route->kind == ROUTE_HEALTH) {
            health_forget(exchange->shard->health, exchange);
        } else {
            (void)inflight_take(exchange->shard->inflight, exchange->id); /* it is this exchange */
            admission_end(exchange->lane, exchange->shard->now_ns, ADMISSION_ABANDONED);
        }
    }
    exchange->state = EXCHANGE_ANSWERED;
}
