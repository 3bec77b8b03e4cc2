#include "gateway/target.h"

#include "gateway/host.h"

#include <strings.h>

static int hex_value(uint8_t c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

static bool escapes_are_whole(struct quire_slice text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.bytes[i] == '%' &&
            (i + 2 >= text.size || hex_value(text.bytes[i + 1]) < 0 || hex_value(text.bytes[i + 2]) < 0))
            return false;
    return true;
}

/* Without an escape the segment stays where it is. */
static bool decode(struct quire_arena *arena, struct quire_slice text, struct quire_slice *ret_decoded) {
    if (text.size == 0 || memchr(text.bytes, '%', text.size) == NULL) {
        *ret_decoded = text;
        return true;
    }
    uint8_t *decoded = quire_arena_alloc(arena, text.size);
    size_t size = 0;
    if (decoded == NULL)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.bytes[i] == '%') {
            decoded[size++] = (uint8_t)(hex_value(text.bytes[i + 1]) * 16 + hex_value(text.bytes[i + 2]));
            i += 2;
        } else {
            decoded[size++] = text.bytes[i];
        }
    }
    *ret_decoded = (struct quire_slice){decoded, size};
    return true;
}

/* scheme "://" authority, leaving the path in *rest. */
static enum target_result parse_absolute(struct quire_slice *rest, struct target *target) {
    size_t prefix = 0;
    if (rest->size > 7 && strncasecmp((const char *)rest->bytes, "http://", 7) == 0)
        prefix = 7;
    else if (rest->size > 8 && strncasecmp((const char *)rest->bytes, "https://", 8) == 0)
        prefix = 8;
    else
        return memchr(rest->bytes, ':', rest->size) != NULL ? TARGET_FOREIGN : TARGET_MALFORMED;
    size_t end = prefix;
    while (end < rest->size && rest->bytes[end] != '/' && rest->bytes[end] != '?')
        end++;
    target->form = TARGET_ABSOLUTE;
    target->authority = (struct quire_slice){rest->bytes + prefix, end - prefix};
    *rest = (struct quire_slice){rest->bytes + end, rest->size - end};
    /* User information, which hides who is meant, is none of it: RFC 9110 4.2.4. */
    return host_is_valid(target->authority) ? TARGET_FINE : TARGET_MALFORMED;
}

static enum target_result split_path(struct quire_arena *arena, struct target *target) {
    size_t begin = 1;
    for (size_t i = 1; i <= target->path.size; i++) {
        if (i < target->path.size && target->path.bytes[i] != '/')
            continue;
        if (target->segments_count == TARGET_SEGMENTS_MAX)
            return TARGET_TOO_DEEP;
        if (!decode(arena, (struct quire_slice){target->path.bytes + begin, i - begin},
                    &target->segments[target->segments_count++]))
            return TARGET_NO_MEMORY;
        begin = i + 1;
    }
    return TARGET_FINE;
}

enum target_result target_parse(struct quire_arena *arena, struct quire_slice text, struct target *ret_target) {
    struct quire_slice rest = text;
    *ret_target = (struct target){.form = TARGET_ORIGIN};
    if (quire_slice_equal(text, QUIRE_SLICE_LITERAL("*"))) {
        ret_target->form = TARGET_ASTERISK;
        ret_target->path = text;
        return TARGET_FINE;
    }
    if (rest.size == 0 || !escapes_are_whole(rest))
        return TARGET_MALFORMED;
    if (rest.bytes[0] != '/') {
        enum target_result result = parse_absolute(&rest, ret_target);
        if (result != TARGET_FINE)
            return result;
    }
    const uint8_t *mark = rest.size == 0 ? NULL : memchr(rest.bytes, '?', rest.size);
    size_t path_bytes = mark == NULL ? rest.size : (size_t)(mark - rest.bytes);
    ret_target->path = path_bytes == 0 ? QUIRE_SLICE_LITERAL("/") : (struct quire_slice){rest.bytes, path_bytes};
    if (mark != NULL)
        ret_target->query = (struct quire_slice){mark + 1, rest.size - path_bytes - 1};
    return split_path(arena, ret_target);
}

static struct quire_slice host_of(struct quire_slice authority) {
    size_t size = 0;
    if (authority.size > 0 && authority.bytes[0] == '[') {
        while (size < authority.size && authority.bytes[size] != ']')
            size++;
        return (struct quire_slice){authority.bytes, size < authority.size ? size + 1 : size};
    }
    while (size < authority.size && authority.bytes[size] != ':')
        size++;
    return (struct quire_slice){authority.bytes, size};
}

bool target_host_listed(struct quire_slice authority, const char *names) {
    struct quire_slice host = host_of(authority);
    if (*names == '\0')
        return true;
    while (*names != '\0') {
        size_t size = strcspn(names, ",");
        if (size == host.size && size > 0 && strncasecmp(names, (const char *)host.bytes, size) == 0)
            return true;
        names += size + (names[size] == ',');
    }
    return false;
}
