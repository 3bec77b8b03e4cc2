/* What the tests of transcoding share: one arena, one key to seal with, and bodies as the gateway has them. */
#ifndef QUIRE_UNIT_GATEWAY_TRANSCODE_FIXTURE_H
#define QUIRE_UNIT_GATEWAY_TRANSCODE_FIXTURE_H

#include "gateway/transcode.h"

#include "base/seal.h"
#include "base/wire.h"
#include "unit/suite.h"

#include "call_of.h"

#include <sodium.h>
#include <stdlib.h>
#include <yyjson.h>

#define ARENA_BYTES_MAX ((size_t)128 * 1024 * 1024)

static struct fixture {
    struct quire_arena arena;
    struct quire_seal_key key;
    uint8_t correlation[QUIRE_CORRELATION_BYTES];
    struct quire_slice user_agent;
} f;

static inline int set_up(void) {
    if (sodium_init() < 0)
        return 1;
    quire_arena_init(&f.arena, ARENA_BYTES_MAX);
    f.key.id = 7;
    crypto_box_keypair(f.key.public_key, f.key.secret_key);
    memset(f.correlation, 9, sizeof(f.correlation));
    return 0;
}

static inline int tear_down(void) {
    quire_arena_deinit(&f.arena);
    return 0;
}

static inline const struct quire_slice *header(void *context, const char *name) {
    (void)context;
    return strcmp(name, "User-Agent") == 0 && f.user_agent.size > 0 ? &f.user_agent : NULL;
}

/* A body as the gateway has it: on the heap, with just the padding, so that ASan sees what goes beyond. */
struct body {
    uint8_t *bytes;
    size_t size;
};

static inline struct body body_of(const void *bytes, size_t size) {
    struct body body = {malloc(size + YYJSON_PADDING_SIZE), size};
    CU_ASSERT_PTR_NOT_NULL_FATAL(body.bytes);
    memcpy(body.bytes, bytes, size);
    return body;
}

static inline struct transcode_request request_of(const struct quire_call *call, const struct body *body) {
    return (struct transcode_request){.call = call,
                                      .body = body == NULL ? NULL : body->bytes,
                                      .body_bytes = body == NULL ? 0 : body->size,
                                      .header = header,
                                      .client = QUIRE_SLICE_LITERAL("192.0.2.7"),
                                      .seal_key = &f.key,
                                      .correlation = f.correlation,
                                      .deadline_ms = 1234};
}

/* The body is the caller's to free. */
static inline bool encodes(const char *method, const void *bytes, size_t size, struct transcode_encoded *ret_encoded,
                           struct problem *ret_problem, struct body *ret_body) {
    *ret_body = body_of(bytes, size);
    struct transcode_request request = request_of(call_of(method), ret_body);
    return transcode_encode(&f.arena, &request, ret_encoded, ret_problem);
}

#endif
