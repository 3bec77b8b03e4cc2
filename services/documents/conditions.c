#include "documents/conditions.h"

#include <inttypes.h>

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

static void read_tag(const char **at, bool weak, struct condition *condition) {
    const bool is_weak = **at == 'W' && (*at)[1] == '/';
    const char *tag = *at + (is_weak ? 2 : 0);
    const char *close = *tag == '"' ? strchr(tag + 1, '"') : NULL;
    if (close == NULL) { /* malformed: nothing after it can be trusted */
        *at += strlen(*at);
        return;
    }
    int64_t version;
    if ((weak || !is_weak) && read_version(tag + 1, &version) == close && condition->count < CONDITION_VERSIONS_MAX)
        condition->versions[condition->count++] = version;
    *at = close + 1;
}

void condition_read(const char *value, bool weak, struct condition *ret_condition) {
    *ret_condition = (struct condition){.present = value != NULL};
    if (value == NULL)
        return;
    const char *at = value + strspn(value, " \t");
    if (*at == '*' && at[1 + strspn(at + 1, " \t")] == '\0') {
        ret_condition->any = true;
        return;
    }
    while (*at != '\0') {
        if (*at == ',' || *at == ' ' || *at == '\t')
            at++;
        else
            read_tag(&at, weak, ret_condition);
    }
}

char *condition_etag(struct quire_arena *arena, int64_t version) {
    return quire_arena_printf(arena, "\"%" PRId64 "\"", version);
}
