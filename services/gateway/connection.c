/* A connection's life: its place, its states, its timers, its end. */
#include "gateway/connection_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLOSING_GRACE_NS 1000000000u

#define CONNECTION_OF(member_, pointer)                                                                                \
    ((struct connection *)((uint8_t *)(pointer) - offsetof(struct connection, member_)))

bool connections_init(struct shard *shard, uint32_t connections_max) {
    struct shard_slots *slots = &shard->slots;
    slots->tenants = calloc(connections_max, sizeof *slots->tenants);
    slots->generations = calloc(connections_max, sizeof *slots->generations);
    slots->free = calloc(connections_max, sizeof *slots->free);
    if (slots->tenants == NULL || slots->generations == NULL || slots->free == NULL)
        return false; /* connections_deinit frees the rest */
    slots->slots_max = connections_max;
    for (uint32_t i = 0; i < connections_max; i++)
        slots->free[i] = connections_max - 1 - i; /* low slots first */
    slots->free_count = connections_max;
    return true;
}

uint32_t connections_count(const struct shard *shard) {
    return shard->slots.slots_max - shard->slots.free_count;
}

/* Gives everything back but the descriptor. Nothing is in flight. */
static void release(struct connection *connection) {
    struct shard *shard = connection->shard;
    timer_disarm(&connection->read_timer);
    timer_disarm(&connection->write_timer);
    while (connection->oldest != NULL) {
        exchange_abandon(connection->youngest);
        connection_forget_youngest(connection);
    }
    shard->slots.tenants[connection->key.slot] = NULL;
    shard->slots.free[shard->slots.free_count++] = connection->key.slot;
    traffic_count_connection(shard->traffic, -1);
    free(connection->stash);
    free(connection);
}

void connections_deinit(struct shard *shard) {
    struct shard_slots *slots = &shard->slots;
    for (uint32_t i = 0; i < slots->slots_max; i++) {
        struct connection *connection = slots->tenants[i];
        if (connection == NULL)
            continue;
        (void)close(connection->fd); /* the process ends */
        release(connection);
    }
    free(slots->tenants);
    free(slots->generations);
    free(slots->free);
    *slots = (struct shard_slots){.tenants = NULL};
}

bool connection_open(struct shard *shard, int fd) {
    struct shard_slots *slots = &shard->slots;
    struct connection *connection = slots->free_count == 0 ? NULL : calloc(1, sizeof *connection);
    if (connection == NULL) {
        (void)close(fd); /* refused; there is nothing to lose */
        return false;
    }
    uint32_t slot = slots->free[--slots->free_count];
    slots->tenants[slot] = connection;
    connection->shard = shard;
    connection->fd = fd;
    connection->key = (struct ring_key){slot, ++slots->generations[slot]};
    connection->peer = client_peer(fd);
    connection->opened_ns = shard->now_ns;
    connection_init_parser(connection);
    traffic_count_connection(shard->traffic, 1);
    connection_touch(connection);
    return true;
}

void connection_touch(struct connection *connection) {
    if (connection->touched)
        return;
    connection->touched = true;
    connection->next_touched = connection->shard->touched;
    connection->shard->touched = connection;
}

static void check_invariants(const struct connection *connection) {
    assert((connection->oldest == NULL) == (connection->youngest == NULL));
    assert((connection->oldest == NULL) == (connection->exchanges_count == 0));
    assert(connection->reading == NULL || connection->reading == connection->youngest);
    assert(connection->state != CONNECTION_LINGER || connection->oldest == NULL);
    assert(connection->state == CONNECTION_FULL || connection->stash == NULL);
}

void connection_move(struct connection *connection, enum connection_state to) {
    struct shard *shard = connection->shard;
    assert(connection_may_move(connection->state, to));
    connection->state = to;
    timer_disarm(&connection->read_timer);
    if (to == CONNECTION_LAST || to == CONNECTION_CLOSING) {
        free(connection->stash); /* requests that nobody will read */
        connection->stash = NULL;
        connection->stash_bytes = 0;
    }
    if (to == CONNECTION_HEAD)
        timer_arm(&shard->head, &connection->read_timer, shard->now_ns);
    else if (to == CONNECTION_BODY)
        timer_arm(&shard->body, &connection->read_timer, shard->now_ns);
    else if (to == CONNECTION_LINGER)
        timer_arm(&shard->linger, &connection->read_timer, shard->now_ns);
    check_invariants(connection);
}

void connection_forget_youngest(struct connection *connection) {
    struct exchange *youngest = connection->youngest, *before = NULL;
    for (struct exchange *exchange = connection->oldest; exchange != youngest; exchange = exchange->next)
        before = exchange;
    connection->youngest = before;
    if (before == NULL)
        connection->oldest = NULL;
    else
        before->next = NULL;
    if (connection->reading == youngest)
        connection->reading = NULL;
    connection->exchanges_count--;
    exchange_give(youngest);
}

void connection_abort(struct connection *connection) {
    if (connection->state == CONNECTION_CLOSING)
        return;
    for (struct exchange *exchange = connection->oldest; exchange != NULL; exchange = exchange->next)
        exchange_abandon(exchange);
    connection->reading = NULL;
    connection_move(connection, CONNECTION_CLOSING);
    timer_disarm(&connection->write_timer);
    connection_touch(connection);
}

static void cancel_operations(struct connection *connection) {
    if (connection->receive_armed && !connection->receive_cancelled) {
        connection->receive_cancelled = true;
        ring_add_cancel(connection->shard->ring, RING_RECEIVE, connection->key);
    }
    if (connection->state == CONNECTION_CLOSING && connection->send_in_flight && !connection->send_cancelled) {
        connection->send_cancelled = true;
        ring_add_cancel(connection->shard->ring, RING_SEND, connection->key);
    }
}

static void arm_receive(struct connection *connection) {
    if (connection->receive_armed || connection->input_ended)
        return;
    ring_add_receive(connection->shard->ring, connection->fd, connection->key);
    connection->receive_armed = true;
    connection->receive_cancelled = false;
}

/* Safe requests run side by side; one that changes something runs alone, so that pipelining keeps its order (RFC
 * 9112 9.3.2). */
static void start_queued(struct connection *connection) {
    bool open = false, unsafe_open = false;
    for (struct exchange *exchange = connection->oldest; exchange != NULL; exchange = exchange->next) {
        bool safe = exchange_is_safe(exchange);
        if (exchange->state == EXCHANGE_READING)
            return;
        if (exchange->state == EXCHANGE_QUEUED) {
            if (safe ? unsafe_open : open)
                return;
            exchange_start(exchange);
        }
        if (exchange->state == EXCHANGE_ANSWERED)
            continue;
        open = true;
        unsafe_open = unsafe_open || !safe;
    }
}

/* LAST and nothing owed: our side is shut, and the peer's end awaited, unless it came already. */
static void end_politely(struct connection *connection) {
    if (connection->input_ended || shutdown(connection->fd, SHUT_WR) != 0)
        connection_abort(connection);
    else
        connection_move(connection, CONNECTION_LINGER);
}

static void settle(struct connection *connection) {
    struct shard *shard = connection->shard;
    if (connection->state != CONNECTION_CLOSING) {
        start_queued(connection);
        connection_send(connection);
    }
    if (connection->state == CONNECTION_FULL &&
        connection->exchanges_count < (uint32_t)shard->gateway->config->pipeline_max)
        connection_resume(connection);
    if (connection->state == CONNECTION_IDLE) {
        if (connection->youngest != NULL && connection->youngest->state == EXCHANGE_ANSWERED &&
            connection->youngest->close_after)
            connection_move(connection, CONNECTION_LAST);
        else if (connection->oldest == NULL && connection->read_timer.next == NULL)
            timer_arm(&shard->idle, &connection->read_timer, shard->now_ns);
    }
    if (connection->state == CONNECTION_LAST && connection->oldest == NULL && !connection->send_in_flight)
        end_politely(connection);
    check_invariants(connection);
    if (connection->state == CONNECTION_FULL || connection->state == CONNECTION_CLOSING)
        cancel_operations(connection);
    else
        arm_receive(connection);
    if (connection->state == CONNECTION_CLOSING && !connection->receive_armed && !connection->send_in_flight &&
        !connection->touched) {
        ring_add_close(shard->ring, connection->fd);
        release(connection);
    }
}

void connections_settle(struct shard *shard) {
    while (shard->touched != NULL) {
        struct connection *connection = shard->touched;
        shard->touched = connection->next_touched;
        connection->touched = false;
        settle(connection);
    }
}

static void handle_received(struct connection *connection, const struct ring_event *event) {
    connection->receive_armed = event->more;
    if (!event->more)
        connection_touch(connection); /* to be armed again, or freed */
    if (connection->state == CONNECTION_CLOSING)
        return;
    if (event->result > 0)
        connection_read(connection, event->bytes);
    else if (event->result == 0)
        connection_end_input(connection);
    else if (event->result != -ENOBUFS && event->result != -ECANCELED && event->result != -EINTR &&
             event->result != -EAGAIN)
        connection_abort(connection); /* reset by the peer, as a rule */
}

void connection_handle(struct shard *shard, const struct ring_event *event) {
    struct connection *connection =
        event->key.slot < shard->slots.slots_max ? shard->slots.tenants[event->key.slot] : NULL;
    if (connection == NULL || connection->key.generation != event->key.generation)
        return; /* can't be: a connection outlives its operations; not worth a crash */
    if (event->op == RING_SEND)
        connection_handle_sent(connection, event->result);
    else
        handle_received(connection, event);
}

void connections_expire(struct shard *shard) {
    struct timer *timer;
    while ((timer = timers_due(&shard->idle, shard->now_ns)) != NULL) {
        traffic_count_timeout(shard->traffic, "idle");
        connection_abort(CONNECTION_OF(read_timer, timer));
    }
    while ((timer = timers_due(&shard->head, shard->now_ns)) != NULL) {
        traffic_count_timeout(shard->traffic, "head");
        connection_time_out(CONNECTION_OF(read_timer, timer), "The request's head didn't come in time.");
    }
    while ((timer = timers_due(&shard->body, shard->now_ns)) != NULL) {
        traffic_count_timeout(shard->traffic, "body");
        connection_time_out(CONNECTION_OF(read_timer, timer), "The request's body stalled.");
    }
    while ((timer = timers_due(&shard->linger, shard->now_ns)) != NULL) {
        traffic_count_timeout(shard->traffic, "linger");
        connection_abort(CONNECTION_OF(read_timer, timer));
    }
    while ((timer = timers_due(&shard->write, shard->now_ns)) != NULL) {
        traffic_count_timeout(shard->traffic, "write");
        connection_abort(CONNECTION_OF(write_timer, timer));
    }
}

/* Who has connected just now is about to ask, and will be told to close by the answer. */
static bool may_close(const struct connection *connection) {
    return connection->state == CONNECTION_IDLE && connection->oldest == NULL &&
           (connection->has_asked || connection->shard->now_ns - connection->opened_ns > CLOSING_GRACE_NS);
}

void connections_close(struct shard *shard) {
    for (uint32_t i = 0; i < shard->slots.slots_max; i++) {
        struct connection *connection = shard->slots.tenants[i];
        if (connection != NULL && may_close(connection))
            connection_abort(connection);
    }
}
