/* uri-host [ ":" port ]: the Host field and the authority of an absolute target (RFC 9112 3.2, RFC 3986 3.2.2
 * and 3.2.3). Pure; any thread. */
#ifndef QUIRE_GATEWAY_HOST_H
#define QUIRE_GATEWAY_HOST_H

#include "base/slice.h"

#include <stdbool.h>

/* A name, an IPv4 address, or an IPv6 address in brackets; then perhaps a colon and a port up to 65535, which may be
 * left out after it. Not an empty host: a http URI has none (RFC 9110 4.2.1). Not IPvFuture, and no zones: nothing is
 * reached by them here. */
bool host_is_valid(struct quire_slice text);

#endif
