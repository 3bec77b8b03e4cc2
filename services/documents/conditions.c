#include "documents/conditions.h"

#include <inttypes.h>

static const char *skip_space(const char *at) {
    return at + strspn(at, " \t");
}

/* A version between quotes, as condition_etag writes it: digits without a leading zero. Returns the end of the digits,
 * or NULL. */
static const char *read_version(const char *at, int64_t *ret_version) {
    int64_t version = 0;
    const char *start = at;
    if (*at < '1' || *at > '9')
        return NULL;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (at - start >= 18)
            return NULL;
        version = version * 10 + (*at - '0');
    }
    *ret_version = version;
    return at;
}

/* RFC 9110 8.8.3: etagc = %x21 / %x23-7E / obs-text; no quote can stand in a tag, and none is escaped. */
static const char *find_close(const char *open) {
    if (*open != '"')
        return NULL;
    const unsigned char *at = (const unsigned char *)open + 1;
    while (*at == 0x21 || (*at >= 0x23 && *at != 0x7f))
        at++;
    return *at == '"' ? (const char *)at : NULL;
}

static bool read_tag(const char **at, bool weak, struct condition *condition) {
    const bool is_weak = (*at)[0] == 'W' && (*at)[1] == '/';
    const char *open = *at + (is_weak ? 2 : 0);
    const char *close = find_close(open);
    int64_t version;
    if (close == NULL)
        return false;
    if ((weak || !is_weak) && read_version(open + 1, &version) == close) {
        if (condition->count == CONDITION_VERSIONS_MAX)
            return false;
        condition->versions[condition->count++] = version;
    }
    *at = close + 1;
    return true;
}

static bool read_list(const char *at, bool weak, struct condition *condition) {
    for (;;) {
        at = skip_space(at);
        if (*at != ',' && *at != '\0' && !read_tag(&at, weak, condition))
            return false;
        at = skip_space(at);
        if (*at == '\0')
            return true;
        if (*at++ != ',')
            return false;
    }
}

bool condition_read(const char *value, bool weak, struct condition *ret_condition) {
    struct condition condition = {.present = value != NULL};
    const char *at = skip_space(value != NULL ? value : "");
    condition.any = *at == '*';
    if (condition.any ? *skip_space(at + 1) != '\0' : !read_list(at, weak, &condition))
        return false;
    *ret_condition = condition;
    return true;
}

char *condition_etag(struct quire_arena *arena, int64_t version) {
    return quire_arena_printf(arena, "\"%" PRId64 "\"", version);
}
