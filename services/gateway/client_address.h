/* Who called: the peer's address, or what trusted proxies say of it (X-Forwarded-For). Any thread. */
#ifndef QUIRE_GATEWAY_CLIENT_ADDRESS_H
#define QUIRE_GATEWAY_CLIENT_ADDRESS_H

#include "gateway/http.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define CLIENT_ADDRESS_CHARACTERS 45u
#define CLIENT_PROXIES_MAX 64u

/* An address as IPv6; IPv4 as ::ffff:a.b.c.d, so that both are compared in one way. */
struct client_address {
    uint8_t bytes[16];
};

struct client_network {
    struct client_address base;
    unsigned prefix_bits; /* of the 128 */
};

/* The networks whose X-Forwarded-For is believed. */
struct client_proxies {
    struct client_network networks[CLIENT_PROXIES_MAX];
    size_t count;
};

/* Reads "10.0.0.0/8, ::1, fd00::/8"; an address alone is that address. False, with the part that can't be read in
 * ret_fault. */
QUIRE_MUSTCHECK bool client_proxies_parse(const char *text, struct client_proxies *ret_proxies, char ret_fault[64]);
bool client_trusted(const struct client_proxies *proxies, const struct client_address *address);

/* Of a connected socket; all zero when the peer is gone already. */
struct client_address client_peer(int fd);
/* With or without a port or brackets. */
QUIRE_MUSTCHECK bool client_address_parse(struct quire_slice text, struct client_address *ret_address);
/* IPv4 in its own form. NUL-terminated. */
void client_address_text(const struct client_address *address, char ret_text[CLIENT_ADDRESS_CHARACTERS + 1]);

/* Walks X-Forwarded-For from its end as long as the one who added an entry is trusted; the first who isn't is the
 * client. */
struct client_address client_behind(const struct client_proxies *proxies, struct client_address peer,
                                    const struct http_head *head);

#endif
