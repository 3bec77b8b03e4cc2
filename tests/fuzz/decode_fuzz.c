/* Bytes off a reply topic to an answer, for every call. Whatever a service sends: the answer is one HTTP response that
 * a strict parser reads to its end, no header of it holds what could end a line or reach a terminal, a problem's body
 * is good JSON, and so is a message's whose own texts are. The first byte chooses the call, the second the reply's
 * status. */
#include "base/utf8.h"
#include "calls.h"
#include "gateway/response.h"
#include "gateway/transcode.h"
#include "random.h"
#include "texts.h"

#include <assert.h>
#include <llhttp.h>
#include <yyjson.h>

static const unsigned failures[] = {400, 401, 403, 404, 409, 412, 422, 429, 500, 503};
static struct quire_arena arena;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    fuzz_random_install();
    quire_arena_init(&arena, 64 << 20);
    return 0;
}

static bool is_json(struct quire_slice text) {
    yyjson_doc *document =
        text.size == 0 ? NULL : yyjson_read((const char *)text.bytes, text.size, YYJSON_READ_NUMBER_AS_RAW);
    const bool is_object = yyjson_is_obj(yyjson_doc_get_root(document)); /* both take NULL */
    yyjson_doc_free(document);
    return is_object;
}

static bool text_is_good(const struct quire_field_spec *field, struct quire_slice text) {
    return field->format == QUIRE_JSON_OBJECT ? is_json(text) : quire_utf8_valid(text);
}

/* RFC 9110 5.5 */
static bool is_header_text(struct quire_slice text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.bytes[i] < 0x20 || text.bytes[i] > 0x7e)
            return false;
    return true;
}

static int pause_at_end(llhttp_t *parser) {
    (void)parser;
    return HPE_PAUSED;
}

/* One response, of which not a byte is left over. */
static void check_response(struct response *response, struct quire_slice content) {
    struct quire_slice head;
    llhttp_t parser;
    llhttp_settings_t settings;
    assert(is_header_text(response->etag) && is_header_text(response->location) &&
           is_header_text(response->rate_limit) && is_header_text(response->rate_limit_policy));
    response->request_id = QUIRE_SLICE_LITERAL("fuzz");
    response->date = "Sun, 06 Nov 1994 08:49:37 GMT";
    response->content_type = "application/json";
    response->content_bytes = content.size;
    assert(response_render(&arena, response, &head));
    llhttp_settings_init(&settings);
    settings.on_message_complete = pause_at_end;
    llhttp_init(&parser, HTTP_RESPONSE, &settings);
    const bool has_content = response->status != 204 && response->status != 304 && content.size > 0;
    const llhttp_errno_t after_head = llhttp_execute(&parser, (const char *)head.bytes, head.size);
    if (!has_content) {
        assert(after_head == HPE_PAUSED && llhttp_get_error_pos(&parser) == (const char *)head.bytes + head.size);
        return;
    }
    assert(after_head == HPE_OK);
    assert(llhttp_execute(&parser, (const char *)content.bytes, content.size) == HPE_PAUSED);
    assert(llhttp_get_error_pos(&parser) == (const char *)content.bytes + content.size);
}

static void decode_problem(struct quire_slice value, unsigned status) {
    struct problem problem;
    struct quire_slice json;
    if (!problem_decode(&arena, value, &problem))
        return;
    assert(problem.status >= 400 && problem.status <= 599);
    problem.status = status;
    assert(problem_render(&arena, &problem, QUIRE_SLICE_LITERAL("fuzz"), &json) && is_json(json));
    check_response(&(struct response){.status = status,
                                      .rate_limit = problem.rate_limit,
                                      .rate_limit_policy = problem.rate_limit_policy,
                                      .retry_after_s = problem.retry_after_s},
                   json);
}

static bool texts_are_good(const struct quire_call *call, struct quire_slice value) {
    const ProtobufCMessage *message =
        protobuf_c_message_unpack(call->output->descriptor, &arena.protobuf, value.size, value.bytes);
    return message != NULL && fuzz_every_text(call->output, message, text_is_good);
}

static void decode_answer(const struct quire_call *call, struct quire_slice value, unsigned status) {
    struct transcode_decoded decoded;
    if (!transcode_decode(&arena, call, status, value, "", &decoded))
        return;
    assert((decoded.json.size > 0) == (status != 204 && status != 304));
    assert(decoded.json.size == 0 || !texts_are_good(call, value) || is_json(decoded.json));
    check_response(&(struct response){.status = status,
                                      .location = decoded.location,
                                      .etag_name = decoded.etag_name,
                                      .etag = decoded.etag,
                                      .cache_control = "no-store"},
                   decoded.json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    const struct quire_call *call = fuzz_call(data[0]);
    const struct quire_slice value = {data + 2, size - 2};
    quire_arena_reset(&arena);
    if (data[1] < 0x40)
        decode_answer(call, value, call->status);
    else if (data[1] < 0x80)
        decode_answer(call, value, 304);
    else
        decode_problem(value, failures[data[1] % (sizeof(failures) / sizeof(failures[0]))]);
    return 0;
}
