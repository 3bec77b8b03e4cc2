/* The contract in proto/ as tables: what proto/generate.py makes of the options, and what gateway and runtime/ read.
 * Constant data, any thread. The gateway links `quire_contract` (all services); a consumer links the same table and
 * finds its own service in it by name. */
#ifndef QUIRE_BASE_CONTRACT_H
#define QUIRE_BASE_CONTRACT_H

#include "base/slice.h"

#include <protobuf-c/protobuf-c.h>

enum quire_format { QUIRE_PLAIN, QUIRE_UUID, QUIRE_TIME, QUIRE_JSON_OBJECT, QUIRE_EMAIL };
enum quire_access { QUIRE_SESSION, QUIRE_PUBLIC };
enum quire_throttle { QUIRE_THROTTLE_NONE, QUIRE_THROTTLE_LOG_IN, QUIRE_THROTTLE_REGISTRATION };

struct quire_message_spec;

/* One field's options (proto/quire/options.proto). 0 in a `_max` means no bound. */
struct quire_field_spec {
    enum quire_format format;
    bool required, internal, sealed, minted_token_hash, minted_token, gives_account_tag, client_address;
    bool null_when_absent, each_on_its_own, faults;
    bool has_number_min, has_number_max;
    uint32_t characters_min, characters_max;
    uint32_t bytes_min, bytes_max;
    uint32_t items_min, items_max;
    uint32_t item_characters_min, item_characters_max;
    int64_t number_min, number_max;
    const char *header;        /* NULL: none */
    const char *const *values; /* NULL: any; else values_count texts */
    size_t values_count;
    const struct quire_message_spec *message; /* for message fields, else NULL */
};

/* fields[i] speaks of descriptor->fields[i] (protobuf-c sorts them by tag). */
struct quire_message_spec {
    const ProtobufCMessageDescriptor *descriptor;
    const struct quire_field_spec *fields;
};

struct quire_lane {
    const char *name, *topic;
    uint32_t batch_max, workers, nice;
};

/* A path template's segments: a literal, or the request field (its index) that the segment fills. */
struct quire_path_segment {
    const char *literal; /* NULL: a variable */
    int32_t field;       /* -1: a literal */
};

struct quire_call {
    const char *method;      /* "quire.Documents/Get": the quire-method header */
    const char *http_method; /* "GET" */
    const char *path;        /* "/documents/{id}": the route label of metrics */
    const struct quire_path_segment *segments;
    size_t segments_count;
    bool has_body; /* body: "*"; otherwise the fields that the path doesn't fill come from the query string */
    uint32_t lane, bulk_lane; /* indices of the service's lanes; bulk_lane == lane without one */
    uint32_t deadline_ms;
    enum quire_access access;
    enum quire_throttle throttle;
    bool write, idempotency_key, wants_session_note;
    uint32_t status;
    const char *location; /* NULL: none */
    const char *summary;
    const struct quire_message_spec *input, *output;
};

struct quire_contract_service {
    const char *name;                             /* "documents" */
    const ProtobufCServiceDescriptor *descriptor; /* methods[i] is calls[i] */
    const struct quire_call *calls;
    size_t calls_count;
    const struct quire_lane *lanes; /* lanes[0] answers health questions */
    size_t lanes_count;
    const char *const *depends_on;
    size_t depends_on_count;
};

struct quire_contract {
    const struct quire_contract_service *services;
    size_t services_count;
    struct quire_slice openapi; /* openapi.json, minified */
};

/* Generated. */
extern const struct quire_contract quire_contract;

/* NULL when there is none of that name. */
const struct quire_contract_service *quire_contract_find(const struct quire_contract *contract, const char *name);

#endif
