/* The bytes of bodies that a process holds at once, every copy counted: requests being read, values on their way,
 * answers being sent. Shared by all rings; any thread. */
#ifndef QUIRE_GATEWAY_BUDGET_H
#define QUIRE_GATEWAY_BUDGET_H

#include "base/slice.h"

#include <stdatomic.h>

struct budget {
    atomic_size_t used_bytes; /* at most bytes_max */
    size_t bytes_max;
};

void budget_init(struct budget *budget, size_t bytes_max);
/* False when it would pass the bound: answer 503; nothing is taken. */
QUIRE_MUSTCHECK bool budget_take(struct budget *budget, size_t bytes);
void budget_give(struct budget *budget, size_t bytes);

/* A request's body as it arrives: its memory grows with what has come, never on a Content-Length's word, and is
 * counted. */
struct body {
    uint8_t *bytes; /* room_bytes of them, then BODY_PADDING */
    size_t size, room_bytes;
};

#define BODY_PADDING 4u /* readable and writable behind a body: yyjson parses in place */

/* Room for at most bytes_max in all. False: the budget or the memory is used up; the body is as before. */
QUIRE_MUSTCHECK bool body_append(struct body *body, struct budget *budget, struct quire_slice piece, size_t bytes_max);
/* Frees the memory and gives it back to the budget. */
void body_clear(struct body *body, struct budget *budget);

#endif
