/* A JSON object to a message, by the contract's tables. */
#include "gateway/encode_internal.h"

#include "base/utf8.h"
#include "gateway/member.h"

#include "quire/options.pb-c.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* Of a name that nobody knows, told back to the client. */
#define ENCODE_NAME_BYTES_MAX 128u
#define ENCODE_PATH_BYTES_MAX 512u

/* ---- Faults */

void *encode_alloc(struct encode *encode, size_t bytes) {
    void *memory = quire_arena_zalloc(encode->arena, bytes);
    encode->no_memory = encode->no_memory || memory == NULL;
    return memory;
}

/* A name as text without NUL: a name may hold U+0000, which ends a C string. */
static void encode_append_name(char *text, size_t *size, struct quire_slice name) {
    struct quire_slice cut = quire_utf8_cut(name, ENCODE_NAME_BYTES_MAX);
    for (size_t i = 0; i < cut.size && *size + 4 < ENCODE_PATH_BYTES_MAX; i++)
        text[(*size)++] = cut.bytes[i] == '\0' ? '?' : (char)cut.bytes[i];
    if (cut.size < name.size) {
        memcpy(text + *size, "...", 3);
        *size += 3;
    }
}

static void encode_append_path(char *text, size_t *size, const struct encode_path *path) {
    if (path == NULL)
        return;
    encode_append_path(text, size, path->parent);
    if (*size + ENCODE_NAME_BYTES_MAX + 32 > ENCODE_PATH_BYTES_MAX) /* so deep that the beginning says enough */
        return;
    if (path->name.bytes == NULL) {
        *size += (size_t)snprintf(text + *size, 24, "[%zu]", path->index);
        return;
    }
    if (*size > 0)
        text[(*size)++] = '.';
    encode_append_name(text, size, path->name);
}

/* The list grows as faults come, as most of a batch's thousand items have none. */
static void encode_add_fault(struct encode *encode, struct problem_fault fault) {
    struct encode_faults *faults = encode->faults;
    if (faults->count == faults->capacity) {
        size_t capacity = faults->capacity == 0 ? 2 : faults->capacity * 2;
        struct problem_fault *grown = encode_alloc(encode, capacity * sizeof(*grown));
        if (grown == NULL)
            return;
        if (faults->count > 0)
            memcpy(grown, faults->list, faults->count * sizeof(*grown));
        faults->list = grown;
        faults->capacity = capacity;
    }
    faults->list[faults->count++] = fault;
}

void encode_fault(struct encode *encode, const struct encode_path *path, const char *format, ...) {
    if (encode->faults->count == encode->faults->max)
        return;
    char field[ENCODE_PATH_BYTES_MAX], message[256];
    size_t field_bytes = 0;
    encode_append_path(field, &field_bytes, path);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    struct problem_fault fault = {
        .field = quire_arena_text(encode->arena, (struct quire_slice){(const uint8_t *)field, field_bytes}),
        .message = quire_arena_text(encode->arena, quire_slice_of(message)),
    };
    if (fault.field == NULL || fault.message == NULL)
        encode->no_memory = true;
    else
        encode_add_fault(encode, fault);
}

/* ---- Messages */

ProtobufCMessage *encode_message_create(struct encode *encode, const struct quire_message_spec *spec) {
    ProtobufCMessage *message = encode_alloc(encode, spec->descriptor->sizeof_message);
    if (message != NULL)
        spec->descriptor->message_init(message);
    return message;
}

bool encode_is_open(const struct quire_field_spec *spec) {
    return !spec->internal && spec->header == NULL && !spec->client_address && !spec->minted_token_hash &&
           !spec->faults;
}

static void *encode_member(ProtobufCMessage *message, unsigned offset) {
    return (uint8_t *)message + offset;
}

static ProtobufCMessage *encode_submessage(struct encode *encode, const struct encode_path *path,
                                           const struct quire_message_spec *spec, const struct encode_value *value,
                                           unsigned depth) {
    if (value->kind != ENCODE_OBJECT) {
        encode_fault(encode, path, "must be an object");
        return NULL;
    }
    if (depth > JSON_DEPTH_MAX) { /* only a message that holds itself gets here */
        encode_fault(encode, path, "is nested over %u levels deep", JSON_DEPTH_MAX);
        return NULL;
    }
    ProtobufCMessage *message = encode_message_create(encode, spec);
    if (message != NULL)
        encode_object(encode, path, spec, NULL, value->json, depth, message);
    return message;
}

static size_t encode_faults_field(const struct quire_message_spec *spec) {
    size_t field = 0;
    while (field < spec->descriptor->n_fields && !spec->fields[field].faults)
        field++;
    assert(field < spec->descriptor->n_fields); /* the contract's generator refuses each_on_its_own without one */
    return field;
}

/* An item that is its faults and nothing else. */
static ProtobufCMessage *encode_faulty_item(struct encode *encode, const struct quire_message_spec *spec,
                                            const struct encode_faults *faults) {
    const ProtobufCFieldDescriptor *field = &spec->descriptor->fields[encode_faults_field(spec)];
    ProtobufCMessage *item = encode_message_create(encode, spec);
    Quire__FieldFault **list = encode_alloc(encode, faults->count * sizeof(*list));
    if (item == NULL || list == NULL)
        return NULL;
    for (size_t i = 0; i < faults->count; i++) {
        list[i] = encode_alloc(encode, sizeof(*list[i]));
        if (list[i] == NULL)
            return NULL;
        quire__field_fault__init(list[i]);
        list[i]->field = (char *)(uintptr_t)faults->list[i].field;
        list[i]->message = (char *)(uintptr_t)faults->list[i].message;
    }
    memcpy(encode_member(item, field->offset), &list, sizeof(list));
    memcpy(encode_member(item, field->quantifier_offset), &faults->count, sizeof(faults->count));
    return item;
}

/* Reads an item with a list of faults of its own, whose paths begin at the item. */
static ProtobufCMessage *encode_own_item(struct encode *encode, const struct quire_message_spec *spec,
                                         const struct encode_value *value, unsigned depth) {
    struct encode_faults own = {.max = ENCODE_ITEM_FAULTS_MAX}, *outer = encode->faults;
    encode->faults = &own;
    ProtobufCMessage *item = encode_submessage(encode, NULL, spec, value, depth);
    encode->faults = outer;
    return own.count == 0 ? item : encode_faulty_item(encode, spec, &own);
}

/* ---- Fields */

/* One value, at `member`. */
static bool encode_one(struct encode *encode, const struct encode_path *path, const ProtobufCFieldDescriptor *field,
                       const struct quire_field_spec *spec, const struct encode_value *value, unsigned depth,
                       void *member) {
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return encode_scalar(encode, path, field, spec, value, depth, member);
    ProtobufCMessage *message = spec->each_on_its_own ? encode_own_item(encode, spec->message, value, depth)
                                                      : encode_submessage(encode, path, spec->message, value, depth);
    if (message != NULL)
        memcpy(member, &message, sizeof(message));
    return message != NULL;
}

static bool encode_items_fit(struct encode *encode, const struct encode_path *path, const struct quire_field_spec *spec,
                             size_t items) {
    if (items < spec->items_min)
        encode_fault(encode, path, "must have at least %u item%s", spec->items_min, spec->items_min == 1 ? "" : "s");
    else if (spec->items_max != 0 && items > spec->items_max)
        encode_fault(encode, path, "must have at most %u items", spec->items_max);
    else
        return true;
    return false;
}

static bool encode_repeated(struct encode *encode, const struct encode_path *path,
                            const struct quire_message_spec *spec, size_t index, const struct encode_value *value,
                            unsigned depth, ProtobufCMessage *message) {
    const ProtobufCFieldDescriptor *field = &spec->descriptor->fields[index];
    const struct quire_field_spec *field_spec = &spec->fields[index];
    size_t items = value->json == NULL ? 1 : yyjson_arr_size(value->json); /* a query parameter is a list of one */
    if (value->json != NULL && value->kind != ENCODE_ARRAY) {
        encode_fault(encode, path, "must be an array");
        return false;
    }
    if (!encode_items_fit(encode, path, field_spec, items))
        return false;
    size_t item_bytes = member_bytes(field), count = 0;
    uint8_t *list = encode_alloc(encode, items * item_bytes + 1);
    yyjson_arr_iter iterator = yyjson_arr_iter_with(value->json);
    for (; list != NULL && count < items; count++) {
        struct encode_path item_path = {.parent = path, .index = count};
        struct encode_value item = value->json == NULL ? *value : encode_value_of(yyjson_arr_iter_next(&iterator));
        if (!encode_one(encode, &item_path, field, field_spec, &item, depth + 1, list + count * item_bytes) &&
            encode->faults->count == encode->faults->max)
            return false;
    }
    if (list == NULL || encode->faults->count > 0)
        return false; /* holes in the list: never packed */
    memcpy(encode_member(message, field->offset), &list, sizeof(list));
    memcpy(encode_member(message, field->quantifier_offset), &items, sizeof(items));
    return true;
}

/* Presence: protobuf-c has a flag beside optional numbers, booleans, enums and bytes; for texts and messages the
 * pointer is it. */
static void encode_mark_present(const ProtobufCFieldDescriptor *field, ProtobufCMessage *message) {
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        memcpy(encode_member(message, field->quantifier_offset), &field->id, sizeof(field->id));
    else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_STRING &&
             field->type != PROTOBUF_C_TYPE_MESSAGE)
        *(protobuf_c_boolean *)encode_member(message, field->quantifier_offset) = 1;
}

bool encode_field(struct encode *encode, const struct encode_path *path, const struct quire_message_spec *spec,
                  size_t field, const struct encode_value *value, unsigned depth, ProtobufCMessage *message) {
    const ProtobufCFieldDescriptor *descriptor = &spec->descriptor->fields[field];
    if (value->kind == ENCODE_NULL)
        return false;
    if (descriptor->label == PROTOBUF_C_LABEL_REPEATED)
        return encode_repeated(encode, path, spec, field, value, depth, message);
    if (!encode_one(encode, path, descriptor, &spec->fields[field], value, depth,
                    encode_member(message, descriptor->offset)))
        return false;
    encode_mark_present(descriptor, message);
    return true;
}

size_t encode_find(const struct quire_message_spec *spec, const bool *closed, struct quire_slice name) {
    const ProtobufCFieldDescriptor *field = NULL;
    if (name.size > 0 && memchr(name.bytes, '\0', name.size) == NULL)
        field = protobuf_c_message_descriptor_get_field_by_name(spec->descriptor, (const char *)name.bytes);
    if (field == NULL)
        return spec->descriptor->n_fields;
    size_t index = (size_t)(field - spec->descriptor->fields);
    return encode_is_open(&spec->fields[index]) && (closed == NULL || !closed[index]) ? index
                                                                                      : spec->descriptor->n_fields;
}

void encode_required(struct encode *encode, const struct encode_path *path, const struct quire_message_spec *spec,
                     const bool *closed, const bool *seen) {
    for (size_t i = 0; i < spec->descriptor->n_fields; i++) {
        if (!spec->fields[i].required || seen[i] || !encode_is_open(&spec->fields[i]) || (closed != NULL && closed[i]))
            continue;
        struct encode_path field_path = {.parent = path, .name = quire_slice_of(spec->descriptor->fields[i].name)};
        encode_fault(encode, &field_path, "is required");
    }
}

/* null stands for absent, so that a document may be sent back as it came; but not for a list that must not be empty: a
 * filter that came out as nothing must not find everything. */
void encode_object(struct encode *encode, const struct encode_path *path, const struct quire_message_spec *spec,
                   const bool *closed, yyjson_val *object, unsigned depth, ProtobufCMessage *message) {
    bool *seen = encode_alloc(encode, spec->descriptor->n_fields + 1);
    if (seen == NULL)
        return;
    yyjson_obj_iter iterator = yyjson_obj_iter_with(object);
    for (yyjson_val *name;
         (name = yyjson_obj_iter_next(&iterator)) != NULL && encode->faults->count < encode->faults->max;) {
        struct encode_path field_path = {.parent = path, .name = json_slice(name)};
        size_t field = encode_find(spec, closed, field_path.name);
        if (field == spec->descriptor->n_fields) {
            encode_fault(encode, &field_path, "is unknown");
            continue;
        }
        struct encode_value value = encode_value_of(yyjson_obj_iter_get_val(name));
        seen[field] = value.kind != ENCODE_NULL;
        if (value.kind == ENCODE_NULL && spec->fields[field].items_min > 0 && !spec->fields[field].required)
            encode_fault(encode, &field_path, "must be an array, not null");
        (void)encode_field(encode, &field_path, spec, field, &value, depth + 1,
                           message); /* its faults stand in the list */
    }
    encode_required(encode, path, spec, closed, seen);
}
