#include "runtime/texts.h"

#include "base/utf8.h"

static const void *at(const ProtobufCMessage *message, unsigned offset) {
    return (const uint8_t *)message + offset;
}

/* Of a oneof only the member that is set has a value. */
static bool is_set(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message) {
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
           *(const uint32_t *)at(message, field->quantifier_offset) == field->id;
}

static bool value_is_valid(const ProtobufCFieldDescriptor *field, const void *value) {
    return value == NULL ||
           (field->type == PROTOBUF_C_TYPE_STRING ? quire_utf8_valid(quire_slice_of(value)) : quire_texts_valid(value));
}

static bool field_is_valid(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message) {
    if ((field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE) || !is_set(field, message))
        return true;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return value_is_valid(field, *(void *const *)at(message, field->offset));
    const size_t count = *(const size_t *)at(message, field->quantifier_offset);
    void *const *const items = *(void *const *const *)at(message, field->offset);
    for (size_t i = 0; i < count; i++)
        if (!value_is_valid(field, items[i]))
            return false;
    return true;
}

bool quire_texts_valid(const ProtobufCMessage *message) {
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        if (!field_is_valid(&message->descriptor->fields[i], message))
            return false;
    return true;
}
