/* Versions as HTTP says them: ETag, If-Match, If-None-Match (RFC 9110 8.8.3, 13.1). Any thread. */
#ifndef QUIRE_DOCUMENTS_CONDITIONS_H
#define QUIRE_DOCUMENTS_CONDITIONS_H

#include "base/arena.h"

#define CONDITION_VERSIONS_MAX 100u /* that one field may name: more than a client can have seen of one document */

struct condition {
    bool present; /* the header was there */
    bool any;     /* `*` */
    int64_t versions[CONDITION_VERSIONS_MAX];
    size_t count;
};

/* Reads a field value, `"*" / #entity-tag`; NULL: absent. Tags that no document of ours can have are left out, so that
 * they match nothing. `weak` says whether W/"3" means version 3 (If-None-Match) or nothing (If-Match, which compares
 * strongly; RFC 9110 8.8.3.2). Empty elements are no fault (5.6.1.2), so an empty list is one that matches nothing.
 *
 * False: it is none, or names more versions than there is room for. Then nobody can say what the caller wants to hold,
 * and the answer is a 400: if the field counted as absent, or for the tags before the fault, a write would go through
 * that was meant not to, or a 304 tell of a version that the caller doesn't have; if it counted as false, the caller
 * would read its document again, and again meet a 412. */
QUIRE_MUSTCHECK bool condition_read(const char *value, bool weak, struct condition *ret_condition);

/* "\"3\"", in the arena; NULL without memory. */
QUIRE_MUSTCHECK char *condition_etag(struct quire_arena *arena, int64_t version);

#endif
