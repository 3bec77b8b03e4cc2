/* A whole request to its message: path, body or query, headers, what the gateway itself puts in; then packed. */
#include "gateway/transcode.h"

#include "base/utf8.h"
#include "gateway/encode_internal.h"
#include "gateway/query_string.h"

#include "base/token.h"

#include <sodium.h>
#include <stdlib.h>

/* How a request's reading ends; each row but the first is an answer. */
enum transcode_end {
    TRANSCODE_DONE,
    TRANSCODE_MALFORMED,
    TRANSCODE_NOT_FOUND,
    TRANSCODE_INVALID,
    TRANSCODE_NO_KEY,
    TRANSCODE_NO_MEMORY
};

static const struct {
    unsigned status;
    const char *slug, *detail;
} transcode_ends[] = {
    [TRANSCODE_DONE] = {0, NULL, NULL},
    [TRANSCODE_MALFORMED] = {400, "malformed", NULL},
    [TRANSCODE_NOT_FOUND] = {404, NULL, "There is nothing at this address."},
    [TRANSCODE_INVALID] = {422, "invalid", NULL},
    [TRANSCODE_NO_KEY] = {503, NULL, "Passwords can't be taken now."},
    [TRANSCODE_NO_MEMORY] = {503, NULL, "The gateway has no memory left for this request."},
};

/* One request while it is read. */
struct transcode {
    struct encode encode;
    struct encode_faults faults;
    const struct quire_message_spec *spec; /* of the input */
    ProtobufCMessage *message;
    bool *closed; /* a field: filled by the path, or, in a call without body, any */
    struct json_document document;
    struct quire_slice packed;
    char *token;        /* of the encoded */
    const char *reason; /* of TRANSCODE_MALFORMED */
    size_t reason_at;
};

static bool transcode_has_sealed(const struct quire_message_spec *spec, unsigned depth) {
    for (size_t i = 0; i < spec->descriptor->n_fields; i++) {
        const struct quire_field_spec *field = &spec->fields[i];
        if (field->sealed || (field->message != NULL && depth < 4 && transcode_has_sealed(field->message, depth + 1)))
            return true;
    }
    return false;
}

static enum transcode_end transcode_read_path(struct transcode *transcode) {
    const struct quire_call *call = transcode->encode.request->call;
    for (size_t i = 0; i < call->segments_count; i++) {
        if (call->segments[i].field < 0)
            continue;
        size_t field = (size_t)call->segments[i].field;
        const ProtobufCFieldDescriptor *descriptor = &transcode->spec->descriptor->fields[field];
        struct quire_slice segment = transcode->encode.request->path_segments[i];
        struct encode_path path = {.name = quire_slice_of(descriptor->name)};
        char *text = quire_arena_text(transcode->encode.arena, segment);
        if (text == NULL)
            return TRANSCODE_NO_MEMORY;
        struct encode_value value =
            encode_value_of_text(descriptor, (struct quire_slice){(const uint8_t *)text, segment.size});
        if (!quire_utf8_valid(segment) ||
            !encode_field(&transcode->encode, &path, transcode->spec, field, &value, 1, transcode->message))
            return TRANSCODE_NOT_FOUND;
        transcode->closed[field] = true;
    }
    return TRANSCODE_DONE;
}

/* A call without a body may be sent an object that says nothing, as some clients do with every POST. */
static void transcode_close_all(struct transcode *transcode) {
    memset(transcode->closed, true, transcode->spec->descriptor->n_fields * sizeof(bool));
}

static enum transcode_end transcode_read_object(struct transcode *transcode) {
    if (!yyjson_is_obj(transcode->document.root)) {
        encode_fault(&transcode->encode, NULL, "the body must be an object");
        return TRANSCODE_DONE;
    }
    encode_object(&transcode->encode, NULL, transcode->spec, transcode->closed, transcode->document.root, 1,
                  transcode->message);
    return TRANSCODE_DONE;
}

static enum transcode_end transcode_read_body(struct transcode *transcode) {
    const struct transcode_request *request = transcode->encode.request;
    if (request->body_bytes == 0) {
        if (!request->call->has_body)
            return TRANSCODE_DONE;
        transcode->reason = "The body is empty";
        return TRANSCODE_MALFORMED;
    }
    switch (json_document_read(&transcode->document, request->body, request->body_bytes, &transcode->reason,
                               &transcode->reason_at)) {
    case JSON_READ:
        return transcode_read_object(transcode);
    case JSON_MALFORMED:
        return TRANSCODE_MALFORMED;
    case JSON_TOO_MANY_VALUES:
        encode_fault(&transcode->encode, NULL, "the body has too many values");
        return TRANSCODE_DONE;
    case JSON_NO_MEMORY:
        break;
    }
    return TRANSCODE_NO_MEMORY;
}

static void transcode_read_parameter(struct transcode *transcode, bool *seen, struct quire_slice name,
                                     struct quire_slice text) {
    struct encode *encode = &transcode->encode;
    const struct quire_message_spec *spec = transcode->spec;
    struct encode_path path = {.name = name};
    size_t field = encode_find(spec, transcode->closed, name);
    if (field == spec->descriptor->n_fields) {
        encode_fault(encode, &path, "is an unknown parameter");
    } else if (seen[field]) {
        encode_fault(encode, &path, "is given more than once");
    } else {
        seen[field] = true;
        struct encode_value value = encode_value_of_text(&spec->descriptor->fields[field], text);
        if (text.size > 0)
            (void)encode_field(encode, &path, spec, field, &value, 1,
                               transcode->message); /* its faults stand in the list */
    }
}

static enum transcode_end transcode_read_query(struct transcode *transcode) {
    struct encode *encode = &transcode->encode;
    struct query_string query = {.text = encode->request->query};
    bool *seen = encode_alloc(encode, transcode->spec->descriptor->n_fields + 1);
    if (seen == NULL)
        return TRANSCODE_NO_MEMORY;
    for (;;) {
        struct quire_slice name, text;
        switch (query_string_next(&query, encode->arena, &name, &text)) {
        case QUERY_PARAMETER:
            transcode_read_parameter(transcode, seen, name, text);
            continue;
        case QUERY_END:
            encode_required(encode, NULL, transcode->spec, transcode->closed, seen);
            return TRANSCODE_DONE;
        case QUERY_MALFORMED:
            transcode->reason = "The query string is malformed";
            transcode->reason_at = query.at;
            return TRANSCODE_MALFORMED;
        case QUERY_NO_MEMORY:
            return TRANSCODE_NO_MEMORY;
        }
    }
}

/* ---- What comes from elsewhere than the client's JSON */

static void transcode_set_text(struct transcode *transcode, size_t field, const char *text) {
    memcpy((uint8_t *)transcode->message + transcode->spec->descriptor->fields[field].offset, &text, sizeof(text));
}

/* Headers are bytes; what becomes a field is text. */
static char *transcode_header_text(struct quire_arena *arena, struct quire_slice value, size_t bytes_max) {
    char *text = quire_arena_text(arena, value);
    if (text == NULL)
        return NULL;
    struct quire_slice rest = {(const uint8_t *)text, value.size};
    for (size_t at = 0; at < rest.size;) {
        size_t bytes = quire_utf8_character_bytes(rest, at);
        if (bytes == 0)
            text[at] = '?';
        at += bytes == 0 ? 1 : bytes;
    }
    if (bytes_max != 0)
        text[quire_utf8_cut(rest, bytes_max).size] = '\0';
    return text;
}

static enum transcode_end transcode_read_rest(struct transcode *transcode) {
    const struct transcode_request *request = transcode->encode.request;
    for (size_t i = 0; i < transcode->spec->descriptor->n_fields; i++) {
        const struct quire_field_spec *spec = &transcode->spec->fields[i];
        const struct quire_slice *value = spec->header == NULL      ? NULL
                                          : request->header == NULL ? NULL
                                                                    : request->header(request->context, spec->header);
        if (spec->client_address && request->client.size > 0)
            value = &request->client;
        if (value == NULL)
            continue;
        char *text = transcode_header_text(transcode->encode.arena, *value, spec->bytes_max);
        if (text == NULL)
            return TRANSCODE_NO_MEMORY;
        transcode_set_text(transcode, i, text);
    }
    return TRANSCODE_DONE;
}

/* The token goes to the client with the answer; to Kafka goes only its hash (base/token.h). */
static void transcode_mint(struct transcode *transcode, size_t hash_field, size_t tag_field) {
    struct encode *encode = &transcode->encode;
    const ProtobufCFieldDescriptor *fields = transcode->spec->descriptor->fields;
    const char *email;
    uint8_t tag[QUIRE_TAG_BYTES];
    memcpy(&email, (uint8_t *)transcode->message + fields[tag_field].offset, sizeof(email));
    if (!quire_account_tag(quire_slice_of(email), tag)) {
        struct encode_path path = {.name = quire_slice_of(fields[tag_field].name)};
        encode_fault(encode, &path, "must be an e-mail address");
        return;
    }
    ProtobufCBinaryData hash = {QUIRE_SESSION_BYTES, encode_alloc(encode, QUIRE_SESSION_BYTES)};
    if (hash.data == NULL)
        return;
    quire_token_mint(tag, transcode->token, hash.data);
    memcpy((uint8_t *)transcode->message + fields[hash_field].offset, &hash, sizeof(hash));
    *(protobuf_c_boolean *)((uint8_t *)transcode->message + fields[hash_field].quantifier_offset) = 1;
}

static void transcode_mint_if_asked(struct transcode *transcode) {
    size_t fields = transcode->spec->descriptor->n_fields, hash_field = fields, tag_field = fields;
    for (size_t i = 0; i < fields; i++) {
        if (transcode->spec->fields[i].minted_token_hash)
            hash_field = i;
        if (transcode->spec->fields[i].gives_account_tag)
            tag_field = i;
    }
    if (hash_field < fields && tag_field < fields && transcode->faults.count == 0)
        transcode_mint(transcode, hash_field, tag_field);
}

static enum transcode_end transcode_pack(struct transcode *transcode) {
    size_t size = protobuf_c_message_get_packed_size(transcode->message);
    uint8_t *bytes = quire_arena_alloc(transcode->encode.arena, size == 0 ? 1 : size);
    if (bytes == NULL)
        return TRANSCODE_NO_MEMORY;
    transcode->packed = (struct quire_slice){bytes, protobuf_c_message_pack(transcode->message, bytes)};
    return TRANSCODE_DONE;
}

/* ---- In order */

static enum transcode_end transcode_begin(struct transcode *transcode) {
    struct encode *encode = &transcode->encode;
    transcode->faults.max = ENCODE_FAULTS_MAX;
    encode->faults = &transcode->faults;
    transcode->message = encode_message_create(encode, transcode->spec);
    transcode->closed = encode_alloc(encode, transcode->spec->descriptor->n_fields + 1);
    return transcode->message == NULL || transcode->closed == NULL ? TRANSCODE_NO_MEMORY : TRANSCODE_DONE;
}

static enum transcode_end transcode_run(struct transcode *transcode) {
    bool has_body = transcode->encode.request->call->has_body;
    enum transcode_end end = transcode_begin(transcode);
    if (end == TRANSCODE_DONE)
        end = transcode_read_path(transcode);
    /* A field comes from one place: the body of a call that has one, otherwise the query. The other must name none. */
    if (end == TRANSCODE_DONE && has_body)
        end = transcode_read_body(transcode);
    if (end == TRANSCODE_DONE && has_body)
        transcode_close_all(transcode);
    if (end == TRANSCODE_DONE)
        end = transcode_read_query(transcode);
    if (end == TRANSCODE_DONE && !has_body) {
        transcode_close_all(transcode);
        end = transcode_read_body(transcode);
    }
    if (end == TRANSCODE_DONE)
        end = transcode_read_rest(transcode);
    if (end == TRANSCODE_DONE)
        transcode_mint_if_asked(transcode);
    if (transcode->encode.no_memory)
        return TRANSCODE_NO_MEMORY;
    if (end == TRANSCODE_DONE && transcode->faults.count > 0)
        return TRANSCODE_INVALID;
    return end == TRANSCODE_DONE ? transcode_pack(transcode) : end;
}

static void transcode_tell(struct transcode *transcode, enum transcode_end end, struct problem *ret_problem) {
    struct quire_arena *arena = transcode->encode.arena;
    *ret_problem = (struct problem){
        .status = transcode_ends[end].status, .slug = transcode_ends[end].slug, .detail = transcode_ends[end].detail};
    if (end == TRANSCODE_MALFORMED)
        ret_problem->detail = quire_arena_printf(arena, "%s at byte %zu", transcode->reason, transcode->reason_at);
    if (end == TRANSCODE_INVALID) {
        const struct problem_fault *first = &transcode->faults.list[0];
        ret_problem->faults = transcode->faults.list;
        ret_problem->faults_count = transcode->faults.count;
        ret_problem->detail =
            quire_arena_printf(arena, "%s%s%s.", first->field, first->field[0] == '\0' ? "" : " ", first->message);
    }
}

bool transcode_encode(struct quire_arena *arena, const struct transcode_request *request,
                      struct transcode_encoded *ret_encoded, struct problem *ret_problem) {
    char token[sizeof(ret_encoded->token)] = "";
    struct transcode transcode = {
        .encode = {.arena = arena, .request = request}, .spec = request->call->input, .token = token};
    bool sealed = transcode_has_sealed(transcode.spec, 0);
    enum transcode_end end = sealed && request->seal_key == NULL ? TRANSCODE_NO_KEY : transcode_run(&transcode);
    json_document_close(&transcode.document);
    if (sealed && request->body_bytes > 0) /* of a password nothing is left but its sealed form */
        sodium_memzero(request->body, request->body_bytes);
    if (end == TRANSCODE_DONE) {
        *ret_encoded = (struct transcode_encoded){.value = (uint8_t *)(uintptr_t)transcode.packed.bytes,
                                                  .value_bytes = transcode.packed.size};
        memcpy(ret_encoded->token, token, sizeof(token));
    } else {
        transcode_tell(&transcode, end, ret_problem);
    }
    sodium_memzero(token, sizeof(token));
    return end == TRANSCODE_DONE;
}
