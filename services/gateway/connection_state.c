#include "gateway/connection_state.h"

#define TO(state) (1u << CONNECTION_##state)

static const struct {
    const char *text;
    unsigned to;
} states[CONNECTION_STATES] = {
    [CONNECTION_IDLE] = {"idle", TO(HEAD) | TO(FULL) | TO(LAST) | TO(CLOSING)},
    [CONNECTION_HEAD] = {"head", TO(BODY) | TO(LAST) | TO(CLOSING)},
    [CONNECTION_BODY] = {"body", TO(IDLE) | TO(LAST) | TO(CLOSING)},
    [CONNECTION_FULL] = {"full", TO(IDLE) | TO(LAST) | TO(CLOSING)},
    [CONNECTION_LAST] = {"last", TO(LINGER) | TO(CLOSING)},
    [CONNECTION_LINGER] = {"linger", TO(CLOSING)},
    [CONNECTION_CLOSING] = {"closing", 0},
};

bool connection_may_move(enum connection_state from, enum connection_state to) {
    return (states[from].to & 1u << to) != 0;
}

const char *connection_state_text(enum connection_state state) {
    return states[state].text;
}
