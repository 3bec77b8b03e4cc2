/* Bytes of a connection to requests, and each request's head to a route or a refusal. Whatever comes, in whatever
 * pieces: no byte is read twice; the same bytes in one piece and in two give the same messages, bodies and verdicts, as
 * a split must never decide what a request is; and a head that is let through has all that the files behind it count
 * on. The first byte says where to split. */
#include "unit/gateway/fake_bus.h"

#include "gateway/exchange.h"
#include "random.h"

#include <assert.h>
#include <stdlib.h>

struct outcome {
    unsigned messages, status;
    uint64_t body_bytes;
    uint32_t verdicts; /* a hash of the refusals and routes */
};

static struct gateway gateway;
static struct shard shard;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    static struct gateway_config config = {.http_hosts = ""};
    char fault[64];
    fuzz_random_install();
    fake_reset();
    gateway.config = &config;
    gateway.contract = &quire_contract;
    gateway.router = router_create(&quire_contract, stderr);
    gateway.bus = &fake_bus;
    shard.gateway = &gateway;
    shard.port = &fake_bus.port;
    shard.inflight = inflight_create(1);
    shard.admission = admission_create(&quire_contract, 0);
    shard.pacer = pacer_create(0);
    if (gateway.router == NULL || shard.inflight == NULL || shard.admission == NULL || shard.pacer == NULL ||
        !client_proxies_parse("192.0.2.0/24", &gateway.proxies, fault))
        abort();
    return 0;
}

static void take_body(void *context, struct quire_slice piece) {
    ((struct outcome *)context)->body_bytes += piece.size;
}

static bool is_one_of(unsigned status, const unsigned *statuses, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (statuses[i] == status)
            return true;
    return false;
}

/* What goes into an answer's head, log lines and Kafka headers as it stands. */
static bool is_visible_ascii(struct quire_slice text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.bytes[i] <= 0x20 || text.bytes[i] > 0x7e)
            return false;
    return true;
}

/* Path segments are the path's, each decoded at most once. */
static void check_target(const struct target *target) {
    size_t slashes = 0, encoded_bytes = 0, decoded_bytes = 0;
    for (size_t i = 0; i < target->path.size; i++) {
        slashes += target->path.bytes[i] == '/';
        encoded_bytes += target->path.bytes[i] == '%' ? 2 : 0;
    }
    for (size_t i = 0; i < target->segments_count; i++)
        decoded_bytes += target->segments[i].size;
    assert(target->path.size > 0);
    assert(target->form == TARGET_ASTERISK || target->segments_count == slashes);
    assert(target->form == TARGET_ASTERISK || decoded_bytes + slashes + encoded_bytes == target->path.size);
}

static void check_let_through(const struct exchange *exchange) {
    const struct route *route = exchange->match.route;
    check_target(&exchange->target);
    assert(route != NULL || exchange->head.method == HTTP_METHOD_OPTIONS);
    assert(exchange->timeout_ms > 0 && exchange->timeout_ms <= FIELDS_TIMEOUT_MS_MAX);
    if (route == NULL || route->kind != ROUTE_CALL)
        return;
    assert(http_method_of(quire_slice_of(route->call->http_method)) == exchange->head.method ||
           exchange->head.method == HTTP_METHOD_HEAD || exchange->head.method == HTTP_METHOD_OPTIONS);
    assert(exchange->head.method == HTTP_METHOD_OPTIONS || route->call->access == QUIRE_PUBLIC ||
           exchange->has_session);
    assert(exchange->target.segments_count == route->call->segments_count);
    assert(exchange->idempotency_key.size <= 255 && is_visible_ascii(exchange->idempotency_key));
    assert(!route->call->has_body || exchange->head.method == HTTP_METHOD_OPTIONS || exchange->head.chunked ||
           exchange->head.has_length);
}

static uint32_t judge(const struct http_head *head, struct exchange *exchange) {
    static const unsigned refusals[] = {0, 400, 401, 404, 405, 406, 411, 413, 415, 417, 421, 422, 501};
    static const struct client_address peer = {
        .bytes = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 1}};
    exchange_read_head(exchange, head, peer);
    assert(is_one_of(exchange->refusal.status, refusals, sizeof(refusals) / sizeof(refusals[0])));
    assert(exchange->request_id.size >= 1 && exchange->request_id.size <= FIELDS_REQUEST_ID_MAX);
    assert(is_visible_ascii(exchange->request_id) && is_visible_ascii(exchange->traceparent));
    assert(exchange->traceparent.size >= FIELDS_TRACEPARENT_CHARACTERS && exchange->client[0] != '\0');
    if (exchange->refusal.status == 0)
        check_let_through(exchange);
    return exchange->refusal.status * 64 + (exchange->match.route == NULL ? 63 : exchange->match.route->index);
}

static struct exchange exchange = {.shard = &shard};

static void begin(struct http_parser *parser) {
    memset(&exchange.head, 0, sizeof exchange - offsetof(struct exchange, head));
    quire_arena_reset(&exchange.arena);
    http_begin(parser, &exchange.arena);
}

static bool feed(struct http_parser *parser, struct quire_slice bytes, struct outcome *outcome) {
    while (bytes.size > 0) {
        enum http_event status;
        const size_t taken = http_feed(parser, bytes, &status);
        assert(taken <= bytes.size);
        bytes = (struct quire_slice){bytes.bytes + taken, bytes.size - taken};
        if (status == HTTP_EVENT_HEAD)
            outcome->verdicts = outcome->verdicts * 31 + judge(&parser->head, &exchange);
        if (status == HTTP_EVENT_BROKEN) {
            outcome->status = parser->fault.status;
            return false;
        }
        if (status == HTTP_EVENT_COMPLETE) {
            outcome->messages++;
            begin(parser);
        }
        assert(status != HTTP_EVENT_MORE || bytes.size == 0);
    }
    return true;
}

static struct outcome read_in(struct quire_slice bytes, size_t split) {
    struct outcome outcome = {0};
    struct http_parser parser;
    if (exchange.arena.bytes_max == 0)
        quire_arena_init(&exchange.arena, 1 << 20);
    fuzz_random_rewind();
    http_init(&parser, &http_bounds_client, take_body, &outcome);
    begin(&parser);
    if (feed(&parser, (struct quire_slice){bytes.bytes, split}, &outcome))
        (void)feed(&parser, (struct quire_slice){bytes.bytes + split, bytes.size - split}, &outcome);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    const struct quire_slice bytes = {data + 1, size - 1};
    const struct outcome whole = read_in(bytes, bytes.size), split = read_in(bytes, data[0] % bytes.size);
    assert(whole.messages == split.messages && whole.status == split.status && whole.verdicts == split.verdicts);
    assert(whole.status != 0 || whole.body_bytes == split.body_bytes);
    return 0;
}
