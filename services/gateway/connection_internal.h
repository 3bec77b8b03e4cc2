/* What connection.c (its life), connection_read.c (bytes in) and connection_write.c (answers out) share; for them and
 * their test only. */
#ifndef QUIRE_GATEWAY_CONNECTION_INTERNAL_H
#define QUIRE_GATEWAY_CONNECTION_INTERNAL_H

#include "gateway/connection.h"
#include "gateway/connection_state.h"
#include "gateway/exchange.h"

#include <sys/uio.h>

#define CONNECTION_PIECES_MAX 16u /* of one send: pipelined answers leave together */

/* oldest..youngest: the exchanges that are owed an answer, exchanges_count of them; `reading` is the youngest while its
 * message is coming. The send in flight points into the oldest ones, so they are given back only after it. sent_bytes
 * counts what the oldest has had sent. stash holds what came in while FULL. */
struct connection {
    struct shard *shard;
    struct connection *next_touched;
    int fd;
    struct ring_key key;
    enum connection_state state;
    bool touched, receive_armed, receive_cancelled, send_in_flight, send_cancelled, input_ended;
    uint8_t interim_left; /* bytes of "100 Continue" still to be sent before anything of the oldest */
    uint32_t exchanges_count;
    uint64_t opened_ns;
    bool has_asked; /* a request has begun */
    struct exchange *oldest, *youngest, *reading;
    size_t sent_bytes, dropped_bytes;
    uint64_t body_since_ns; /* body_bytes have come since, at most the longest time that they may take ago */
    size_t body_bytes;
    uint8_t *stash;
    size_t stash_bytes;
    struct timer read_timer, write_timer;
    struct client_address peer;
    struct http_parser parser;
    struct msghdr message;
    struct iovec pieces[CONNECTION_PIECES_MAX];
};

/* The only place where the state changes; arms the timer that belongs to it. */
void connection_move(struct connection *connection, enum connection_state to);
/* Nothing more is read or sent: cancels what is armed, and frees once it has ended. */
void connection_abort(struct connection *connection);
void connection_forget_youngest(struct connection *connection);

/* connection_read.c */
/* Once it is known who the peer is: a trusted proxy may send more. */
void connection_init_parser(struct connection *connection);
void connection_read(struct connection *connection, struct quire_slice bytes);
void connection_end_input(struct connection *connection);
/* Reads on with what was stashed. */
void connection_resume(struct connection *connection);
/* The request being read took too long. */
void connection_time_out(struct connection *connection, const char *detail);

/* connection_write.c */
/* Submits a send when something can be sent and none is in flight. */
void connection_send(struct connection *connection);
/* `result` of a send. */
void connection_handle_sent(struct connection *connection, int result);

#endif
