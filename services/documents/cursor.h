/* Where a page of a list ended, as clients carry it: opaque, base64url, bound to the account and the filters it was
 * made for.
 *
 *     0 format (1) | 1..8 created_at, milliseconds since 1970 | 9..24 document id | 25..32 check        (big-endian)
 *
 * The check (keyless BLAKE2b of all else, account and filters) finds what was cut, mistyped or carried to another list.
 * It is no secret: a forged cursor shows its forger another place of his own list, no more; one whose time no document
 * can have is none. Any thread. */
#ifndef QUIRE_DOCUMENTS_CURSOR_H
#define QUIRE_DOCUMENTS_CURSOR_H

#include "base/slice.h"

#define CURSOR_CHARACTERS 44u
/* The end of the year 9999: a time that PostgreSQL knows. */
#define CURSOR_CREATED_AT_MS_MAX UINT64_C(253402300799999)

struct cursor {
    int64_t created_at_ms;
    uint8_t id[16];
};

/* What the list is filtered by. */
struct cursor_scope {
    const uint8_t *account;    /* 16 bytes */
    struct quire_slice tag, q; /* empty: none */
};

/* NUL-terminated. */
void cursor_encode(const struct cursor *cursor, const struct cursor_scope *scope, char ret_text[CURSOR_CHARACTERS + 1]);
/* False: no cursor of this list. */
QUIRE_MUSTCHECK bool cursor_decode(struct quire_slice text, const struct cursor_scope *scope,
                                   struct cursor *ret_cursor);

#endif
