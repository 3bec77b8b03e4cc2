/* The parameters of a query string, one by one: percent-decoded, `+` as space (application/x-www-form-urlencoded). Any
 * thread. */
#ifndef QUIRE_GATEWAY_QUERY_STRING_H
#define QUIRE_GATEWAY_QUERY_STRING_H

#include "base/arena.h"

struct query_string {
    struct quire_slice text; /* after '?', as it came */
    size_t at;               /* next byte; where a malformed one stands after QUERY_MALFORMED */
};

enum query_result { QUERY_PARAMETER, QUERY_END, QUERY_MALFORMED, QUERY_NO_MEMORY };

/* Name and value are UTF-8, in the arena, NUL-terminated (they may hold a NUL of their own: %00). A parameter without
 * '=' has an empty value; empty parameters ("&&") are passed over. */
QUIRE_MUSTCHECK enum query_result query_string_next(struct query_string *query, struct quire_arena *arena,
                                                    struct quire_slice *ret_name, struct quire_slice *ret_value);

#endif
