/* The bytes of bodies that a process holds at once, every copy counted: requests being read, values on their way,
 * answers being sent. No address has more than its share of them: else who sends or reads slowly, over a few dozen
 * connections, would have them all. Shared by all rings; any thread. */
#ifndef QUIRE_GATEWAY_BUDGET_H
#define QUIRE_GATEWAY_BUDGET_H

#include "gateway/client_address.h"

#include <stdatomic.h>

#define BUDGET_SHARES 4096u
#define BUDGET_KEY_BYTES 16u

/* Invariants: used_bytes <= bytes_max, and is the sum of `shares`; each of these <= share_bytes_max */
struct budget {
    atomic_size_t used_bytes;
    size_t bytes_max, share_bytes_max;
    uint8_t key[BUDGET_KEY_BYTES];
    atomic_size_t shares[BUDGET_SHARES];
};

void budget_init(struct budget *budget, size_t bytes_max, size_t share_bytes_max);
/* Whose share it is: an IPv4 address's, or that of an IPv6 network of 64 bits. Addresses fall into the shares by a
 * keyed hash, several into one, and nobody can choose with whom. */
uint32_t budget_share(const struct budget *budget, const struct client_address *address);
/* False when it would pass a bound: answer 503; nothing is taken. */
QUIRE_MUSTCHECK bool budget_take(struct budget *budget, uint32_t share, size_t bytes);
void budget_give(struct budget *budget, uint32_t share, size_t bytes);

/* A request's body as it arrives: its memory grows with what has come, never on a Content-Length's word, and is
 * counted. */
struct body {
    uint8_t *bytes; /* room_bytes of them, then BODY_PADDING */
    size_t size, room_bytes;
};

#define BODY_PADDING 4u /* readable and writable behind a body: yyjson parses in place */

/* Room for at most bytes_max in all. False: the budget, the share or the memory is used up; the body is as before. */
QUIRE_MUSTCHECK bool body_append(struct body *body, struct budget *budget, uint32_t share, struct quire_slice piece,
                                 size_t bytes_max);
/* Frees the memory and gives it back to the budget. */
void body_clear(struct body *body, struct budget *budget, uint32_t share);

#endif
