/* An answer's head as bytes (RFC 9112 4): status line and fields, in the arena given. */
#ifndef QUIRE_GATEWAY_RESPONSE_H
#define QUIRE_GATEWAY_RESPONSE_H

#include "base/arena.h"

#define RESPONSE_DATE_CHARACTERS 29u /* "Sun, 06 Nov 1994 08:49:37 GMT" */

struct response {
    unsigned status;
    struct quire_slice request_id;
    const char *date; /* RESPONSE_DATE_CHARACTERS, see response_date */
    uint64_t process_us;
    const char *content_type; /* NULL: no content */
    const char *allow;        /* NULL: none; likewise below */
    const char *accept, *accept_encoding;
    const char *cache_control;
    const char *security_policy; /* of a page: Content-Security-Policy, and no Referer to anyone */
    bool challenge;              /* WWW-Authenticate: Bearer */
    unsigned retry_after_s;      /* 0: none */
    struct quire_slice location, rate_limit, rate_limit_policy;
    struct quire_slice etag_name, etag;
    size_t content_bytes; /* of the content, also when HEAD leaves it out; not shown for 1xx, 204 and 304 */
    bool close;           /* Connection: close */
    bool keep_alive;      /* Connection: keep-alive, which HTTP/1.0 has to be told */
};

/* False without memory. */
QUIRE_MUSTCHECK bool response_render(struct quire_arena *arena, const struct response *response,
                                     struct quire_slice *ret_head);
/* The reason phrase; "Unknown" for a status that isn't registered. */
const char *response_phrase(unsigned status);
/* IMF-fixdate (RFC 9110 5.6.7), NUL-terminated. */
void response_date(uint64_t unix_s, char ret_text[RESPONSE_DATE_CHARACTERS + 1]);

#endif
