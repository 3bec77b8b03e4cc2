/* The ring threads: each serves its listener until the gateway's phase says otherwise. */
#ifndef QUIRE_GATEWAY_SERVER_H
#define QUIRE_GATEWAY_SERVER_H

#include "gateway/gateway.h"

struct server;

/* Opens the listeners and starts gateway->rings_count threads. NULL after logging why; nothing is left running then. */
QUIRE_MUSTCHECK struct server *server_start(struct gateway *gateway);
/* The port that is served: what was asked for, or what the system chose for 0. */
uint16_t server_port(const struct server *server);
/* True while a ring thread runs: after GATEWAY_CLOSING they end one by one. */
bool server_running(const struct server *server);
/* Returns when every thread has ended; the phase must be at least GATEWAY_CLOSING. Takes NULL. */
void server_join(struct server *server);

#endif
