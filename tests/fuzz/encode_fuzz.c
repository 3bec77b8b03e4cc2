/* A client's JSON, query string, path segment and headers to every call's message, and back. What is refused is told in
 * a problem that is itself good JSON; what is taken is a message whose every text is UTF-8, and which, turned into JSON
 * and read again, is the same message.
 *
 * The first byte chooses the call, the second how many of the next bytes are a header's value, the rest is body or
 * query. */
#define _GNU_SOURCE /* memmem */
#include "base/seal.h"
#include "base/utf8.h"
#include "calls.h"
#include "gateway/json_read.h"
#include "gateway/transcode.h"
#include "random.h"
#include "texts.h"

#include <assert.h>
#include <sodium.h>

static struct quire_seal_key seal_key = {.id = 1};
static struct quire_arena arena;

/* Linked in place of libsodium's, which takes longer than all else here: only its sizes matter. */
int __wrap_crypto_box_seal(unsigned char *sealed, const unsigned char *message, unsigned long long size,
                           const unsigned char *key);
int __wrap_crypto_box_seal(unsigned char *sealed, const unsigned char *message, unsigned long long size,
                           const unsigned char *key) {
    (void)key;
    memset(sealed, 0x5a, crypto_box_SEALBYTES);
    if (size > 0)
        memmove(sealed + crypto_box_SEALBYTES, message, size); /* sealed in place: base/seal.c */
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    fuzz_random_install();
    quire_arena_init(&arena, 64 << 20);
    return crypto_box_keypair(seal_key.public_key, seal_key.secret_key);
}

struct input {
    struct quire_slice header, text;
};

static const struct quire_slice *find_header(void *context, const char *name) {
    struct input *input = context;
    (void)name;
    return input->header.size == 0 ? NULL : &input->header;
}

/* A copy that may be written to, as transcode_encode asks for. */
static uint8_t *body_of(struct quire_slice text) {
    uint8_t *body = quire_arena_zalloc(&arena, text.size + YYJSON_PADDING_SIZE);
    assert(body != NULL);
    if (text.size > 0)
        memcpy(body, text.bytes, text.size);
    return body;
}

static void check_json(struct quire_slice json) {
    struct json_document document;
    const char *reason;
    size_t at;
    assert(json_document_read(&document, body_of(json), json.size, &reason, &at) == JSON_READ);
    json_document_close(&document);
}

static void check_refusal(const struct problem *problem) {
    struct quire_slice json;
    assert(problem->status == 400 || problem->status == 404 || problem->status == 422);
    assert((problem->status == 422) == (problem->faults_count > 0));
    assert(problem_render(&arena, problem, QUIRE_SLICE_LITERAL("fuzz"), &json));
    check_json(json);
}

static bool text_fits(const struct quire_field_spec *field, struct quire_slice text) {
    return quire_utf8_valid(text) && (field->bytes_max == 0 || text.size <= field->bytes_max) &&
           (field->characters_max == 0 || quire_utf8_characters(text) <= field->characters_max);
}

static bool may_be_shown(const struct quire_message_spec *spec) {
    for (unsigned i = 0; i < spec->descriptor->n_fields; i++)
        if (spec->fields[i].sealed || spec->fields[i].minted_token_hash)
            return false;
    return true;
}

static struct quire_slice without(struct quire_slice json, const char *name) {
    uint8_t *bytes = body_of(json), *end = bytes + json.size, *at = bytes;
    const char *empty = quire_arena_printf(&arena, ",\"%s\":[]", name);
    while ((at = memmem(at, (size_t)(end - at), empty, strlen(empty))) != NULL) {
        end -= strlen(empty);
        memmove(at, at + strlen(empty), (size_t)(end - at));
    }
    return (struct quire_slice){bytes, (size_t)(end - bytes)};
}

/* A list that isn't there is shown as an empty one; but where an empty one is a fault, or the list is of an item's
 * faults, a client must leave it out. In a text its quotes would be escaped. */
static struct quire_slice without_empty_lists(const struct quire_message_spec *spec, struct quire_slice json) {
    for (unsigned i = 0; i < spec->descriptor->n_fields; i++) {
        if (spec->fields[i].faults || spec->fields[i].items_min > 0)
            json = without(json, spec->descriptor->fields[i].name);
        if (spec->fields[i].message != NULL)
            json = without_empty_lists(spec->fields[i].message, json);
    }
    return json;
}

/* As if the call answered with what it was asked. */
static struct quire_slice show(const struct quire_call *call, struct quire_slice value) {
    struct quire_call mirror = *call;
    struct transcode_decoded decoded;
    mirror.output = call->input;
    mirror.location = NULL;
    assert(transcode_decode(&arena, &mirror, 200, value, "", &decoded));
    return without_empty_lists(call->input, decoded.json);
}

static void check_round_trip(const struct quire_call *call, struct quire_slice value) {
    const struct quire_slice json = show(call, value);
    struct quire_call again = *call;
    again.has_body = true;
    again.segments_count = 0;
    const struct transcode_request request = {.call = &again, .body = body_of(json), .body_bytes = json.size};
    struct transcode_encoded encoded;
    struct problem problem;
    assert(transcode_encode(&arena, &request, &encoded, &problem));
    const struct quire_slice same = show(call, (struct quire_slice){encoded.value, encoded.value_bytes});
    assert(quire_slice_equal(json, same));
}

/* A message shows its header field as a header, which takes no more than this (RFC 9110 5.5). */
static bool is_header_text(struct quire_slice text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.bytes[i] < 0x20 || text.bytes[i] > 0x7e)
            return false;
    return true;
}

static void check_taken(const struct quire_call *call, const struct input *input,
                        const struct transcode_encoded *encoded) {
    const struct quire_slice value = {encoded->value, encoded->value_bytes};
    const ProtobufCMessage *message =
        protobuf_c_message_unpack(call->input->descriptor, &arena.protobuf, value.size, value.bytes);
    assert(message != NULL && fuzz_every_text(call->input, message, text_fits));
    if (!fuzz_has_faults(call->input, message) && may_be_shown(call->input) && is_header_text(input->header))
        check_round_trip(call, value);
}

static void encode(const struct quire_call *call, struct input *input) {
    static const uint8_t correlation[QUIRE_CORRELATION_BYTES];
    struct quire_slice segments[16];
    for (size_t i = 0; i < 16; i++)
        segments[i] = QUIRE_SLICE_LITERAL("019c2f3e-0000-7000-8000-000000000001");
    const struct transcode_request request = {
        .call = call,
        .body = body_of(input->text),
        .body_bytes = call->has_body ? input->text.size : 0,
        .query = call->has_body ? (struct quire_slice){NULL, 0} : input->text,
        .path_segments = segments,
        .header = find_header,
        .context = input,
        .client = QUIRE_SLICE_LITERAL("192.0.2.1"),
        .seal_key = &seal_key,
        .correlation = correlation,
        .deadline_ms = 1,
    };
    struct transcode_encoded encoded;
    struct problem problem;
    if (transcode_encode(&arena, &request, &encoded, &problem))
        check_taken(call, input, &encoded);
    else
        check_refusal(&problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    const size_t header_bytes = data[1] < size - 2 ? data[1] : size - 2;
    struct input input = {.header = {data + 2, header_bytes},
                          .text = {data + 2 + header_bytes, size - 2 - header_bytes}};
    fuzz_random_rewind();
    quire_arena_reset(&arena);
    encode(fuzz_call(data[0]), &input);
    return 0;
}
