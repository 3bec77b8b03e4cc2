/* One value to one field: types, bounds, formats. Each fault is told in words that a client's author understands. */
#include "gateway/encode_internal.h"

#include "base/utf8.h"

#include "base/id.h"
#include "base/seal.h"
#include "base/token.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* RFC 5321 4.5.3.1.1 */
#define EMAIL_LOCAL_BYTES_MAX 64u
/* Folding (NFKC) may lengthen a text; an address that grows beyond this is none. */
#define EMAIL_FOLDED_BYTES_MAX 1024u

static const char *const encode_kind_names[] = {
    [ENCODE_STRING] = "a string",  [ENCODE_NUMBER] = "a number", [ENCODE_BOOLEAN] = "a boolean",
    [ENCODE_OBJECT] = "an object", [ENCODE_ARRAY] = "an array",  [ENCODE_NULL] = "null",
};

struct encode_value encode_value_of(yyjson_val *json) {
    struct encode_value value = {.kind = ENCODE_NULL, .json = json};
    if (yyjson_is_str(json))
        value.kind = ENCODE_STRING;
    else if (yyjson_is_raw(json))
        value.kind = ENCODE_NUMBER;
    else if (yyjson_is_bool(json))
        value.kind = ENCODE_BOOLEAN;
    else if (yyjson_is_obj(json))
        value.kind = ENCODE_OBJECT;
    else if (yyjson_is_arr(json))
        value.kind = ENCODE_ARRAY;
    if (value.kind == ENCODE_STRING || value.kind == ENCODE_NUMBER)
        value.text = json_slice(json);
    value.truth = yyjson_is_true(json);
    return value;
}

struct encode_value encode_value_of_text(const ProtobufCFieldDescriptor *field, struct quire_slice text) {
    struct encode_value value = {.kind = ENCODE_NUMBER, .text = text};
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_ENUM:
        value.kind = ENCODE_STRING;
        break;
    case PROTOBUF_C_TYPE_BOOL:
        value.truth = quire_slice_equal(text, QUIRE_SLICE_LITERAL("true"));
        value.kind =
            value.truth || quire_slice_equal(text, QUIRE_SLICE_LITERAL("false")) ? ENCODE_BOOLEAN : ENCODE_STRING;
        break;
    default:
        break;
    }
    return value;
}

static bool encode_is_kind(struct encode *encode, const struct encode_path *path, const struct encode_value *value,
                           enum encode_kind kind) {
    if (value->kind == kind)
        return true;
    encode_fault(encode, path, "must be %s, not %s", encode_kind_names[kind], encode_kind_names[value->kind]);
    return false;
}

/* ---- Numbers */

typedef __int128 encode_wide; /* holds every int64 and uint64 */

/* An integer literal, saturated far outside both 64-bit ranges; false for anything else (1.0 and 1e3 are no integers
 * here: what a client means by them for a count is a guess). */
static bool encode_parse_integer(struct quire_slice text, encode_wide *ret_value) {
    const encode_wide limit = (encode_wide)1 << 65;
    bool negative = text.size > 0 && text.bytes[0] == '-';
    encode_wide value = 0;
    if (text.size == (size_t)negative)
        return false;
    for (size_t i = negative; i < text.size; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
        value = value > limit ? value : value * 10 + (text.bytes[i] - '0');
    }
    *ret_value = negative ? -value : value;
    return true;
}

static bool encode_integer(struct encode *encode, const struct encode_path *path, const struct quire_field_spec *spec,
                           const struct encode_value *value, int64_t type_min, uint64_t type_max,
                           encode_wide *ret_value) {
    int64_t min = spec->has_number_min && spec->number_min > type_min ? spec->number_min : type_min;
    uint64_t max = spec->has_number_max && spec->number_max >= 0 && (uint64_t)spec->number_max < type_max
                       ? (uint64_t)spec->number_max
                       : type_max;
    if (!encode_is_kind(encode, path, value, ENCODE_NUMBER))
        return false;
    encode_wide integer;
    if (!encode_parse_integer(value->text, &integer)) {
        encode_fault(encode, path, "must be an integer");
        return false;
    }
    if (integer < min || integer > (encode_wide)max || (spec->has_number_max && integer > spec->number_max)) {
        encode_fault(encode, path, "must be from %" PRId64 " to %" PRIu64, min, max);
        return false;
    }
    *ret_value = integer;
    return true;
}

static bool encode_double(struct encode *encode, const struct encode_path *path, const struct quire_field_spec *spec,
                          const struct encode_value *value, double *ret_value) {
    if (!encode_is_kind(encode, path, value, ENCODE_NUMBER))
        return false;
    char *end;
    double number = strtod((const char *)value->text.bytes, &end);
    if (value->text.size == 0 || end != (const char *)value->text.bytes + value->text.size || !isfinite(number)) {
        encode_fault(encode, path, "must be a number that a double holds");
        return false;
    }
    if ((spec->has_number_min && number < (double)spec->number_min) ||
        (spec->has_number_max && number > (double)spec->number_max)) {
        encode_fault(encode, path, "is out of range");
        return false;
    }
    *ret_value = number;
    return true;
}

static bool encode_32(struct encode *encode, const struct encode_path *path, const struct quire_field_spec *spec,
                      const struct encode_value *value, int64_t type_min, uint64_t type_max, void *member) {
    encode_wide integer;
    if (!encode_integer(encode, path, spec, value, type_min, type_max, &integer))
        return false;
    uint32_t bits = (uint32_t)integer; /* two's complement, as the int32 of the same bits */
    memcpy(member, &bits, sizeof(bits));
    return true;
}

static bool encode_64(struct encode *encode, const struct encode_path *path, const struct quire_field_spec *spec,
                      const struct encode_value *value, int64_t type_min, uint64_t type_max, void *member) {
    encode_wide integer;
    if (!encode_integer(encode, path, spec, value, type_min, type_max, &integer))
        return false;
    uint64_t bits = (uint64_t)integer;
    memcpy(member, &bits, sizeof(bits));
    return true;
}

/* ---- Texts */

/* The bounds of a field, or those of a repeated field's items. */
static bool encode_characters_fit(struct encode *encode, const struct encode_path *path,
                                  const struct quire_field_spec *spec, bool repeated, struct quire_slice text) {
    size_t min = repeated ? spec->item_characters_min : spec->characters_min;
    size_t max = repeated ? spec->item_characters_max : spec->characters_max;
    if (min == 0 && max == 0)
        return true;
    size_t characters = quire_utf8_characters(text);
    if (characters < min)
        encode_fault(encode, path, "must have at least %zu character%s", min, min == 1 ? "" : "s");
    else if (max != 0 && characters > max)
        encode_fault(encode, path, "must have at most %zu character%s", max, max == 1 ? "" : "s");
    else
        return true;
    return false;
}

static bool encode_bytes_fit(struct encode *encode, const struct encode_path *path, const struct quire_field_spec *spec,
                             struct quire_slice text) {
    if (text.size < spec->bytes_min)
        encode_fault(encode, path, "must have at least %" PRIu32 " byte%s", spec->bytes_min,
                     spec->bytes_min == 1 ? "" : "s");
    else if (spec->bytes_max != 0 && text.size > spec->bytes_max)
        encode_fault(encode, path, "must have at most %" PRIu32 " bytes", spec->bytes_max);
    else
        return true;
    return false;
}

static bool encode_is_value(struct encode *encode, const struct encode_path *path, const struct quire_field_spec *spec,
                            struct quire_slice text) {
    for (size_t i = 0; i < spec->values_count; i++)
        if (quire_slice_equal(text, quire_slice_of(spec->values[i])))
            return true;
    if (spec->values_count == 0)
        return true;
    char allowed[256] = "";
    size_t size = 0;
    for (size_t i = 0; i < spec->values_count && size < sizeof(allowed); i++)
        size += (size_t)snprintf(allowed + size, sizeof(allowed) - size, "%s%s", i == 0 ? "" : ", ", spec->values[i]);
    encode_fault(encode, path, "must be one of %s", allowed);
    return false;
}

/* What everyone agrees an address must look like; whether it is someone's only a message to it could tell. */
static bool encode_is_email(struct quire_slice text) {
    const uint8_t *at = text.size == 0 ? NULL : memchr(text.bytes, '@', text.size);
    if (at == NULL || memchr(at + 1, '@', (size_t)(text.bytes + text.size - at - 1)) != NULL)
        return false;
    size_t local_bytes = (size_t)(at - text.bytes), domain_bytes = text.size - local_bytes - 1;
    if (local_bytes == 0 || local_bytes > EMAIL_LOCAL_BYTES_MAX || domain_bytes == 0)
        return false;
    if (at[1] == '.' || text.bytes[text.size - 1] == '.')
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.bytes[i] <= ' ' || text.bytes[i] == 0x7f)
            return false;
    char folded[EMAIL_FOLDED_BYTES_MAX];
    size_t folded_bytes;
    return quire_email_fold(text, sizeof(folded), folded, &folded_bytes);
}

/* Everything that is true of any text: no U+0000 (PostgreSQL has none), bounds. */
static bool encode_text_fits(struct encode *encode, const struct encode_path *path,
                             const ProtobufCFieldDescriptor *field, const struct quire_field_spec *spec,
                             struct quire_slice text) {
    if (text.size > 0 && memchr(text.bytes, '\0', text.size) != NULL) {
        encode_fault(encode, path, "must not have U+0000 or lone surrogates");
        return false;
    }
    return encode_bytes_fit(encode, path, spec, text) &&
           encode_characters_fit(encode, path, spec, field->label == PROTOBUF_C_LABEL_REPEATED, text) &&
           encode_is_value(encode, path, spec, text);
}

static bool encode_json_object(struct encode *encode, const struct encode_path *path,
                               const struct quire_field_spec *spec, const struct encode_value *value, unsigned depth,
                               void *member) {
    if (!encode_is_kind(encode, path, value, ENCODE_OBJECT))
        return false;
    size_t bytes_max = spec->bytes_max == 0 ? SIZE_MAX : spec->bytes_max;
    struct quire_slice text;
    switch (json_minify(encode->arena, value->json, depth, bytes_max, &text)) {
    case JSON_MINIFIED:
        memcpy(member, &text.bytes, sizeof(text.bytes));
        return true;
    case JSON_MINIFIED_TOO_LONG:
        encode_fault(encode, path, "must have at most %zu bytes as minified JSON", bytes_max);
        return false;
    case JSON_TOO_DEEP:
        encode_fault(encode, path, "is nested over %u levels deep", JSON_DEPTH_MAX);
        return false;
    case JSON_HAS_NUL:
        encode_fault(encode, path, "must not have U+0000 or lone surrogates");
        return false;
    case JSON_MINIFY_NO_MEMORY:
        break;
    }
    encode->no_memory = true;
    return false;
}

static bool encode_string(struct encode *encode, const struct encode_path *path, const ProtobufCFieldDescriptor *field,
                          const struct quire_field_spec *spec, const struct encode_value *value, unsigned depth,
                          void *member) {
    if (spec->format == QUIRE_JSON_OBJECT)
        return encode_json_object(encode, path, spec, value, depth, member);
    if (!encode_is_kind(encode, path, value, ENCODE_STRING) ||
        !encode_text_fits(encode, path, field, spec, value->text))
        return false;
    if (spec->format == QUIRE_EMAIL && !encode_is_email(value->text)) {
        encode_fault(encode, path, "must be an e-mail address");
        return false;
    }
    memcpy(member, &value->text.bytes, sizeof(value->text.bytes));
    return true;
}

/* ---- Bytes */

static bool encode_uuid(struct encode *encode, const struct encode_path *path, struct quire_slice text,
                        ProtobufCBinaryData *ret_bytes) {
    uint8_t uuid[QUIRE_UUID_BYTES];
    if (!quire_uuid_parse(text, uuid)) {
        encode_fault(encode, path, "must be a UUID");
        return false;
    }
    ret_bytes->data = encode_alloc(encode, sizeof(uuid));
    if (ret_bytes->data == NULL)
        return false;
    memcpy(ret_bytes->data, uuid, sizeof(uuid));
    ret_bytes->len = sizeof(uuid);
    return true;
}

/* Sealing is a scalar multiplication, so a request that has failed already is spared it. */
static bool encode_sealed(struct encode *encode, struct quire_slice secret, ProtobufCBinaryData *ret_bytes) {
    if (encode->faults->count > 0)
        return true;
    assert(encode->request->seal_key != NULL && encode->request->correlation != NULL);
    size_t size = secret.size + QUIRE_SEAL_OVERHEAD_BYTES;
    ret_bytes->data = encode_alloc(encode, size);
    if (ret_bytes->data == NULL)
        return false;
    quire_seal(encode->request->seal_key, encode->request->correlation, encode->request->deadline_ms, secret,
               ret_bytes->data);
    ret_bytes->len = size;
    return true;
}

/* Bytes without a format: base64 as protobuf's own JSON mapping has it. libsodium 1.0.18 takes bytes from 0x80 on for
 * digits. */
static bool encode_base64(struct encode *encode, const struct encode_path *path, struct quire_slice text,
                          ProtobufCBinaryData *ret_bytes) {
    ret_bytes->data = encode_alloc(encode, text.size + 1);
    if (ret_bytes->data == NULL)
        return false;
    if (quire_utf8_is_ascii(text) &&
        sodium_base642bin(ret_bytes->data, text.size + 1, (const char *)text.bytes, text.size, NULL, &ret_bytes->len,
                          NULL, sodium_base64_VARIANT_ORIGINAL) == 0)
        return true;
    encode_fault(encode, path, "must be base64");
    return false;
}

static bool encode_bytes(struct encode *encode, const struct encode_path *path, const ProtobufCFieldDescriptor *field,
                         const struct quire_field_spec *spec, const struct encode_value *value, void *member) {
    ProtobufCBinaryData bytes = {0, NULL};
    bool fits = encode_is_kind(encode, path, value, ENCODE_STRING);
    if (fits && spec->format == QUIRE_UUID)
        fits = encode_uuid(encode, path, value->text, &bytes);
    else if (fits)
        fits = encode_text_fits(encode, path, field, spec, value->text) &&
               (spec->sealed ? encode_sealed(encode, value->text, &bytes)
                             : encode_base64(encode, path, value->text, &bytes));
    if (fits)
        memcpy(member, &bytes, sizeof(bytes));
    return fits;
}

static bool encode_enum(struct encode *encode, const struct encode_path *path, const ProtobufCFieldDescriptor *field,
                        const struct encode_value *value, void *member) {
    if (!encode_is_kind(encode, path, value, ENCODE_STRING))
        return false;
    const ProtobufCEnumDescriptor *names = field->descriptor;
    for (unsigned i = 0; i < names->n_values; i++) {
        if (quire_slice_equal(value->text, quire_slice_of(names->values[i].name))) {
            memcpy(member, &names->values[i].value, sizeof(int));
            return true;
        }
    }
    encode_fault(encode, path, "must be one of the values that the contract names");
    return false;
}

bool encode_scalar(struct encode *encode, const struct encode_path *path, const ProtobufCFieldDescriptor *field,
                   const struct quire_field_spec *spec, const struct encode_value *value, unsigned depth,
                   void *member) {
    double number;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return encode_32(encode, path, spec, value, INT32_MIN, INT32_MAX, member);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return encode_32(encode, path, spec, value, 0, UINT32_MAX, member);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return encode_64(encode, path, spec, value, INT64_MIN, INT64_MAX, member);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return encode_64(encode, path, spec, value, 0, UINT64_MAX, member);
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FLOAT:
        if (!encode_double(encode, path, spec, value, &number))
            return false;
        if (field->type == PROTOBUF_C_TYPE_FLOAT)
            memcpy(member, &(float){(float)number}, sizeof(float));
        else
            memcpy(member, &number, sizeof(number));
        return true;
    case PROTOBUF_C_TYPE_BOOL:
        if (!encode_is_kind(encode, path, value, ENCODE_BOOLEAN))
            return false;
        *(protobuf_c_boolean *)member = value->truth;
        return true;
    case PROTOBUF_C_TYPE_ENUM:
        return encode_enum(encode, path, field, value, member);
    case PROTOBUF_C_TYPE_STRING:
        return encode_string(encode, path, field, spec, value, depth, member);
    case PROTOBUF_C_TYPE_BYTES:
        return encode_bytes(encode, path, field, spec, value, member);
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    assert(false && "a message is no scalar");
    return false;
}
