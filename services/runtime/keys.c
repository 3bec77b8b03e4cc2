#include "runtime/keys.h"

#include "base/id.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#define ADDRESS_CHARACTERS INET6_ADDRSTRLEN

static_assert(QUIRE_KEY_CHARACTERS > sizeof "quire:{0000}:session:" + 64 &&
                  QUIRE_KEY_CHARACTERS > sizeof "quire:{addr:}:registrations" + ADDRESS_CHARACTERS,
              "the longest key fits");

static struct quire_key session_key(const char *kind, const uint8_t session[QUIRE_SESSION_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    struct quire_key key;
    int used = snprintf(key.text, sizeof key.text, "quire:{%02x%02x}:%s:", session[0], session[1], kind);
    char *at = key.text + used;
    for (size_t i = QUIRE_TAG_BYTES; i < QUIRE_SESSION_BYTES; i++) {
        *at++ = digits[session[i] >> 4];
        *at++ = digits[session[i] & 15];
    }
    *at = '\0';
    return key;
}

struct quire_key quire_key_session(const uint8_t session[QUIRE_SESSION_BYTES]) {
    return session_key("session", session);
}

struct quire_key quire_key_revoked(const uint8_t session[QUIRE_SESSION_BYTES]) {
    return session_key("revoked", session);
}

struct quire_key quire_key_account(const uint8_t tag[QUIRE_TAG_BYTES], const uint8_t account[16],
                                   enum quire_account_key kind) {
    static const char *const kinds[] = {"watermark", "rate", "places"};
    char uuid[QUIRE_UUID_CHARACTERS + 1];
    quire_uuid_text(account, uuid);
    struct quire_key key;
    snprintf(key.text, sizeof key.text, "quire:{%02x%02x}:account:%s:%s", tag[0], tag[1], uuid, kinds[kind]);
    return key;
}

/* What limits count by: see quire_key_address(). */
static void address_text(struct quire_slice client, char ret_text[ADDRESS_CHARACTERS]) {
    char text[ADDRESS_CHARACTERS] = "";
    if (client.size > 0 && client.size < sizeof text)
        memcpy(text, client.bytes, client.size);
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, text, &four) == 1) {
        inet_ntop(AF_INET, &four, ret_text, ADDRESS_CHARACTERS);
    } else if (inet_pton(AF_INET6, text, &six) != 1) {
        snprintf(ret_text, ADDRESS_CHARACTERS, "unknown");
    } else if (IN6_IS_ADDR_V4MAPPED(&six)) {
        inet_ntop(AF_INET, &six.s6_addr[12], ret_text, ADDRESS_CHARACTERS);
    } else {
        memset(&six.s6_addr[8], 0, 8);
        inet_ntop(AF_INET6, &six, ret_text, ADDRESS_CHARACTERS);
    }
}

struct quire_key quire_key_address(struct quire_slice client, enum quire_address_key kind) {
    static const char *const kinds[] = {"requests", "log_in_rate", "registrations"};
    char address[ADDRESS_CHARACTERS];
    address_text(client, address);
    struct quire_key key;
    snprintf(key.text, sizeof key.text, "quire:{addr:%s}:%s", address, kinds[kind]);
    return key;
}

void quire_keys_log_in(struct quire_slice client, const uint8_t tag[QUIRE_TAG_BYTES],
                       struct quire_key ret_keys[QUIRE_LOG_IN_KEYS]) {
    char address[ADDRESS_CHARACTERS];
    address_text(client, address);
    snprintf(ret_keys[0].text, sizeof ret_keys[0].text, "quire:{addr:%s}:log_in:%02x%02x", address, tag[0], tag[1]);
    snprintf(ret_keys[1].text, sizeof ret_keys[1].text, "quire:{addr:%s}:log_ins", address);
}
