/* What a request's head alone settles, in the order in which the rules are looked at: exchange_read_head. */
#include "gateway/exchange.h"

#include "base/clock.h"
#include "base/id.h"
#include "gateway/exchange_answer.h"
#include "gateway/exchange_pace.h"
#include "gateway/pages.h"
#include "gateway/query_string.h"

/* A refused body up to this is read and dropped, so that the connection can go on; a larger one isn't worth it. */
#define REFUSED_BODY_MAX (64u * 1024)
#define PARAMETER_FAULTS_MAX 20u /* that an answer names */

static bool refuse(struct exchange *exchange, unsigned status, const char *detail) {
    exchange->refusal = (struct problem){.status = status, .detail = detail};
    return false;
}

static bool refuse_for(struct exchange *exchange, enum refusal refusal) {
    exchange->refusal = exchange_refusal(exchange, refusal);
    return false;
}

static void settle_ids(struct exchange *exchange) {
    uint8_t uuid[QUIRE_UUID_BYTES];
    exchange->request_id = fields_request_id(&exchange->head);
    if (exchange->request_id.size == 0) {
        quire_uuid7(quire_wall_ms(), uuid);
        quire_uuid_text(uuid, exchange->own_request_id);
        exchange->request_id = (struct quire_slice){(const uint8_t *)exchange->own_request_id, QUIRE_UUID_CHARACTERS};
    }
    exchange->traceparent = fields_traceparent(&exchange->head);
}

static char *put_hex(char *at, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        *at++ = "0123456789abcdef"[bytes[i] >> 4];
        *at++ = "0123456789abcdef"[bytes[i] & 15];
    }
    return at;
}

/* A trace of our own: its id is a UUIDv7, whose second half is random, and the span's is such a half. */
static void make_traceparent(struct exchange *exchange) {
    uint8_t trace[QUIRE_UUID_BYTES], span[QUIRE_UUID_BYTES];
    uint64_t wall_ms = quire_wall_ms();
    quire_uuid7(wall_ms, trace);
    quire_uuid7(wall_ms, span);
    memcpy(exchange->own_traceparent, "00-", 3);
    char *at = put_hex(exchange->own_traceparent + 3, trace, 16);
    *at++ = '-';
    at = put_hex(at, span + 8, 8);
    memcpy(at, "-01", 4);
    exchange->traceparent = quire_slice_of(exchange->own_traceparent);
}

static bool check_target(struct exchange *exchange) {
    const struct gateway *gateway = exchange->shard->gateway;
    const struct http_field *host = http_find(&exchange->head, "Host", NULL);
    switch (target_parse(&exchange->arena, exchange->head.target, &exchange->target)) {
    case TARGET_FINE:
        break;
    case TARGET_MALFORMED:
        return refuse(exchange, 400, "The request target is malformed.");
    case TARGET_FOREIGN:
        return refuse(exchange, 421, "Only http and https are served here.");
    case TARGET_TOO_DEEP:
        return refuse(exchange, 404, NULL);
    case TARGET_NO_MEMORY:
        return refuse(exchange, 503, "Out of memory for requests.");
    }
    struct quire_slice authority = exchange->target.authority.size > 0 ? exchange->target.authority
                                   : host == NULL                      ? quire_slice_of(NULL)
                                                                       : host->value;
    if ((host != NULL || authority.size > 0) && !target_host_listed(authority, gateway->config->http_hosts))
        return refuse(exchange, 421, "This host isn't served here.");
    return true;
}

static bool check_route(struct exchange *exchange) {
    const struct router *router = exchange->shard->gateway->router;
    enum http_method method = exchange->head.method;
    if (method == HTTP_METHOD_UNKNOWN)
        return refuse(exchange, 501, "HTTP has no such method.");
    if (exchange->target.form == TARGET_ASTERISK) {
        exchange->match = (struct route_match){NULL, router_allow_all(router)};
        return method == HTTP_METHOD_OPTIONS || refuse(exchange, 400, "Only OPTIONS can ask for *.");
    }
    exchange->match = router_find(router, method, exchange->target.segments, exchange->target.segments_count);
    if (exchange->match.allow[0] == '\0')
        return refuse(exchange, 404, "There is nothing at this path.");
    if (exchange->match.route == NULL && method != HTTP_METHOD_OPTIONS)
        return refuse(exchange, 405, "The resource doesn't have this method; Allow lists those it has.");
    return true;
}

static bool check_expectations(struct exchange *exchange) {
    const struct route *route = exchange->match.route;
    enum fields_expectation expectation = fields_expect(&exchange->head);
    if (expectation == FIELDS_EXPECT_UNKNOWN)
        return refuse(exchange, 417, "Only 100-continue can be expected.");
    exchange->wants_continue = expectation == FIELDS_EXPECT_CONTINUE;
    uint32_t fallback_ms = route == NULL || route->call == NULL ? FIELDS_TIMEOUT_MS_MAX : route->call->deadline_ms;
    if (!fields_timeout(&exchange->head, fallback_ms, &exchange->timeout_ms))
        return refuse(exchange, 400, "Request-Timeout must be a decimal number of seconds above 0.");
    return true;
}

static bool check_body(struct exchange *exchange, const struct quire_call *call) {
    const struct http_head *head = &exchange->head;
    if (head->has_length && head->content_length > HTTP_BODY_MAX)
        return refuse(exchange, 413, "The body is larger than 16 MiB.");
    if (call == NULL || !call->has_body)
        return true;
    if (!head->has_length && !head->chunked)
        return refuse(exchange, 411, "The request needs a body and a Content-Length or chunked coding.");
    if (!fields_plain(head))
        return refuse(exchange, 415, "The body must have no Content-Encoding.");
    if (!fields_json(head))
        return refuse(exchange, 415, "The body must be application/json in UTF-8.");
    return true;
}

static bool check_call(struct exchange *exchange, const struct quire_call *call) {
    const struct shard *shard = exchange->shard;
    exchange->has_session = fields_session(&exchange->head, exchange->session);
    if (call->access == QUIRE_SESSION && !exchange->has_session)
        return refuse(exchange, 401, "A valid token is needed: Authorization: Bearer.");
    if (call->status != 204 && !fields_accept(&exchange->head, "application", "json"))
        return refuse(exchange, 406, "Answers are application/json.");
    if (!check_body(exchange, call))
        return false;
    if (call->idempotency_key && !fields_idempotency_key(&exchange->head, &exchange->idempotency_key))
        return refuse(exchange, 400, "Idempotency-Key must be one value of 1 to 255 visible ASCII characters.");
    /* These now, not after the body has come: a refusal costs its head and no more. */
    if (!bus_port_ready(shard->port))
        return refuse_for(exchange, REFUSAL_KAFKA);
    if (inflight_full(shard->inflight))
        return refuse_for(exchange, REFUSAL_INFLIGHT);
    if (!exchange_has_room(exchange, exchange->head.content_length))
        return refuse_for(exchange, REFUSAL_LANE);
    if (exchange_is_paced(exchange, &exchange->refusal))
        return false;
    exchange->keeps_body = call->has_body;
    return true;
}

/* The gateway's own pages take no query parameters; calls look at theirs when they are transcoded. */
static bool check_no_parameters(struct exchange *exchange) {
    struct query_string query = {.text = exchange->target.query};
    struct problem_fault *faults = NULL;
    struct quire_slice name, value;
    size_t count = 0;
    enum query_result result;
    while ((result = query_string_next(&query, &exchange->arena, &name, &value)) == QUERY_PARAMETER &&
           count < PARAMETER_FAULTS_MAX) {
        if (faults == NULL)
            faults = quire_arena_alloc(&exchange->arena, PARAMETER_FAULTS_MAX * sizeof *faults);
        if (faults == NULL)
            return refuse(exchange, 503, "Out of memory for requests.");
        faults[count++] = (struct problem_fault){(const char *)name.bytes, "is an unknown parameter"};
    }
    if (result == QUERY_MALFORMED)
        return refuse(exchange, 400,
                      quire_arena_printf(&exchange->arena, "The query string is malformed at byte %zu", query.at));
    if (result == QUERY_NO_MEMORY)
        return refuse(exchange, 503, "Out of memory for requests.");
    if (count == 0)
        return true;
    exchange->refusal = (struct problem){.status = 422, .slug = "invalid", .faults = faults, .faults_count = count};
    return false;
}

static bool check_own(struct exchange *exchange) {
    const struct route *route = exchange->match.route;
    struct page page = {.type = "application", .subtype = "json"};
    bool is_page = route != NULL && page_find(route->kind, &page);
    if (route != NULL && !fields_accept(&exchange->head, page.type, page.subtype))
        return refuse(exchange, 406,
                      is_page ? "This page has one media type, which Accept refuses."
                              : "Answers are application/json.");
    return check_body(exchange, NULL) && (route == NULL || check_no_parameters(exchange));
}

static void settle_client(struct exchange *exchange, struct client_address peer) {
    struct client_address client = client_behind(&exchange->shard->gateway->proxies, peer, &exchange->head);
    client_address_text(&client, exchange->client);
    exchange->share = budget_share(&exchange->shard->gateway->budget, &client);
}

/* True when all rules hold. */
static bool check(struct exchange *exchange) {
    if (!check_target(exchange) || !check_route(exchange) || !check_expectations(exchange))
        return false;
    const struct route *route = exchange->match.route;
    return route != NULL && route->kind == ROUTE_CALL ? check_call(exchange, route->call) : check_own(exchange);
}

void exchange_read_head(struct exchange *exchange, const struct http_head *head, struct client_address peer) {
    exchange->head = *head;
    exchange->match = (struct route_match){NULL, ""};
    exchange->close_after = !head->keep_alive;
    settle_ids(exchange);
    settle_client(exchange, peer);
    if (!check(exchange))
        exchange->wants_continue = false;
    if (exchange->traceparent.size == 0)
        make_traceparent(exchange);
}

bool exchange_refuses_early(const struct exchange *exchange) {
    const struct http_head *head = &exchange->head;
    if (exchange->refusal.status == 0)
        return false;
    bool body_comes = head->chunked || head->content_length > 0;
    return body_comes &&
           (head->content_length > REFUSED_BODY_MAX || head->chunked || fields_expect(head) != FIELDS_EXPECT_NOTHING);
}

void exchange_break(struct exchange *exchange, const struct http_head *head, struct client_address peer,
                    unsigned status, const char *detail) {
    bool head_known = exchange->request_id.size > 0;
    if (!head_known) {
        exchange->head = *head;
        exchange->match = (struct route_match){NULL, ""};
        settle_ids(exchange);
        settle_client(exchange, peer);
    }
    exchange->refusal = (struct problem){.status = status, .detail = detail};
    exchange_refuse(exchange);
}
