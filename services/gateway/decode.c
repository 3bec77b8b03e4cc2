/* A reply's message to JSON, and to the headers that stand beside it. */
#include "gateway/json_write.h"
#include "gateway/member.h"
#include "gateway/transcode.h"

#include "base/clock.h"
#include "base/id.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

/* quire_time_text's bounds: years 0 to 9999. */
#define DECODE_TIME_MIN_MS (-62167219200000)
#define DECODE_TIME_MAX_MS 253402300799999

/* Invariant: !valid => the reply isn't the call's message, and the text counts for nothing. */
struct decode {
    struct quire_arena *arena;
    struct json_writer writer;
    const char *token;
    bool valid;
};

static const void *decode_member(const ProtobufCMessage *message, unsigned offset) {
    return (const uint8_t *)message + offset;
}

static struct quire_slice decode_text(const void *member) {
    const char *text;
    memcpy(&text, member, sizeof(text));
    return quire_slice_of(text);
}

static size_t decode_items(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message) {
    size_t items;
    memcpy(&items, decode_member(message, field->quantifier_offset), sizeof(items));
    return items;
}

static bool decode_is_present(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message) {
    const void *member = decode_member(message, field->offset);
    const void *pointer;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t which;
        memcpy(&which, decode_member(message, field->quantifier_offset), sizeof(which));
        return which == field->id;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
        memcpy(&pointer, member, sizeof(pointer));
        return pointer != NULL;
    }
    /* A field with a default has a value when it is absent, too: unpacking has put it there. */
    return field->label != PROTOBUF_C_LABEL_OPTIONAL || field->default_value != NULL ||
           *(const protobuf_c_boolean *)decode_member(message, field->quantifier_offset) != 0;
}

/* ---- Values */

static void decode_time(struct decode *decode, int64_t unix_ms) {
    char text[QUIRE_TIME_CHARACTERS + 1];
    if (unix_ms < DECODE_TIME_MIN_MS || unix_ms > DECODE_TIME_MAX_MS) {
        decode->valid = false;
        return;
    }
    quire_time_text(unix_ms, text);
    json_string(&decode->writer, quire_slice_of(text));
}

static void decode_bytes(struct decode *decode, const struct quire_field_spec *spec, const void *member) {
    ProtobufCBinaryData bytes;
    memcpy(&bytes, member, sizeof(bytes));
    if (spec->format == QUIRE_UUID) {
        char text[QUIRE_UUID_CHARACTERS + 1];
        if (bytes.len != QUIRE_UUID_BYTES) {
            decode->valid = false;
            return;
        }
        quire_uuid_text(bytes.data, text);
        json_string(&decode->writer, quire_slice_of(text));
        return;
    }
    size_t characters = sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_ORIGINAL);
    char *text = quire_arena_alloc(decode->arena, characters);
    if (text == NULL) {
        decode->writer.failed = true;
        return;
    }
    (void)sodium_bin2base64(text, characters, bytes.data, bytes.len, sodium_base64_VARIANT_ORIGINAL);
    json_string(&decode->writer, quire_slice_of(text));
}

static void decode_enum(struct decode *decode, const ProtobufCFieldDescriptor *field, const void *member) {
    int number;
    memcpy(&number, member, sizeof(number));
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(field->descriptor, number);
    if (value == NULL)
        decode->valid = false;
    else
        json_string(&decode->writer, quire_slice_of(value->name));
}

static void decode_64(struct decode *decode, const ProtobufCFieldDescriptor *field, const struct quire_field_spec *spec,
                      const void *member) {
    uint64_t bits;
    memcpy(&bits, member, sizeof(bits));
    if (spec->format == QUIRE_TIME)
        decode_time(decode, (int64_t)bits);
    else if (field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_FIXED64)
        json_unsigned(&decode->writer, bits);
    else
        json_integer(&decode->writer, (int64_t)bits);
}

static void decode_32(struct decode *decode, const ProtobufCFieldDescriptor *field, const void *member) {
    uint32_t bits;
    memcpy(&bits, member, sizeof(bits));
    if (field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_FIXED32)
        json_unsigned(&decode->writer, bits);
    else
        json_integer(&decode->writer, (int32_t)bits);
}

static void decode_floating(struct decode *decode, const ProtobufCFieldDescriptor *field, const void *member) {
    float single;
    double number;
    if (field->type == PROTOBUF_C_TYPE_FLOAT) {
        memcpy(&single, member, sizeof(single));
        number = (double)single;
    } else {
        memcpy(&number, member, sizeof(number));
    }
    json_number(&decode->writer, number);
}

static void decode_message(struct decode *decode, const struct quire_message_spec *spec,
                           const ProtobufCMessage *message);

static void decode_value(struct decode *decode, const ProtobufCFieldDescriptor *field,
                         const struct quire_field_spec *spec, const void *member) {
    const ProtobufCMessage *message;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        if (spec->format == QUIRE_JSON_OBJECT)
            json_raw(&decode->writer, decode_text(member));
        else
            json_string(&decode->writer, decode_text(member));
        break;
    case PROTOBUF_C_TYPE_BYTES:
        decode_bytes(decode, spec, member);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        memcpy(&message, member, sizeof(message));
        decode_message(decode, spec->message, message);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        json_boolean(&decode->writer, *(const protobuf_c_boolean *)member != 0);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        decode_enum(decode, field, member);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        decode_floating(decode, field, member);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        decode_64(decode, field, spec, member);
        break;
    default:
        decode_32(decode, field, member);
        break;
    }
}

/* ---- Messages */

static void decode_repeated(struct decode *decode, const ProtobufCFieldDescriptor *field,
                            const struct quire_field_spec *spec, const ProtobufCMessage *message) {
    const uint8_t *list;
    size_t items = decode_items(field, message), item_bytes = member_bytes(field);
    memcpy(&list, decode_member(message, field->offset), sizeof(list));
    json_begin(&decode->writer, '[');
    for (size_t i = 0; i < items && decode->valid && !decode->writer.failed; i++)
        decode_value(decode, field, spec, list + i * item_bytes);
    json_end(&decode->writer, ']');
}

static void decode_field(struct decode *decode, const ProtobufCFieldDescriptor *field,
                         const struct quire_field_spec *spec, const ProtobufCMessage *message) {
    struct json_writer *writer = &decode->writer;
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    bool present = repeated || (spec->minted_token ? decode->token[0] != '\0' : decode_is_present(field, message));
    if (spec->internal || spec->header != NULL || (!present && !spec->null_when_absent))
        return;
    json_name(writer, quire_slice_of(field->name));
    if (!present)
        json_null(writer);
    else if (repeated)
        decode_repeated(decode, field, spec, message);
    else if (spec->minted_token)
        json_string(writer, quire_slice_of(decode->token));
    else
        decode_value(decode, field, spec, decode_member(message, field->offset));
}

/* As deep as the reply itself: unpacking has recursed as deep already, over a message that a service made. */
static void decode_message(struct decode *decode, const struct quire_message_spec *spec,
                           const ProtobufCMessage *message) {
    json_begin(&decode->writer, '{');
    for (unsigned i = 0; i < spec->descriptor->n_fields && decode->valid && !decode->writer.failed; i++)
        decode_field(decode, &spec->descriptor->fields[i], &spec->fields[i], message);
    json_end(&decode->writer, '}');
}

/* ---- Headers */

/* What stands in a header must not end it: visible ASCII and spaces (RFC 9110 5.5). */
static bool decode_is_header_text(struct quire_slice text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.bytes[i] < 0x20 || text.bytes[i] > 0x7e)
            return false;
    return true;
}

static size_t decode_header_field(const struct quire_message_spec *spec) {
    size_t field = 0;
    while (field < spec->descriptor->n_fields && spec->fields[field].header == NULL)
        field++;
    return field;
}

static bool decode_set_header(const struct quire_message_spec *spec, size_t field, struct quire_slice text,
                              struct transcode_decoded *decoded) {
    if (!decode_is_header_text(text))
        return false;
    if (text.size > 0) {
        decoded->etag_name = quire_slice_of(spec->fields[field].header);
        decoded->etag = text;
    }
    return true;
}

/* A varint (protobuf's encoding guide); 0 bytes when it is cut short or over ten bytes. */
static size_t decode_varint(struct quire_slice value, size_t at, uint64_t *ret_number) {
    uint64_t number = 0;
    for (size_t i = 0; i < 10 && at + i < value.size; i++) {
        number |= (uint64_t)(value.bytes[at + i] & 0x7f) << (7 * i);
        if ((value.bytes[at + i] & 0x80) == 0) {
            *ret_number = number;
            return i + 1;
        }
    }
    return 0;
}

/* Bytes of the field's content at `at`, of this wire type; false when it reaches beyond the value. */
static bool decode_wire_content(struct quire_slice value, unsigned wire_type, size_t *at,
                                struct quire_slice *ret_content) {
    uint64_t length = 0;
    size_t prefix = 0;
    switch (wire_type) {
    case 0:
        prefix = decode_varint(value, *at, &length);
        length = 0;
        break;
    case 2:
        prefix = decode_varint(value, *at, &length);
        break;
    case 1:
    case 5:
        length = wire_type == 1 ? 8 : 4;
        break;
    default:
        return false;
    }
    if ((prefix == 0 && (wire_type == 0 || wire_type == 2)) || length > value.size - *at - prefix)
        return false;
    *ret_content = (struct quire_slice){value.bytes + *at + prefix, (size_t)length};
    *at += prefix + (size_t)length;
    return true;
}

/* A 304 carries the output with only its header field, so the message's required fields are missing and it can't be
 * unpacked: the field is looked for on the wire. */
static bool decode_not_modified(const struct quire_message_spec *spec, struct quire_slice value,
                                struct transcode_decoded *decoded) {
    size_t field = decode_header_field(spec);
    if (field == spec->descriptor->n_fields)
        return true;
    for (size_t at = 0; at < value.size;) {
        uint64_t tag;
        struct quire_slice content;
        size_t prefix = decode_varint(value, at, &tag);
        at += prefix;
        if (prefix == 0 || !decode_wire_content(value, (unsigned)(tag & 7), &at, &content))
            return false;
        if (tag >> 3 == spec->descriptor->fields[field].id && (tag & 7) == 2 &&
            !decode_set_header(spec, field, content, decoded))
            return false;
    }
    return true;
}

/* A field's text in a URI: a UUID, or a text percent-encoded but for unreserved characters (RFC 3986 2.3). Empty: no
 * such field, no memory. */
static struct quire_slice decode_location_part(struct quire_arena *arena, const struct quire_message_spec *spec,
                                               const ProtobufCMessage *message, const char *name) {
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(spec->descriptor, name);
    struct decode decode = {.arena = arena, .token = "", .valid = true};
    struct quire_slice text;
    if (field == NULL || field->label == PROTOBUF_C_LABEL_REPEATED || field->type == PROTOBUF_C_TYPE_MESSAGE)
        return (struct quire_slice){NULL, 0};
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        text = decode_text(decode_member(message, field->offset));
    } else {
        json_writer_init(&decode.writer, arena, 0, SIZE_MAX);
        decode_value(&decode, field, &spec->fields[field - spec->descriptor->fields],
                     decode_member(message, field->offset));
        if (!decode.valid || !json_writer_end(&decode.writer, &text))
            return (struct quire_slice){NULL, 0};
        if (text.size >= 2 && text.bytes[0] == '"')
            text = (struct quire_slice){text.bytes + 1, text.size - 2};
    }
    char *escaped = quire_arena_alloc(arena, 3 * text.size + 1);
    size_t size = 0;
    for (size_t i = 0; escaped != NULL && i < text.size; i++) {
        uint8_t byte = text.bytes[i];
        bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                     (byte < 0x80 && byte != '\0' && strchr("-._~", byte) != NULL);
        if (plain)
            escaped[size++] = (char)byte;
        else {
            static const char hex[] = "0123456789ABCDEF";
            escaped[size++] = '%';
            escaped[size++] = hex[byte >> 4];
            escaped[size++] = hex[byte & 15];
        }
    }
    return (struct quire_slice){(const uint8_t *)escaped, escaped == NULL ? 0 : size};
}

/* Fills the template; false when a part is missing. */
static bool decode_location(struct quire_arena *arena, const struct quire_call *call, const ProtobufCMessage *message,
                            struct quire_slice *ret_location) {
    const char *location = "";
    for (const char *rest = call->location; location != NULL && *rest != '\0';) {
        const char *open = strchr(rest, '{'), *close = open == NULL ? NULL : strchr(open, '}');
        if (close == NULL) {
            location = quire_arena_printf(arena, "%s%s", location, rest);
            break;
        }
        char *name = quire_arena_printf(arena, "%.*s", (int)(close - open - 1), open + 1);
        struct quire_slice part =
            name == NULL ? (struct quire_slice){NULL, 0} : decode_location_part(arena, call->output, message, name);
        if (part.size == 0)
            return false;
        location = quire_arena_printf(arena, "%s%.*s%.*s", location, (int)(open - rest), rest, (int)part.size,
                                      (const char *)part.bytes);
        rest = close + 1;
    }
    *ret_location = quire_slice_of(location);
    return location != NULL;
}

/* ---- All of it */

static bool decode_body(struct quire_arena *arena, const struct quire_call *call, struct quire_slice value,
                        const char *token, struct transcode_decoded *decoded) {
    const struct quire_message_spec *spec = call->output;
    const ProtobufCMessage *message =
        protobuf_c_message_unpack(spec->descriptor, &arena->protobuf, value.size, value.bytes);
    if (message == NULL)
        return false;
    struct decode decode = {.arena = arena, .token = token, .valid = true};
    /* Measured, as text of control characters alone is six times as long in JSON, and growing to that in steps would
     * take three times as much again. What is no text in the value counts too; of that there is little. */
    json_writer_init(&decode.writer, arena, value.size + value.size / 4 + 512 + json_escapes_bytes(value), SIZE_MAX);
    decode_message(&decode, spec, message);
    if (!decode.valid || !json_writer_end(&decode.writer, &decoded->json))
        return false;
    size_t field = decode_header_field(spec);
    if (field < spec->descriptor->n_fields &&
        !decode_set_header(spec, field, decode_text(decode_member(message, spec->descriptor->fields[field].offset)),
                           decoded))
        return false;
    return call->location == NULL || decode_location(arena, call, message, &decoded->location);
}

bool transcode_decode(struct quire_arena *arena, const struct quire_call *call, unsigned status,
                      struct quire_slice value, const char *token, struct transcode_decoded *ret_decoded) {
    struct transcode_decoded decoded = {.json = {NULL, 0}};
    if (status == 0)
        status = call->status;
    bool valid = status == 204   ? true
                 : status == 304 ? decode_not_modified(call->output, value, &decoded)
                                 : decode_body(arena, call, value, token, &decoded);
    if (valid)
        *ret_decoded = decoded;
    return valid;
}
