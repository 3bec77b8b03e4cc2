#include "gateway/exchange_answer.h"

#include "base/clock.h"
#include "base/sample.h"
#include "gateway/connection.h"
#include "gateway/pages.h"

#include <assert.h>

static uint64_t us_between(uint64_t from_ns, uint64_t to_ns) {
    return from_ns == 0 || to_ns <= from_ns ? 0 : (to_ns - from_ns) / 1000;
}

/* A line is a good part of what a refusal costs, and there are the more of them the less there is to spare. */
static bool may_log_refusal(struct shard *shard) {
    if (shard->refused_logged >= shard->gateway->config->log_refused_max)
        return false;
    shard->refused_logged++;
    return true;
}

/* Whether the line of this request is written: the gateway's own pages, which probes ask for all day, only at debug. */
static bool is_logged(const struct exchange *exchange, enum quire_log_level level) {
    const struct gateway *gateway = exchange->shard->gateway;
    if (exchange->refused && !may_log_refusal(exchange->shard))
        return false;
    const struct quire_sample sample = {.one_in = (uint64_t)gateway->config->log_request_sample,
                                        .slow_us = (uint64_t)gateway->config->log_slow_ms * 1000};
    return quire_log_on(gateway->log, level) &&
           quire_sample_takes(&sample, exchange->request_id, exchange->status >= 400,
                              us_between(exchange->begun_ns, exchange->answered_ns));
}

#define LOG_FIELDS_MAX 16u

/* The line's time is the answer's; what happened when is counted back from there. */
static void log_request(const struct exchange *exchange) {
    const struct route *route = exchange->match.route;
    bool own = route != NULL && route->kind != ROUTE_CALL;
    enum quire_log_level level = own && exchange->status < 500 ? QUIRE_DEBUG : QUIRE_INFO;
    if (!is_logged(exchange, level))
        return;
    struct quire_log_field fields[LOG_FIELDS_MAX];
    uint8_t correlation[QUIRE_CORRELATION_BYTES];
    char call[QUIRE_CALL_CHARACTERS + 1];
    size_t count = 0;
    fields[count++] = QUIRE_TEXT("request_id", exchange->request_id);
    if (!own && exchange->sent_ns != 0) {
        bus_correlation(exchange->shard->port, exchange->id.slot, exchange->id.generation, correlation);
        quire_call_text((struct quire_slice){correlation, sizeof correlation}, call);
        fields[count++] = QUIRE_CTEXT("call", call);
    }
    fields[count++] = QUIRE_CTEXT("method", http_method_text(exchange->head.method));
    fields[count++] = QUIRE_CTEXT("route", route == NULL ? "unmatched" : route->path);
    fields[count++] = QUIRE_INTEGER("status", exchange->status);
    fields[count++] = QUIRE_NUMBER("ms", (double)us_between(exchange->begun_ns, exchange->answered_ns) / 1000);
    fields[count++] = QUIRE_INTEGER("parse_us", us_between(exchange->begun_ns, exchange->complete_ns));
    fields[count++] = QUIRE_INTEGER("queue_us", us_between(exchange->complete_ns, exchange->started_ns));
    fields[count++] = QUIRE_INTEGER("produce_us", us_between(exchange->started_ns, exchange->sent_ns));
    /* Without a reply the wait ended with the answer. */
    fields[count++] =
        QUIRE_INTEGER("wait_us", us_between(exchange->sent_ns,
                                            exchange->replied_ns != 0 ? exchange->replied_ns : exchange->answered_ns));
    fields[count++] = QUIRE_INTEGER("reply_us", us_between(exchange->replied_ns, exchange->answered_ns));
    fields[count++] = QUIRE_INTEGER("bytes", exchange->answer_content.size);
    fields[count++] = QUIRE_CTEXT("client", exchange->client);
    if (exchange->status == 504)
        fields[count++] = QUIRE_INTEGER("deadline_ms", exchange->timeout_ms);
    if (exchange->traceparent.size > 0 && exchange->own_traceparent[0] == '\0') /* the caller's */
        fields[count++] = QUIRE_TEXT("traceparent", exchange->traceparent);
    quire_log_buffer_write_at(exchange->shard->lines, level, quire_wall_us(), "request.done", fields, count);
}

static bool render(struct exchange *exchange, const struct answer *answer) {
    const struct problem *problem = answer->problem;
    unsigned retry_after_s = problem == NULL ? 0 : problem->retry_after_s;
    if (retry_after_s == 0 && (answer->status == 503 || answer->status == 429))
        retry_after_s = 1;
    const struct response response = {
        .status = answer->status,
        .request_id = exchange->request_id,
        .date = exchange->shard->date,
        .process_us = us_between(exchange->begun_ns, exchange->answered_ns),
        .content_type = answer->content_type,
        .allow = answer->allow,
        .accept = answer->accept,
        .accept_encoding = answer->accept_encoding,
        .cache_control = answer->cache_control,
        .security_policy = answer->security_policy,
        .challenge = answer->status == 401,
        .retry_after_s = retry_after_s,
        .location = answer->location,
        .rate_limit = problem == NULL ? quire_slice_of(NULL) : problem->rate_limit,
        .rate_limit_policy = problem == NULL ? quire_slice_of(NULL) : problem->rate_limit_policy,
        .etag_name = answer->etag_name,
        .etag = answer->etag,
        .content_bytes = answer->content.size,
        .close = exchange->close_after,
        .keep_alive = exchange->head.minor == 0 && !exchange->close_after,
    };
    return response_render(&exchange->arena, &response, &exchange->answer_head);
}

void exchange_answer(struct exchange *exchange, const struct answer *answer) {
    struct shard *shard = exchange->shard;
    bool has_content = exchange->head.method != HTTP_METHOD_HEAD && answer->status != 204 && answer->status != 304;
    assert(exchange->state != EXCHANGE_ANSWERED);
    exchange->state = EXCHANGE_ANSWERED;
    exchange->status = answer->status;
    exchange->answered_ns = quire_monotonic_ns();
    /* A gateway that stops ends the connection with the youngest answer; those before it are still owed theirs. */
    if (gateway_phase(shard->gateway) >= GATEWAY_CLOSING && exchange->next == NULL)
        exchange->close_after = true;
    if (has_content)
        exchange->answer_content = answer->content;
    if (!render(exchange, answer)) {
        exchange->answer_head = exchange->answer_content = (struct quire_slice){NULL, 0};
        exchange->close_after = true;
    }
    traffic_count_request(shard->traffic, exchange->match.route, exchange->head.method, exchange->status,
                          (double)us_between(exchange->begun_ns, exchange->answered_ns) / 1e6);
    log_request(exchange);
    connection_touch(exchange->connection);
}

void exchange_answer_problem(struct exchange *exchange, const struct problem *problem) {
    struct quire_slice json = {NULL, 0};
    struct answer answer = {.status = problem->status,
                            .content_type = "application/problem+json",
                            .cache_control = "no-store",
                            .problem = problem};
    if (problem->status == 405)
        answer.allow = exchange->match.allow;
    /* RFC 9110 15.5.16: which of the two was the cause. */
    if (problem->status == 415 && !fields_plain(&exchange->head))
        answer.accept_encoding = "identity";
    else if (problem->status == 415)
        answer.accept = "application/json";
    /* Rather without its faults than without a word: a hundred long names of control characters are too much. */
    struct problem without_faults = *problem;
    without_faults.faults_count = 0;
    if (problem_render(&exchange->arena, problem, exchange->request_id, &json) ||
        problem_render(&exchange->arena, &without_faults, exchange->request_id, &json))
        answer.content = json;
    exchange_answer(exchange, &answer);
}

void exchange_answer_status(struct exchange *exchange, unsigned status, const char *detail) {
    exchange_answer_problem(exchange, &(struct problem){.status = status, .detail = detail});
}

struct problem exchange_refusal(struct exchange *exchange, enum refusal refusal) {
    exchange->refused = true;
    traffic_count_refusal(exchange->shard->traffic, refusal);
    return (struct problem){.status = 503, .detail = refusal_rows[refusal].detail};
}

void exchange_answer_refusal(struct exchange *exchange, enum refusal refusal) {
    const struct problem problem = exchange_refusal(exchange, refusal);
    exchange_answer_problem(exchange, &problem);
}

void exchange_answer_own(struct exchange *exchange) {
    const struct gateway *gateway = exchange->shard->gateway;
    const struct route *route = exchange->match.route;
    struct answer answer = {.status = 200, .content_type = "application/json", .cache_control = "no-cache"};
    struct page page;
    if (route == NULL) {
        exchange_answer(exchange, &(struct answer){.status = 204, .allow = exchange->match.allow});
        return;
    }
    switch (route->kind) {
    case ROUTE_READYZ:
        if (!gateway_ready(gateway)) {
            exchange_answer_status(
                exchange, 503, gateway_phase(gateway) == GATEWAY_SERVING ? "Starting, or Kafka is away." : "Stopping.");
            return;
        }
        answer.content = QUIRE_SLICE_LITERAL("{\"status\":\"ready\"}");
        answer.cache_control = "no-store";
        break;
    case ROUTE_OPENAPI:
        answer.content = gateway->contract->openapi;
        break;
    default:
        if (page_find(route->kind, &page)) {
            answer.content = page.content;
            answer.content_type = page.content_type;
            answer.security_policy = PAGES_SECURITY_POLICY;
            break;
        }
        answer.content = QUIRE_SLICE_LITERAL("{\"status\":\"alive\"}");
        answer.cache_control = "no-store";
        break;
    }
    exchange_answer(exchange, &answer);
}
