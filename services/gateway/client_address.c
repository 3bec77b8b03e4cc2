#include "gateway/client_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t four_in_six[12] = {[10] = 0xff, [11] = 0xff};

static bool is_four(const struct client_address *address) {
    return memcmp(address->bytes, four_in_six, sizeof four_in_six) == 0;
}

static bool parse_plain(const char *text, struct client_address *ret_address) {
    struct client_address address;
    memcpy(address.bytes, four_in_six, sizeof four_in_six);
    if (inet_pton(AF_INET, text, address.bytes + sizeof four_in_six) != 1 &&
        inet_pton(AF_INET6, text, address.bytes) != 1)
        return false;
    *ret_address = address;
    return true;
}

bool client_address_parse(struct quire_slice text, struct client_address *ret_address) {
    char plain[64];
    size_t begin = 0, end = text.size;
    if (text.size == 0 || text.size >= sizeof plain)
        return false;
    if (text.bytes[0] == '[') {
        const uint8_t *close = memchr(text.bytes, ']', text.size);
        if (close == NULL)
            return false;
        begin = 1;
        end = (size_t)(close - text.bytes);
    } else {
        const uint8_t *colon = memchr(text.bytes, ':', text.size);
        bool one_colon = colon != NULL && memchr(colon + 1, ':', text.size - (size_t)(colon + 1 - text.bytes)) == NULL;
        if (one_colon) /* more of them: IPv6 without brackets */
            end = (size_t)(colon - text.bytes);
    }
    memcpy(plain, text.bytes + begin, end - begin);
    plain[end - begin] = '\0';
    return strlen(plain) == end - begin && parse_plain(plain, ret_address);
}

void client_address_text(const struct client_address *address, char ret_text[CLIENT_ADDRESS_CHARACTERS + 1]) {
    const char *written =
        is_four(address)
            ? inet_ntop(AF_INET, address->bytes + sizeof four_in_six, ret_text, CLIENT_ADDRESS_CHARACTERS + 1)
            : inet_ntop(AF_INET6, address->bytes, ret_text, CLIENT_ADDRESS_CHARACTERS + 1);
    if (written == NULL)
        ret_text[0] = '\0';
}

static bool parse_network(char *text, struct client_network *ret_network) {
    char *slash = strchr(text, '/'), *end = NULL;
    struct client_network network = {.prefix_bits = 128};
    if (slash != NULL)
        *slash = '\0';
    if (!parse_plain(text, &network.base))
        return false;
    if (slash != NULL) {
        unsigned long most = strchr(text, ':') == NULL ? 32 : 128, bits = strtoul(slash + 1, &end, 10);
        if (end == slash + 1 || *end != '\0' || bits > most)
            return false;
        network.prefix_bits = (unsigned)(bits + 128 - most);
    }
    *ret_network = network;
    return true;
}

bool client_proxies_parse(const char *text, struct client_proxies *ret_proxies, char ret_fault[64]) {
    struct client_proxies proxies = {.count = 0};
    while (*text != '\0') {
        char part[64];
        text += strspn(text, ", \t");
        size_t size = strcspn(text, ", \t");
        if (size == 0)
            break;
        (void)snprintf(part, sizeof part, "%.*s", (int)(size < sizeof part ? size : sizeof part - 1), text);
        memcpy(ret_fault, part, sizeof part);
        if (size >= sizeof part || proxies.count == CLIENT_PROXIES_MAX ||
            !parse_network(part, &proxies.networks[proxies.count]))
            return false;
        proxies.count++;
        text += size;
    }
    *ret_proxies = proxies;
    return true;
}

bool client_trusted(const struct client_proxies *proxies, const struct client_address *address) {
    for (size_t i = 0; i < proxies->count; i++) {
        const struct client_network *network = &proxies->networks[i];
        size_t whole = network->prefix_bits / 8;
        unsigned rest = network->prefix_bits % 8;
        uint8_t mask = (uint8_t)(0xff00u >> rest);
        if (memcmp(network->base.bytes, address->bytes, whole) == 0 &&
            (rest == 0 || ((network->base.bytes[whole] ^ address->bytes[whole]) & mask) == 0))
            return true;
    }
    return false;
}

struct client_address client_peer(int fd) {
    struct client_address address = {{0}};
    struct sockaddr_storage storage;
    socklen_t bytes = sizeof storage;
    if (getpeername(fd, (struct sockaddr *)&storage, &bytes) != 0)
        return address;
    if (storage.ss_family == AF_INET6) {
        memcpy(address.bytes, &((struct sockaddr_in6 *)&storage)->sin6_addr, sizeof address.bytes);
    } else if (storage.ss_family == AF_INET) {
        memcpy(address.bytes, four_in_six, sizeof four_in_six);
        memcpy(address.bytes + sizeof four_in_six, &((struct sockaddr_in *)&storage)->sin_addr, 4);
    }
    return address;
}

/* The last comma-separated part is cut off *rest. False when nothing is left. */
static bool last_part(struct quire_slice *rest, struct quire_slice *ret_part) {
    if (rest->size == 0)
        return false;
    size_t begin = rest->size;
    while (begin > 0 && rest->bytes[begin - 1] != ',')
        begin--;
    struct quire_slice part = {rest->bytes + begin, rest->size - begin};
    while (part.size > 0 && (part.bytes[0] == ' ' || part.bytes[0] == '\t'))
        part = (struct quire_slice){part.bytes + 1, part.size - 1};
    while (part.size > 0 && (part.bytes[part.size - 1] == ' ' || part.bytes[part.size - 1] == '\t'))
        part.size--;
    rest->size = begin == 0 ? 0 : begin - 1;
    *ret_part = part;
    return true;
}

struct client_address client_behind(const struct client_proxies *proxies, struct client_address peer,
                                    const struct http_head *head) {
    struct client_address client = peer;
    if (proxies->count == 0 || !client_trusted(proxies, &client))
        return client;
    for (size_t i = head->fields_count; i > 0; i--) {
        if (!http_name_equal(head->fields[i - 1].name, "X-Forwarded-For"))
            continue;
        struct quire_slice rest = head->fields[i - 1].value, part;
        while (last_part(&rest, &part)) {
            if (!client_address_parse(part, &client))
                return client; /* what stands before it was written by nobody we know */
            if (!client_trusted(proxies, &client))
                return client;
        }
    }
    return client;
}
