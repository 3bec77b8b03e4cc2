#include "base/utf8.h"

static bool utf8_continues(uint8_t byte) {
    return (byte & 0xc0u) == 0x80u;
}

/* Second byte's range by first byte: RFC 3629 4. */
static bool utf8_second_fits(uint8_t first, uint8_t second) {
    switch (first) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return utf8_continues(second);
    }
}

static size_t utf8_announced(uint8_t first) {
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t quire_utf8_character_bytes(struct quire_slice text, size_t at) {
    size_t bytes = utf8_announced(text.bytes[at]);
    if (bytes == 0 || bytes > text.size - at)
        return 0;
    if (bytes > 1 && !utf8_second_fits(text.bytes[at], text.bytes[at + 1]))
        return 0;
    for (size_t i = 2; i < bytes; i++)
        if (!utf8_continues(text.bytes[at + i]))
            return 0;
    return bytes;
}

/* From `at` on, eight ASCII bytes at once: most texts are mostly that. */
static size_t ascii_end(struct quire_slice text, size_t at) {
    for (uint64_t eight; at + sizeof(eight) <= text.size; at += sizeof(eight)) {
        memcpy(&eight, text.bytes + at, sizeof(eight));
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return at;
}

bool quire_utf8_valid(struct quire_slice text) {
    for (size_t at = ascii_end(text, 0); at < text.size; at = ascii_end(text, at)) {
        size_t bytes = quire_utf8_character_bytes(text, at);
        if (bytes == 0)
            return false;
        at += bytes;
    }
    return true;
}

bool quire_utf8_is_ascii(struct quire_slice text) {
    size_t at = ascii_end(text, 0);
    while (at < text.size && text.bytes[at] < 0x80)
        at++;
    return at == text.size;
}

size_t quire_utf8_characters(struct quire_slice text) {
    size_t characters = 0;
    for (size_t at = 0; at < text.size; at++)
        characters += !utf8_continues(text.bytes[at]);
    return characters;
}

struct quire_slice quire_utf8_cut(struct quire_slice text, size_t bytes_max) {
    if (text.size <= bytes_max)
        return text;
    size_t size = bytes_max;
    while (size > 0 && utf8_continues(text.bytes[size]))
        size--;
    return (struct quire_slice){text.bytes, size};
}
