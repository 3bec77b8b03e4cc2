/* The listening sockets: one a ring, all on the same address by SO_REUSEPORT, so that the kernel spreads connections
 * and no ring shares an accept queue. */
#ifndef QUIRE_GATEWAY_LISTENER_H
#define QUIRE_GATEWAY_LISTENER_H

#include "base/slice.h"

/* Bound, not yet listening: connections are refused until listener_begin. `address` is numeric, IPv4 or IPv6 ("::"
 * takes both). The descriptor, or a negative errno; -EINVAL: no address. */
QUIRE_MUSTCHECK int listener_open(const char *address, uint16_t port);
/* 0 or a negative errno. */
QUIRE_MUSTCHECK int listener_begin(int fd, int backlog);
/* The port that it has (the system's choice when 0 was asked for); 0 when it can't be told. */
uint16_t listener_port(int fd);

#endif
