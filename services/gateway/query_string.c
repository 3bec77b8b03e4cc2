#include "gateway/query_string.h"

#include "base/utf8.h"

static int query_hex(uint8_t byte) {
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Decodes text[from..to) into the arena; on QUERY_MALFORMED *ret_at is the byte that is to blame. */
static enum query_result query_decode(struct quire_slice text, size_t from, size_t to, struct quire_arena *arena,
                                      struct quire_slice *ret_decoded, size_t *ret_at) {
    uint8_t *decoded = quire_arena_alloc(arena, to - from + 1);
    if (decoded == NULL)
        return QUERY_NO_MEMORY;
    size_t size = 0;
    for (size_t at = from; at < to; at++) {
        uint8_t byte = text.bytes[at];
        if (byte == '%') {
            int high = at + 3 <= to ? query_hex(text.bytes[at + 1]) : -1;
            int low = at + 3 <= to ? query_hex(text.bytes[at + 2]) : -1;
            if (high < 0 || low < 0) {
                *ret_at = at;
                return QUERY_MALFORMED;
            }
            byte = (uint8_t)(high * 16 + low);
            at += 2;
        } else if (byte == '+') {
            byte = ' ';
        }
        decoded[size++] = byte;
    }
    decoded[size] = '\0';
    *ret_decoded = (struct quire_slice){decoded, size};
    *ret_at = from;
    return quire_utf8_valid(*ret_decoded) ? QUERY_PARAMETER : QUERY_MALFORMED;
}

static size_t query_find(struct quire_slice text, size_t from, size_t to, char byte) {
    const uint8_t *found = from < to ? memchr(text.bytes + from, byte, to - from) : NULL;
    return found == NULL ? to : (size_t)(found - text.bytes);
}

enum query_result query_string_next(struct query_string *query, struct quire_arena *arena, struct quire_slice *ret_name,
                                    struct quire_slice *ret_value) {
    struct quire_slice text = query->text, name, value;
    while (query->at < text.size && text.bytes[query->at] == '&')
        query->at++;
    if (query->at >= text.size)
        return QUERY_END;
    size_t end = query_find(text, query->at, text.size, '&');
    size_t equals = query_find(text, query->at, end, '=');
    size_t bad_at = 0;
    enum query_result result = query_decode(text, query->at, equals, arena, &name, &bad_at);
    if (result == QUERY_PARAMETER)
        result = query_decode(text, equals < end ? equals + 1 : end, end, arena, &value, &bad_at);
    query->at = result == QUERY_PARAMETER ? end : bad_at;
    if (result == QUERY_PARAMETER) {
        *ret_name = name;
        *ret_value = value;
    }
    return result;
}
