/* Answers out: in the order of the requests, as many as are ready in one send, one send in flight. */
#include "gateway/connection_internal.h"

#include <assert.h>
#include <errno.h>

static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
#define INTERIM_BYTES (sizeof interim - 1)

static void add_piece(struct connection *connection, const void *bytes, size_t size, size_t *skip) {
    if (*skip >= size) {
        *skip -= size;
        return;
    }
    struct iovec *piece = &connection->pieces[connection->message.msg_iovlen++];
    *piece = (struct iovec){(void *)((uintptr_t)bytes + *skip), size - *skip};
    *skip = 0;
}

/* The answers that are ready, from the oldest up to the first that isn't or that ends the connection. */
static void gather(struct connection *connection) {
    size_t skip = connection->sent_bytes, none = 0;
    connection->message = (struct msghdr){.msg_iov = connection->pieces};
    if (connection->interim_left > 0)
        add_piece(connection, interim + INTERIM_BYTES - connection->interim_left, connection->interim_left, &none);
    for (const struct exchange *exchange = connection->oldest; exchange != NULL && exchange->state == EXCHANGE_ANSWERED;
         exchange = exchange->next) {
        if (connection->message.msg_iovlen + 2 > CONNECTION_PIECES_MAX)
            break;
        add_piece(connection, exchange->answer_head.bytes, exchange->answer_head.size, &skip);
        add_piece(connection, exchange->answer_content.bytes, exchange->answer_content.size, &skip);
        if (exchange->close_after)
            break;
    }
}

/* 100 Continue is due when the request is next in turn and waits to send its body. */
static void add_interim(struct connection *connection) {
    struct exchange *exchange = connection->oldest;
    if (exchange == NULL || exchange != connection->reading || connection->state != CONNECTION_BODY ||
        !exchange->wants_continue)
        return;
    exchange->wants_continue = false;
    connection->interim_left = INTERIM_BYTES;
    timer_arm(&connection->shard->body, &connection->read_timer, connection->shard->now_ns); /* its time begins now */
}

/* An answer without bytes (no memory for it) is over at once. True when the connection ends with what was sent. */
static bool finish_sent(struct connection *connection) {
    while (connection->oldest != NULL && connection->oldest->state == EXCHANGE_ANSWERED) {
        struct exchange *exchange = connection->oldest;
        size_t size = exchange->answer_head.size + exchange->answer_content.size;
        if (connection->sent_bytes < size)
            return false;
        bool last = exchange->close_after;
        connection->sent_bytes -= size;
        connection->oldest = exchange->next;
        if (connection->oldest == NULL)
            connection->youngest = NULL;
        connection->exchanges_count--;
        exchange_give(exchange);
        if (last)
            return true;
    }
    return false;
}

/* The answer that was just sent says that the connection closes: younger requests are not answered (RFC 9112 9.6). */
static void end_after_last(struct connection *connection) {
    while (connection->oldest != NULL) {
        exchange_abandon(connection->youngest);
        connection_forget_youngest(connection);
    }
    connection->reading = NULL;
    if (connection->state != CONNECTION_LAST)
        connection_move(connection, CONNECTION_LAST);
}

void connection_send(struct connection *connection) {
    if (connection->send_in_flight)
        return;
    if (finish_sent(connection))
        end_after_last(connection);
    add_interim(connection);
    gather(connection);
    if (connection->message.msg_iovlen == 0)
        return;
    ring_add_send(connection->shard->ring, connection->fd, connection->key, &connection->message);
    connection->send_in_flight = true;
    timer_arm(&connection->shard->write, &connection->write_timer, connection->shard->now_ns);
}

void connection_handle_sent(struct connection *connection, int result) {
    size_t sent = result > 0 ? (size_t)result : 0;
    connection->send_in_flight = false;
    timer_disarm(&connection->write_timer);
    connection_touch(connection);
    if (connection->state == CONNECTION_CLOSING)
        return;
    if (result < 0 && result != -EINTR && result != -EAGAIN) {
        connection_abort(connection);
        return;
    }
    size_t interim_sent = sent < connection->interim_left ? sent : connection->interim_left;
    connection->interim_left = (uint8_t)(connection->interim_left - interim_sent);
    connection->sent_bytes += sent - interim_sent;
    if (finish_sent(connection))
        end_after_last(connection);
}
