#include "gateway/exchange_answer.h"

#include "base/clock.h"
#include "gateway/connection.h"
#include "gateway/pages.h"

#include <assert.h>

static uint64_t us_between(uint64_t from_ns, uint64_t to_ns) {
    return from_ns == 0 || to_ns <= from_ns ? 0 : (to_ns - from_ns) / 1000;
}

/* Failures always; of the successes one in log_request_sample; the gateway's own pages, which probes ask for all day,
 * only at debug. */
static void log_request(const struct exchange *exchange) {
    struct shard *shard = exchange->shard;
    const struct route *route = exchange->match.route;
    bool failed = exchange->status >= 500, own = route != NULL && route->kind != ROUTE_CALL;
    enum quire_log_level level = own && !failed ? QUIRE_DEBUG : QUIRE_INFO;
    if (!quire_log_on(shard->gateway->log, level))
        return;
    if (exchange->status < 400 && shard->answered++ % (uint64_t)shard->gateway->config->log_request_sample != 0)
        return;
    QUIRE_LOG(shard->gateway->log, level, "request.done", QUIRE_TEXT("request_id", exchange->request_id),
              QUIRE_CTEXT("method", http_method_text(exchange->head.method)),
              QUIRE_CTEXT("route", route == NULL ? "unmatched" : route->path),
              QUIRE_INTEGER("status", exchange->status),
              QUIRE_NUMBER("ms", (double)us_between(exchange->begun_ns, exchange->answered_ns) / 1000),
              QUIRE_INTEGER("parse_us", us_between(exchange->begun_ns, exchange->complete_ns)),
              QUIRE_INTEGER("produce_us", us_between(exchange->complete_ns, exchange->sent_ns)),
              QUIRE_INTEGER("wait_us", us_between(exchange->sent_ns, exchange->replied_ns)),
              QUIRE_INTEGER("reply_us", us_between(exchange->replied_ns, exchange->answered_ns)),
              QUIRE_INTEGER("bytes", exchange->answer_content.size), QUIRE_CTEXT("client", exchange->client));
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
    if (problem_render(&exchange->arena, problem, exchange->request_id, &json))
        answer.content = json;
    exchange_answer(exchange, &answer);
}

void exchange_answer_status(struct exchange *exchange, unsigned status, const char *detail) {
    exchange_answer_problem(exchange, &(struct problem){.status = status, .detail = detail});
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
