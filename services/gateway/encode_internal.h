/* What the files of encoding share: transcode.c (a whole request), encode.c (a JSON object to a message),
 * encode_value.c (one value to one field). */
#ifndef QUIRE_GATEWAY_ENCODE_INTERNAL_H
#define QUIRE_GATEWAY_ENCODE_INTERNAL_H

#include "gateway/json_read.h"
#include "gateway/transcode.h"

/* Where in the body a value stands; rendered ("documents[3].title") only when there is a fault to tell. The parents
 * live on the stack. */
struct encode_path {
    const struct encode_path *parent; /* NULL: the outermost */
    struct quire_slice name;          /* without bytes: an item, the index-th */
    size_t index;
};

/* A bounded list: a body with a million unknown names is told of the first hundred. */
struct encode_faults {
    struct problem_fault *list; /* NULL until there is one */
    size_t count, capacity, max;
};

/* Invariant: no_memory => whatever is returned counts for nothing, the request ends with 503. */
struct encode {
    struct quire_arena *arena;
    const struct transcode_request *request;
    struct encode_faults *faults; /* the request's, or those of the item that is being read */
    bool no_memory;
};

/* A value before it has met its field: from JSON, or a text from path or query. */
struct encode_value {
    enum encode_kind { ENCODE_STRING, ENCODE_NUMBER, ENCODE_BOOLEAN, ENCODE_OBJECT, ENCODE_ARRAY, ENCODE_NULL } kind;
    struct quire_slice text; /* of a string or number; NUL-terminated */
    bool truth;
    yyjson_val *json; /* NULL for a text */
};

#define ENCODE_FAULTS_MAX 100u
#define ENCODE_ITEM_FAULTS_MAX 20u

void encode_fault(struct encode *encode, const struct encode_path *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void *encode_alloc(struct encode *encode, size_t bytes); /* zeroed; NULL with no_memory set */

/* encode_value.c */
struct encode_value encode_value_of(yyjson_val *json);
/* What a text of path or query is to a field of this type; a fault later when it is none. */
struct encode_value encode_value_of_text(const ProtobufCFieldDescriptor *field, struct quire_slice text);
/* Writes the value (no message, not repeated) at `member`; false after telling the fault. */
QUIRE_MUSTCHECK bool encode_scalar(struct encode *encode, const struct encode_path *path,
                                   const ProtobufCFieldDescriptor *field, const struct quire_field_spec *spec,
                                   const struct encode_value *value, unsigned depth, void *member);

/* encode.c */
/* A fresh message of the spec's type with its defaults; NULL with no_memory set. */
ProtobufCMessage *encode_message_create(struct encode *encode, const struct quire_message_spec *spec);
/* Sets one field of the message. True when it is set; absent (null) and faulty fields are not. */
bool encode_field(struct encode *encode, const struct encode_path *path, const struct quire_message_spec *spec,
                  size_t field, const struct encode_value *value, unsigned depth, ProtobufCMessage *message);
/* Whether a client may name the field in a body or query. */
bool encode_is_open(const struct quire_field_spec *spec);
/* Index of the open field of that name, n_fields when there is none. `closed` as below. */
size_t encode_find(const struct quire_message_spec *spec, const bool *closed, struct quire_slice name);
/* Reads an object's members into the message. `closed` (may be NULL) marks fields that the body must not name, as the
 * path has them. */
void encode_object(struct encode *encode, const struct encode_path *path, const struct quire_message_spec *spec,
                   const bool *closed, yyjson_val *object, unsigned depth, ProtobufCMessage *message);
/* Tells of required fields that `seen` hasn't. */
void encode_required(struct encode *encode, const struct encode_path *path, const struct quire_message_spec *spec,
                     const bool *closed, const bool *seen);

#endif
