/* Bytes in: they are given to the parser, and what it finds becomes exchanges. */
#include "gateway/connection_internal.h"

#include <assert.h>
#include <stdlib.h>

/* What a connection that is being closed may still send us before it is cut off: an upload that was refused early, with
 * room for its framing. */
#define DROPPED_BYTES_MAX (32u * 1024 * 1024)
#define NS_PER_MS 1000000u

static void read_body(void *context, struct quire_slice piece) {
    struct connection *connection = context;
    connection->reading->wants_continue = false; /* it didn't wait: RFC 9110 10.1.1 */
    exchange_read_body(connection->reading, piece);
}

void connection_init_parser(struct connection *connection) {
    bool proxied = client_trusted(&connection->shard->gateway->proxies, &connection->peer);
    http_init(&connection->parser, proxied ? &http_bounds_proxied : &http_bounds_client, read_body, connection);
}

/* Room in the queue; the parser's next message. False without memory. */
static bool begin_exchange(struct connection *connection) {
    struct exchange *exchange = exchange_take(connection->shard, connection);
    if (exchange == NULL)
        return false;
    if (connection->youngest == NULL)
        connection->oldest = exchange;
    else
        connection->youngest->next = exchange;
    connection->youngest = connection->reading = exchange;
    connection->exchanges_count++;
    connection->has_asked = true;
    http_begin(&connection->parser, &exchange->arena);
    connection_move(connection, CONNECTION_HEAD);
    return true;
}

static void stash(struct connection *connection, struct quire_slice bytes) {
    uint8_t *grown = realloc(connection->stash, connection->stash_bytes + bytes.size);
    if (grown == NULL) {
        connection_abort(connection);
        return;
    }
    memcpy(grown + connection->stash_bytes, bytes.bytes, bytes.size);
    connection->stash = grown;
    connection->stash_bytes += bytes.size;
}

/* No further request: what was being read is answered by now. */
static void read_no_more(struct connection *connection) {
    connection->reading = NULL;
    connection_move(connection, CONNECTION_LAST);
    connection_touch(connection);
}

static void handle_head(struct connection *connection) {
    exchange_read_head(connection->reading, &connection->parser.head, connection->peer);
    connection_touch(connection); /* 100 Continue may be due */
    if (exchange_refuses_early(connection->reading)) {
        exchange_refuse(connection->reading);
        read_no_more(connection);
    } else {
        connection_move(connection, CONNECTION_BODY);
        connection->body_since_ns = connection->shard->now_ns;
        connection->body_bytes = 0;
    }
}

static void handle_complete(struct connection *connection) {
    struct exchange *exchange = connection->reading;
    exchange_end_body(exchange);
    if (exchange->close_after) {
        read_no_more(connection);
        return;
    }
    connection->reading = NULL;
    connection_move(connection, CONNECTION_IDLE);
    connection_touch(connection);
}

static void handle_broken(struct connection *connection) {
    const struct http_fault *fault = &connection->parser.fault;
    exchange_break(connection->reading, &connection->parser.head, connection->peer, fault->status, fault->detail);
    read_no_more(connection);
}

/* Between requests: an empty line is nothing yet, and with all places taken reading stops. Returns what it took. */
static size_t read_idle(struct connection *connection, struct quire_slice bytes) {
    if (connection->exchanges_count >= (uint32_t)connection->shard->gateway->config->pipeline_max) {
        connection_move(connection, CONNECTION_FULL);
        return 0;
    }
    if (bytes.size >= 2 && bytes.bytes[0] == '\r' && bytes.bytes[1] == '\n')
        return 2;
    if (!begin_exchange(connection))
        connection_abort(connection);
    return 0;
}

static size_t read_message(struct connection *connection, struct quire_slice bytes) {
    enum http_event event;
    size_t taken = http_feed(&connection->parser, bytes, &event);
    switch (event) {
    case HTTP_EVENT_MORE:
        break;
    case HTTP_EVENT_HEAD:
        handle_head(connection);
        break;
    case HTTP_EVENT_COMPLETE:
        handle_complete(connection);
        break;
    case HTTP_EVENT_BROKEN:
        handle_broken(connection);
        break;
    }
    return taken;
}

static void drop(struct connection *connection, size_t bytes) {
    connection->dropped_bytes += bytes;
    if (connection->dropped_bytes > DROPPED_BYTES_MAX)
        connection_abort(connection);
}

/* A byte now and then isn't a stall, but would keep what the body takes for as long as its sender likes. */
static bool drips(struct connection *connection) {
    const struct gateway_config *config = connection->shard->gateway->config;
    uint64_t now_ns = connection->shard->now_ns;
    if (now_ns - connection->body_since_ns < (uint64_t)config->body_slow_ms * NS_PER_MS)
        return false;
    if (connection->body_bytes < (size_t)config->body_slow_bytes)
        return true;
    connection->body_since_ns = now_ns;
    connection->body_bytes = 0;
    return false;
}

/* What was at hand has been read, and the body hasn't ended. */
static void await_body(struct connection *connection) {
    struct shard *shard = connection->shard;
    if (drips(connection)) {
        traffic_count_timeout(shard->traffic, "body");
        connection_time_out(connection, "The request's body came too slowly.");
    } else {
        timer_arm(&shard->body, &connection->read_timer, shard->now_ns); /* it didn't stall */
    }
}

void connection_read(struct connection *connection, struct quire_slice bytes) {
    if (connection->state == CONNECTION_BODY)
        connection->body_bytes += bytes.size;
    /* A head without a body is complete without a further byte, so the parser is asked once more. */
    while (bytes.size > 0 || connection->state == CONNECTION_BODY) {
        size_t taken = 0;
        switch (connection->state) {
        case CONNECTION_IDLE:
            taken = read_idle(connection, bytes);
            break;
        case CONNECTION_HEAD:
        case CONNECTION_BODY:
            taken = read_message(connection, bytes);
            if (taken == 0 && bytes.size == 0 && connection->state == CONNECTION_BODY) {
                await_body(connection);
                return;
            }
            break;
        case CONNECTION_FULL:
            stash(connection, bytes);
            connection_touch(connection);
            return;
        case CONNECTION_LAST:
        case CONNECTION_LINGER:
            drop(connection, bytes.size);
            return;
        case CONNECTION_CLOSING:
        case CONNECTION_STATES:
            return;
        }
        bytes = (struct quire_slice){bytes.bytes + taken, bytes.size - taken};
    }
}

void connection_end_input(struct connection *connection) {
    connection->input_ended = true;
    connection_touch(connection);
    switch (connection->state) {
    case CONNECTION_HEAD:
    case CONNECTION_BODY:
        connection_forget_youngest(connection); /* half a request; the answers before it are still owed */
        read_no_more(connection);
        break;
    case CONNECTION_IDLE:
        read_no_more(connection);
        break;
    case CONNECTION_LINGER:
        connection_abort(connection);
        break;
    default: /* FULL: once the stash is read; LAST: once the answers are sent */
        break;
    }
}

void connection_resume(struct connection *connection) {
    uint8_t *bytes = connection->stash;
    size_t size = connection->stash_bytes;
    assert(connection->state == CONNECTION_FULL);
    connection->stash = NULL;
    connection->stash_bytes = 0;
    connection_move(connection, CONNECTION_IDLE);
    connection_read(connection, (struct quire_slice){bytes, size});
    free(bytes);
    if (connection->input_ended && connection->state != CONNECTION_FULL && connection->state != CONNECTION_CLOSING)
        connection_end_input(connection);
}

void connection_time_out(struct connection *connection, const char *detail) {
    assert(connection->state == CONNECTION_HEAD || connection->state == CONNECTION_BODY);
    exchange_break(connection->reading, &connection->parser.head, connection->peer, 408, detail);
    read_no_more(connection);
}
