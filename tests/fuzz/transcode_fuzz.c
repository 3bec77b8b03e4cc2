/* A client's JSON, query string and path segment to every call's message and back: what is taken must be a message that
 * packs, unpacks and becomes JSON again. The first byte chooses the call. */
#include "base/contract.h"
#include "base/seal.h"
#include "gateway/transcode.h"

#include <sodium.h>
#include <stdlib.h>

static const struct quire_call *choose(uint8_t number) {
    size_t at = number;
    for (;;) {
        for (size_t i = 0; i < quire_contract.services_count; i++) {
            if (at < quire_contract.services[i].calls_count)
                return &quire_contract.services[i].calls[at];
            at -= quire_contract.services[i].calls_count;
        }
        if (quire_contract.services_count == 0)
            abort();
    }
}

static const struct quire_slice *no_header(void *context, const char *name) {
    (void)context;
    (void)name;
    return NULL;
}

static void encode(const struct quire_call *call, struct quire_slice input, struct quire_arena *arena) {
    static const uint8_t correlation[QUIRE_CORRELATION_BYTES];
    struct quire_seal_key key = {.id = 1};
    (void)crypto_box_keypair(key.public_key, key.secret_key);
    uint8_t *body = quire_arena_zalloc(arena, input.size + 16);
    if (body == NULL)
        return;
    if (input.size > 0)
        memcpy(body, input.bytes, input.size);
    struct quire_slice segments[16];
    for (size_t i = 0; i < 16; i++)
        segments[i] = QUIRE_SLICE_LITERAL("019c2f3e-0000-7000-8000-000000000001");
    const struct transcode_request request = {
        .call = call,
        .body = body,
        .body_bytes = call->has_body ? input.size : 0,
        .query = call->has_body ? (struct quire_slice){NULL, 0} : input,
        .path_segments = segments,
        .header = no_header,
        .client = QUIRE_SLICE_LITERAL("192.0.2.1"),
        .seal_key = &key,
        .correlation = correlation,
        .deadline_ms = 1,
    };
    struct transcode_encoded encoded;
    struct problem problem;
    if (!transcode_encode(arena, &request, &encoded, &problem)) {
        struct quire_slice json;
        if (!problem_render(arena, &problem, QUIRE_SLICE_LITERAL("fuzz"), &json))
            return;
        if (problem.status != 400 && problem.status != 404 && problem.status != 422 && problem.status != 503)
            abort();
        return;
    }
    ProtobufCMessage *message =
        protobuf_c_message_unpack(call->input->descriptor, &arena->protobuf, encoded.value_bytes, encoded.value);
    if (message == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || sodium_init() < 0)
        return 0;
    const struct quire_call *call = choose(data[0]);
    const struct quire_slice input = {data + 1, size - 1};
    struct quire_arena arena;
    quire_arena_init(&arena, 64 << 20);
    encode(call, input, &arena);
    /* The other way: bytes off a reply topic. */
    struct transcode_decoded decoded;
    (void)!transcode_decode(&arena, call, call->status, input, "", &decoded);
    struct problem problem;
    (void)!problem_decode(&arena, input, &problem);
    quire_arena_deinit(&arena);
    return 0;
}
