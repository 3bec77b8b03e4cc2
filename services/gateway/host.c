#include "gateway/host.h"

#include <arpa/inet.h>
#include <ctype.h>

#define PORT_MAX 65535u

/* ctype.h is asked about ASCII only, in the C locale: a service sets no other. */
static bool is_name_character(uint8_t c) {
    return c != '\0' && c < 0x80 && (isalnum(c) || strchr("-._~!$&'()*+,;=", c) != NULL);
}

/* reg-name, as which an IPv4 address passes too; one character at least. */
static bool is_name(struct quire_slice text) {
    for (size_t i = 0; i < text.size; i++) {
        if (is_name_character(text.bytes[i]))
            continue;
        if (text.bytes[i] != '%' || i + 2 >= text.size || !isxdigit(text.bytes[i + 1]) || !isxdigit(text.bytes[i + 2]))
            return false;
        i += 2;
    }
    return text.size > 0;
}

static bool is_ipv6(struct quire_slice text) {
    char plain[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text.size >= sizeof plain)
        return false;
    memcpy(plain, text.bytes, text.size);
    plain[text.size] = '\0';
    return strlen(plain) == text.size && inet_pton(AF_INET6, plain, &address) == 1;
}

static bool is_port(struct quire_slice text) {
    uint32_t port = 0;
    for (size_t i = 0; i < text.size && port <= PORT_MAX; i++) {
        if (!isdigit(text.bytes[i]))
            return false;
        port = port * 10 + (uint32_t)(text.bytes[i] - '0');
    }
    return port <= PORT_MAX;
}

bool host_is_valid(struct quire_slice text) {
    if (text.size == 0)
        return false;
    bool bracketed = text.bytes[0] == '[';
    const uint8_t *end = memchr(text.bytes, bracketed ? ']' : ':', text.size);
    if (bracketed && end == NULL)
        return false;
    size_t host_size = end == NULL ? text.size : (size_t)(end - text.bytes) + (bracketed ? 1 : 0);
    struct quire_slice port = {text.bytes + host_size, text.size - host_size};
    if (bracketed ? !is_ipv6((struct quire_slice){text.bytes + 1, host_size - 2})
                  : !is_name((struct quire_slice){text.bytes, host_size}))
        return false;
    return port.size == 0 || (port.bytes[0] == ':' && is_port((struct quire_slice){port.bytes + 1, port.size - 1}));
}
