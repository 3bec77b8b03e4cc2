/* HTTP/1.1 requests out of a stream of bytes (RFC 9112), strictly: what could be read in two ways is refused.
 *
 * llhttp does the reading; this module adds what it leaves to its user: limits, one Host, one framing, the method. One
 * parser a connection, on its ring's thread; it holds no buffer of its own: a head's text goes to the arena of the
 * request being read. */
#ifndef QUIRE_GATEWAY_HTTP_H
#define QUIRE_GATEWAY_HTTP_H

#include "base/arena.h"

#include <llhttp.h>

#define HTTP_REQUEST_LINE_MAX 8192u /* bytes without the line's end */
#define HTTP_SECTION_MAX                                                                                               \
    16384u /* bytes of the field lines and the empty line; also of trailers and of chunk extensions */
#define HTTP_FIELDS_MAX 100u
#define HTTP_BODY_MAX (16u * 1024 * 1024)

/* What compose/proxy/haproxy.cfg adds to a client's fields, which it has counted itself: four fields, each at its
 * longest, and the space behind a colon where the client left it out. A caller's own good X-Request-ID stays. */
#define HTTP_PROXY_FIELDS 4u
#define HTTP_PROXY_BYTES                                                                                               \
    (sizeof "X-Request-ID: 01234567-89ab-7def-8123-456789abcdef\r\n" - 1 +                                             \
     sizeof "X-Forwarded-For: 0123:4567:89ab:cdef:0123:4567:255.255.255.255\r\n" - 1 +                                 \
     sizeof "X-Forwarded-Proto: https\r\n" - 1 + sizeof "Connection: keep-alive\r\n" - 1 + HTTP_FIELDS_MAX)

enum http_method {
    HTTP_METHOD_GET,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_PATCH,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_TRACE,
    HTTP_METHOD_CONNECT,
    HTTP_METHOD_UNKNOWN, /* a token that HTTP doesn't define: 501 */
    HTTP_METHODS
};

struct http_field {
    struct quire_slice name, value; /* as sent; the value without white space around it */
};

/* One request's head. All slices point into the arena. */
struct http_head {
    enum http_method method;
    struct quire_slice target;
    unsigned minor; /* of HTTP/1.x */
    struct http_field *fields;
    size_t fields_count;
    bool chunked, has_length;
    uint64_t content_length;
    bool keep_alive; /* what the version and Connection say */
};

enum http_event {
    HTTP_EVENT_MORE,     /* everything was read */
    HTTP_EVENT_HEAD,     /* the head is complete: look at it, then feed on */
    HTTP_EVENT_COMPLETE, /* the message is complete: http_begin before feeding on */
    HTTP_EVENT_BROKEN,   /* `fault` says why; nothing more can be read from this connection */
};

struct http_fault {
    unsigned status; /* 400, 413, 414, 431, 503, 505 */
    const char *detail;
};

/* How much a head may hold. */
struct http_bounds {
    uint32_t fields_max, section_bytes_max;
};

extern const struct http_bounds http_bounds_client;
/* The same with what a trusted proxy adds. */
extern const struct http_bounds http_bounds_proxied;

struct http_parser {
    llhttp_t llhttp;
    const struct http_bounds *bounds;
    struct quire_arena *arena;
    struct http_head head;
    struct http_fault fault;
    void (*body)(void *context, struct quire_slice piece);
    void *context;
    uint8_t *text; /* the head's text so far; fields point to it by offset until the head is complete */
    struct http_span *spans;
    const uint8_t *fed; /* what llhttp reads now, and which offset of the message it begins at */
    uint64_t fed_offset;
    uint64_t body_bytes;
    uint32_t text_size, text_room;
    uint32_t spans_count, spans_room;
    uint32_t spans_whole; /* of them, those whose line has ended */
    uint32_t target_size;
    uint32_t line_start, target_start, target_end, section_start,
        trailer_start; /* offsets in the message; 0: not yet */
    uint32_t extension_bytes, trailer_bytes;
    uint8_t phase; /* enum http_phase of http.c */
    uint8_t method_size;
    uint8_t version_size;
    char method[9], version[4];
};

/* `body` gets each piece of a body, decoded from its framing. `bounds` outlives the parser. */
void http_init(struct http_parser *parser, const struct http_bounds *bounds,
               void (*body)(void *context, struct quire_slice piece), void *context);
/* The next message begins; its head is kept in `arena`. */
void http_begin(struct http_parser *parser, struct quire_arena *arena);
/* Reads until something happened. Returns how many bytes it took. */
size_t http_feed(struct http_parser *parser, struct quire_slice bytes, enum http_event *ret_event);
/* True once a byte of the message has come that isn't part of an empty line before it. */
bool http_begun(const struct http_parser *parser);

const char *http_method_text(enum http_method method);
/* HTTP_METHOD_UNKNOWN for any that HTTP doesn't define. */
enum http_method http_method_of(struct quire_slice text);

/* The first field of that name (any case); NULL when there is none. *ret_count, unless NULL, tells how many there are.
 */
const struct http_field *http_find(const struct http_head *head, const char *name, size_t *ret_count);
bool http_name_equal(struct quire_slice name, const char *text);

#endif
