#include "gateway/fields.h"

#include <strings.h>

static struct quire_slice trim(struct quire_slice text) {
    while (text.size > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t'))
        text = (struct quire_slice){text.bytes + 1, text.size - 1};
    while (text.size > 0 && (text.bytes[text.size - 1] == ' ' || text.bytes[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* Takes the part before `separator` off `rest`. False when nothing is left. Quoted separators don't occur in what is
 * read here. */
static bool next_part(struct quire_slice *rest, uint8_t separator, struct quire_slice *ret_part) {
    if (rest->bytes == NULL)
        return false;
    const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->bytes, separator, rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->bytes);
    *ret_part = trim((struct quire_slice){rest->bytes, size});
    *rest = end == NULL ? (struct quire_slice){NULL, 0} : (struct quire_slice){end + 1, rest->size - size - 1};
    return true;
}

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

/* A weight in thousandths ("0.5" is 500); 1000 for what can't be read. */
static unsigned parse_weight(struct quire_slice text) {
    unsigned weight = 0, unit = 1000;
    if (text.size == 0 || text.size > 5 || (text.bytes[0] != '0' && text.bytes[0] != '1'))
        return 1000;
    for (size_t i = 0; i < text.size; i++) {
        if (i == 1 && text.bytes[i] == '.')
            continue;
        if (!is_digit(text.bytes[i]) || i == 1)
            return 1000;
        weight += (unsigned)(text.bytes[i] - '0') * unit;
        unit /= 10;
    }
    return weight;
}

/* How closely a media range fits: 0 not at all, 1 any type, 2 any subtype, 3 exactly. */
static unsigned specificity(struct quire_slice range, const char *type, const char *subtype) {
    struct quire_slice rest = range, left, right;
    if (!next_part(&rest, '/', &left) || !next_part(&rest, '/', &right))
        return 0;
    bool any_type = http_name_equal(left, "*"), any_subtype = http_name_equal(right, "*");
    if (any_type && any_subtype)
        return 1;
    if (!http_name_equal(left, type))
        return 0;
    return any_subtype ? 2 : http_name_equal(right, subtype) ? 3 : 0;
}

bool fields_accept(const struct http_head *head, const char *type, const char *subtype) {
    unsigned best = 0, best_weight = 0, ranges = 0;
    for (size_t i = 0; i < head->fields_count; i++) {
        if (!http_name_equal(head->fields[i].name, "Accept"))
            continue;
        struct quire_slice rest = head->fields[i].value, member;
        while (next_part(&rest, ',', &member)) {
            struct quire_slice range, parameter;
            if (member.size == 0 || !next_part(&member, ';', &range))
                continue;
            ranges++;
            unsigned weight = 1000, fit = specificity(range, type, subtype);
            while (next_part(&member, ';', &parameter))
                if (parameter.size > 2 && (parameter.bytes[0] | 0x20) == 'q' && parameter.bytes[1] == '=')
                    weight = parse_weight((struct quire_slice){parameter.bytes + 2, parameter.size - 2});
            if (fit > best || (fit == best && fit > 0 && weight > best_weight)) {
                best = fit;
                best_weight = weight;
            }
        }
    }
    return ranges == 0 || best_weight > 0;
}

static bool charset_is_utf8(struct quire_slice parameter) {
    struct quire_slice rest = parameter, name, value;
    if (!next_part(&rest, '=', &name) || !http_name_equal(name, "charset"))
        return true;
    if (!next_part(&rest, '=', &value))
        return false;
    if (value.size >= 2 && value.bytes[0] == '"' && value.bytes[value.size - 1] == '"')
        value = (struct quire_slice){value.bytes + 1, value.size - 2};
    return http_name_equal(value, "utf-8") || http_name_equal(value, "utf8");
}

bool fields_plain(const struct http_head *head) {
    size_t encodings;
    const struct http_field *encoding = http_find(head, "Content-Encoding", &encodings);
    return encodings == 0 || (encodings == 1 && http_name_equal(encoding->value, "identity"));
}

bool fields_json(const struct http_head *head) {
    size_t types;
    const struct http_field *type = http_find(head, "Content-Type", &types);
    struct quire_slice rest, part;
    if (types != 1)
        return false;
    rest = type->value;
    if (!next_part(&rest, ';', &part) || !http_name_equal(part, "application/json"))
        return false;
    while (next_part(&rest, ';', &part))
        if (!charset_is_utf8(part))
            return false;
    return true;
}

enum fields_expectation fields_expect(const struct http_head *head) {
    size_t count;
    const struct http_field *expect = http_find(head, "Expect", &count);
    if (count == 0 || head->minor == 0) /* HTTP/1.0 knows no expectation: RFC 9110 10.1.1 */
        return FIELDS_EXPECT_NOTHING;
    return count == 1 && http_name_equal(expect->value, "100-continue") ? FIELDS_EXPECT_CONTINUE
                                                                        : FIELDS_EXPECT_UNKNOWN;
}

bool fields_timeout(const struct http_head *head, uint32_t fallback_ms, uint32_t *ret_timeout_ms) {
    size_t count, i = 0, digits = 0;
    const struct http_field *field = http_find(head, "Request-Timeout", &count);
    if (count == 0) {
        *ret_timeout_ms = fallback_ms;
        return true;
    }
    struct quire_slice text = field->value;
    uint64_t us = 0;
    for (; i < text.size && is_digit(text.bytes[i]); i++, digits++)
        if (us < (uint64_t)FIELDS_TIMEOUT_MS_MAX * 1000)
            us = us * 10 + (uint64_t)(text.bytes[i] - '0') * 1000000;
    bool above_zero = us > 0;
    if (digits > 0 && i < text.size && text.bytes[i] == '.') {
        uint64_t unit = 100000;
        size_t first = ++i;
        for (; i < text.size && is_digit(text.bytes[i]); i++, unit /= 10) {
            us += (uint64_t)(text.bytes[i] - '0') * unit;
            above_zero = above_zero || text.bytes[i] != '0';
        }
        if (i == first)
            return false;
    }
    if (count != 1 || digits == 0 || i != text.size || !above_zero)
        return false;
    uint64_t ms = (us + 999) / 1000;
    *ret_timeout_ms = ms == 0 ? 1 : ms > FIELDS_TIMEOUT_MS_MAX ? FIELDS_TIMEOUT_MS_MAX : (uint32_t)ms;
    return true;
}

bool fields_session(const struct http_head *head, uint8_t ret_session[QUIRE_SESSION_BYTES]) {
    static const char scheme[] = "Bearer ";
    size_t count;
    const struct http_field *field = http_find(head, "Authorization", &count);
    if (count != 1 || field->value.size < sizeof scheme ||
        strncasecmp((const char *)field->value.bytes, scheme, sizeof scheme - 1) != 0)
        return false;
    struct quire_slice token = {field->value.bytes + sizeof scheme - 1, field->value.size - (sizeof scheme - 1)};
    return quire_token_session(trim(token), ret_session);
}

static bool is_visible_ascii(struct quire_slice text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.bytes[i] <= ' ' || text.bytes[i] >= 0x7f)
            return false;
    return true;
}

bool fields_idempotency_key(const struct http_head *head, struct quire_slice *ret_key) {
    size_t count;
    const struct http_field *field = http_find(head, "Idempotency-Key", &count);
    if (count == 0) {
        *ret_key = (struct quire_slice){NULL, 0};
        return true;
    }
    if (count > 1 || field->value.size < 1 || field->value.size > 255 || !is_visible_ascii(field->value))
        return false;
    *ret_key = field->value;
    return true;
}

struct quire_slice fields_request_id(const struct http_head *head) {
    static const struct quire_slice none = {NULL, 0};
    size_t count;
    const struct http_field *field = http_find(head, "X-Request-ID", &count);
    if (count != 1 || field->value.size < 1 || field->value.size > FIELDS_REQUEST_ID_MAX)
        return none;
    for (size_t i = 0; i < field->value.size; i++) {
        uint8_t c = field->value.bytes[i];
        if (!is_digit(c) && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && c != '.' && c != '_' && c != ':' &&
            c != '-')
            return none;
    }
    return field->value;
}

/* `size` lower-case hexadecimal digits, not all zero unless they may be. */
static bool is_hex(const uint8_t *bytes, size_t size, bool zero_allowed) {
    bool zero = true;
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(bytes[i]) && !(bytes[i] >= 'a' && bytes[i] <= 'f'))
            return false;
        zero = zero && bytes[i] == '0';
    }
    return zero_allowed || !zero;
}

struct quire_slice fields_traceparent(const struct http_head *head) {
    static const struct quire_slice none = {NULL, 0};
    size_t count;
    const struct http_field *field = http_find(head, "traceparent", &count);
    if (count != 1 || field->value.size < FIELDS_TRACEPARENT_CHARACTERS || field->value.size > 128)
        return none;
    const uint8_t *text = field->value.bytes;
    bool version_0 = text[0] == '0' && text[1] == '0', longer = field->value.size > FIELDS_TRACEPARENT_CHARACTERS;
    /* 00-<32 trace id>-<16 parent id>-<2 flags>; later versions may append "-..." */
    if (!is_hex(text, 2, true) || memcmp(text, "ff", 2) == 0 || text[2] != '-' || !is_hex(text + 3, 32, false) ||
        text[35] != '-' || !is_hex(text + 36, 16, false) || text[52] != '-' || !is_hex(text + 53, 2, true))
        return none;
    /* What a later version appends is passed on unread, to logs and to topics where it is text. */
    if (longer && (version_0 || text[55] != '-' || !is_visible_ascii(field->value)))
        return none;
    return field->value;
}
