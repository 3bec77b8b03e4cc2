/* JSON <-> protobuf by reflection over the contract's tables; no message is named here. Strict as docs/API.md says:
 * every fault of a body is found and told with its path.
 *
 * One thread at a time an arena. All memory that outlives a call comes from the arena given: about the packed message
 * for a request (whose texts stay in its body); about the value once and its JSON once for a reply (up to six
 * times the value, where all of it must be escaped). While a body is read its tree takes heap memory, at most 64 MiB
 * and given back before the call returns. Knows neither ring nor Kafka. */
#ifndef QUIRE_GATEWAY_TRANSCODE_H
#define QUIRE_GATEWAY_TRANSCODE_H

#include "base/arena.h"
#include "base/contract.h"
#include "gateway/problem.h"

/* What of a request becomes fields, beside its JSON. */
struct transcode_request {
    const struct quire_call *call;
    uint8_t
        *body; /* changed in place while it is parsed; readable and writable up to body_bytes + 4 (yyjson's padding) */
    size_t body_bytes;
    struct quire_slice query;                /* after '?', still percent-encoded; empty when none */
    const struct quire_slice *path_segments; /* decoded, one a template segment */
    /* NULL: no such header. The value lives as long as the request. */
    const struct quire_slice *(*header)(void *context, const char *name);
    void *context;
    struct quire_slice client; /* address as text */
    /* Sealing: a field with `sealed` is sealed with this key for this message. */
    const struct quire_seal_key *seal_key;
    const uint8_t *correlation; /* QUIRE_CORRELATION_BYTES */
    uint64_t deadline_ms;
};

struct transcode_encoded {
    uint8_t *value; /* packed protobuf */
    size_t value_bytes;
    char token[47]; /* minted for this call; "" when none. Wiped by the caller. */
};

/* Where docs/API.md is silent: null counts as absent; a field that takes integers takes integer literals only (1.0 is a
 * 422); a call without a body takes an empty one or `{}`, members are unknown fields; a header that becomes a field is
 * cut to the field's bytes_max, bytes that are no UTF-8 become '?'; an item's faults have paths that begin at the item,
 * "" being the item itself. The whole body is wiped after a call that has a sealed field, whatever its outcome.
 *
 * False with *ret_problem filled: 400 (detail ends with "at byte N"), 404 (path segment that is no id), 422 (errors),
 * 503 (no memory). */
QUIRE_MUSTCHECK bool transcode_encode(struct quire_arena *arena, const struct transcode_request *request,
                                      struct transcode_encoded *ret_encoded, struct problem *ret_problem);

struct transcode_decoded {
    struct quire_slice json; /* empty for 204, 304 */
    struct quire_slice etag_name,
        etag; /* a header that a field became (at most one: the contract's generator checks); empty when none */
    struct quire_slice location; /* empty when none */
};

/* A reply's value to JSON. `token` is the minted one or "". False: not this call's message, or no memory: answer 502 as
 * an internal error (500). */
QUIRE_MUSTCHECK bool transcode_decode(struct quire_arena *arena, const struct quire_call *call, unsigned status,
                                      struct quire_slice value, const char *token,
                                      struct transcode_decoded *ret_decoded);

#endif
