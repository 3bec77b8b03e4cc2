/* One client connection: bytes in, requests in order, answers out in the same order.
 *
 * Ring thread only. Created for an accepted descriptor, which it then owns; freed by itself when every operation on it
 * has ended. All functions that change it only mark it (connection_touch); what follows from the changes is done once a
 * turn, in connections_settle. */
#ifndef QUIRE_GATEWAY_CONNECTION_H
#define QUIRE_GATEWAY_CONNECTION_H

#include "gateway/shard.h"

/* The places for connections_max of them. False without memory. */
QUIRE_MUSTCHECK bool connections_init(struct shard *shard, uint32_t connections_max);
/* When the ring is gone: frees what is left. */
void connections_deinit(struct shard *shard);
uint32_t connections_count(const struct shard *shard);

/* Takes over fd. False, with fd closed, when there is no place or no memory. */
bool connection_open(struct shard *shard, int fd);
/* A completion of RING_RECEIVE or RING_SEND. */
void connection_handle(struct shard *shard, const struct ring_event *event);
/* Something has changed: connections_settle will look at it. */
void connection_touch(struct connection *connection);
/* Begins, sends, arms and closes what the turn's changes made due. */
void connections_settle(struct shard *shard);
/* Ends what took too long. */
void connections_expire(struct shard *shard);
/* While the gateway is closing: ends connections that owe nothing. */
void connections_close(struct shard *shard);

#endif
