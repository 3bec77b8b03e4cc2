/* The meaning of request fields that the gateway itself obeys: Accept, Content-Type, Content-Encoding, Expect,
 * Request-Timeout, Authorization, Idempotency-Key, X-Request-ID, traceparent. Pure functions of a head; any thread. */
#ifndef QUIRE_GATEWAY_FIELDS_H
#define QUIRE_GATEWAY_FIELDS_H

#include "base/token.h"
#include "gateway/http.h"

#define FIELDS_TIMEOUT_MS_MAX 30000u
#define FIELDS_REQUEST_ID_MAX 128u
#define FIELDS_TRACEPARENT_CHARACTERS 55u

/* Is `type`/`subtype` ("application", "json") among what Accept takes (RFC 9110 12.5.1)? Without Accept, or when it
 * can't be read: yes. */
bool fields_accept(const struct http_head *head, const char *type, const char *subtype);
/* Is the content JSON in UTF-8, by its media type? */
bool fields_json(const struct http_head *head);
/* Has it no Content-Encoding, or none that does anything? */
bool fields_plain(const struct http_head *head);

enum fields_expectation { FIELDS_EXPECT_NOTHING, FIELDS_EXPECT_CONTINUE, FIELDS_EXPECT_UNKNOWN };
enum fields_expectation fields_expect(const struct http_head *head);

/* Request-Timeout in milliseconds, rounded up, at most FIELDS_TIMEOUT_MS_MAX; `fallback_ms` without one. False: it
 * can't be read. */
QUIRE_MUSTCHECK bool fields_timeout(const struct http_head *head, uint32_t fallback_ms, uint32_t *ret_timeout_ms);

/* The session key of Authorization: Bearer (RFC 6750). False: there is none, or none that could be a token's. */
QUIRE_MUSTCHECK bool fields_session(const struct http_head *head, uint8_t ret_session[QUIRE_SESSION_BYTES]);

/* Idempotency-Key; empty without one. False: there are several, or it isn't 1..255 visible ASCII characters. */
QUIRE_MUSTCHECK bool fields_idempotency_key(const struct http_head *head, struct quire_slice *ret_key);

/* The caller's X-Request-ID; empty when it has none that may be used. */
struct quire_slice fields_request_id(const struct http_head *head);
/* The caller's traceparent (W3C Trace Context 3.2); empty when it has none that is valid. */
struct quire_slice fields_traceparent(const struct http_head *head);

#endif
