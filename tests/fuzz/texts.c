#include "texts.h"

static const void *place_of(const ProtobufCMessage *message, unsigned offset) {
    return (const uint8_t *)message + offset;
}

static size_t items_of(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message) {
    return field->label == PROTOBUF_C_LABEL_REPEATED ? *(const size_t *)place_of(message, field->quantifier_offset) : 1;
}

/* A text's or a message's address; NULL when it is absent. */
static const void *item_of(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message, size_t index) {
    const void *place = place_of(message, field->offset);
    return field->label == PROTOBUF_C_LABEL_REPEATED ? (*(void *const *const *)place)[index] : *(void *const *)place;
}

bool fuzz_every_text(const struct quire_message_spec *spec, const ProtobufCMessage *message,
                     bool (*holds)(const struct quire_field_spec *field, struct quire_slice text)) {
    for (unsigned i = 0; i < spec->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &spec->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        for (size_t item = 0; item < items_of(field, message); item++) {
            const void *value = item_of(field, message, item);
            if (value == NULL || value == field->default_value)
                continue;
            if (field->type == PROTOBUF_C_TYPE_MESSAGE ? !fuzz_every_text(spec->fields[i].message, value, holds)
                                                       : !holds(&spec->fields[i], quire_slice_of(value)))
                return false;
        }
    }
    return true;
}

bool fuzz_has_faults(const struct quire_message_spec *spec, const ProtobufCMessage *message) {
    for (unsigned i = 0; i < spec->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &spec->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        for (size_t item = 0; item < items_of(field, message); item++) {
            const void *value = item_of(field, message, item);
            if (value != NULL && (spec->fields[i].faults || fuzz_has_faults(spec->fields[i].message, value)))
                return true;
        }
    }
    return false;
}
