/* The life of a connection as a table of allowed moves. connection.c holds the one function that moves. */
#ifndef QUIRE_GATEWAY_CONNECTION_STATE_H
#define QUIRE_GATEWAY_CONNECTION_STATE_H

#include <stdbool.h>

enum connection_state {
    CONNECTION_IDLE,    /* between requests; answers may be owed */
    CONNECTION_HEAD,    /* a request's head is coming */
    CONNECTION_BODY,    /* its body is coming */
    CONNECTION_FULL,    /* as many answers are owed as may be: nothing is read until one has been sent */
    CONNECTION_LAST,    /* no further request is read: answers are owed, what comes in is dropped */
    CONNECTION_LINGER,  /* everything was sent, our side is shut: read until the peer shuts its own, so that no reset
                           overtakes the answer */
    CONNECTION_CLOSING, /* operations are being cancelled; when none is left the connection is freed */
    CONNECTION_STATES
};

bool connection_may_move(enum connection_state from, enum connection_state to);
const char *connection_state_text(enum connection_state state);

#endif
