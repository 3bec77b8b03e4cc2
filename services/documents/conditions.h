/* Versions as HTTP says them: ETag, If-Match, If-None-Match (RFC 9110 8.8.3, 13.1). Any thread. */
#ifndef QUIRE_DOCUMENTS_CONDITIONS_H
#define QUIRE_DOCUMENTS_CONDITIONS_H

#include "base/arena.h"

#define CONDITION_VERSIONS_MAX                                                                                         \
    100u /* entity tags that are looked at; a header has room for no more that make sense                              \
          */

struct condition {
    bool present; /* the header was there */
    bool any;     /* `*` */
    int64_t versions[CONDITION_VERSIONS_MAX];
    size_t count;
};

/* Reads a field value; NULL: absent. Tags that no document of ours can have are left out, so that they match nothing.
 * `weak` says whether W/"3" means version 3 (If-None-Match) or nothing (If-Match, which compares strongly). */
void condition_read(const char *value, bool weak, struct condition *ret_condition);

/* "\"3\"", in the arena; NULL without memory. */
QUIRE_MUSTCHECK char *condition_etag(struct quire_arena *arena, int64_t version);

#endif
