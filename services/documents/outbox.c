#include "documents/handlers.h"

#include <quire/events.pb-c.h>

#define TOPIC "quire.documents.events"
#define EVENTS_MAX 500   /* of one turn */
#define REST_IDLE_MS 50u /* how late an event may be */
#define REST_FAILED_MS 500u

/* Oldest first, by the key; nothing when another process holds the relay's advisory lock. Rows are found because they
 * are there, not by "sequence > last": a transaction that commits late with an early number would be missed. */
const struct quire_statement documents_outbox_take_statement = {
    .name = "documents.outbox_take",
    .sql = "SELECT sequence, kind, account_id, document_id, version, at, request_id, title, tags, language"
           " FROM documents.outbox_take($1::int)",
    .on_primary_only = true,
};
const struct quire_statement documents_outbox_drop_statement = {
    .name = "documents.outbox_drop",
    .sql = "DELETE FROM documents.outbox WHERE sequence = ANY ($1::bigint[])",
    .on_primary_only = true,
};
enum {
    COLUMN_SEQUENCE,
    COLUMN_KIND,
    COLUMN_ACCOUNT,
    COLUMN_DOCUMENT,
    COLUMN_VERSION,
    COLUMN_AT,
    COLUMN_REQUEST_ID,
    COLUMN_TITLE,
    COLUMN_TAGS,
    COLUMN_LANGUAGE
};

/* libpq ends every value with a NUL. */
static char *text_of(const PGresult *result, int row, int column) {
    return (char *)(uintptr_t)quire_column_text(result, row, column).bytes;
}

/* *ret_state stays NULL where the document isn't as the event tells any more. False without memory. */
static bool read_state(struct quire_arena *arena, const PGresult *result, int row, Quire__DocumentState **ret_state) {
    struct quire_slice *tags;
    if (quire_column_null(result, row, COLUMN_TITLE))
        return true;
    Quire__DocumentState *state = quire_arena_alloc(arena, sizeof(*state));
    if (state == NULL)
        return false;
    quire__document_state__init(state);
    if (!quire_column_text_array(result, row, COLUMN_TAGS, arena, &tags, &state->n_tags))
        return false;
    state->tags = quire_arena_alloc(arena, (state->n_tags + 1) * sizeof(*state->tags));
    if (state->tags == NULL)
        return false;
    for (size_t i = 0; i < state->n_tags; i++) {
        state->tags[i] = quire_arena_text(arena, tags[i]);
        if (state->tags[i] == NULL)
            return false;
    }
    state->title = text_of(result, row, COLUMN_TITLE);
    if (!quire_column_null(result, row, COLUMN_LANGUAGE))
        state->language = text_of(result, row, COLUMN_LANGUAGE);
    *ret_state = state;
    return true;
}

static bool read_event(struct quire_arena *arena, const PGresult *result, int row, struct quire_event *ret_event) {
    Quire__DocumentEvent message = QUIRE__DOCUMENT_EVENT__INIT;
    const struct quire_slice account = quire_column_text(result, row, COLUMN_ACCOUNT);
    const struct quire_slice document = quire_column_text(result, row, COLUMN_DOCUMENT);
    const struct quire_slice request_id = quire_column_text(result, row, COLUMN_REQUEST_ID);
    message.sequence = quire_column_int64(result, row, COLUMN_SEQUENCE);
    message.kind = (Quire__DocumentEvent__Kind)quire_column_int32(result, row, COLUMN_KIND);
    message.account_id = (ProtobufCBinaryData){account.size, (uint8_t *)(uintptr_t)account.bytes};
    message.document_id = (ProtobufCBinaryData){document.size, (uint8_t *)(uintptr_t)document.bytes};
    message.version = quire_column_int64(result, row, COLUMN_VERSION);
    message.at = quire_column_time(result, row, COLUMN_AT);
    message.request_id = text_of(result, row, COLUMN_REQUEST_ID);
    if (!read_state(arena, result, row, &message.state))
        return false;
    const size_t size = quire__document_event__get_packed_size(&message);
    uint8_t *value = quire_arena_alloc(arena, size);
    if (value == NULL)
        return false;
    (void)quire__document_event__pack(&message, value); /* writes `size` bytes, always */
    *ret_event =
        (struct quire_event){.topic = TOPIC, .key = document, .value = {value, size}, .request_id = request_id};
    return true;
}

/* Publishes the rows and, once every one is acknowledged, removes them. A failure between the two publishes them again:
 * at least once. */
static bool publish_rows(struct quire_background *background, const PGresult *result, size_t count) {
    struct quire_arena *arena = quire_background_arena(background);
    struct quire_event *events = quire_arena_alloc(arena, count * sizeof(*events));
    int64_t *sequences = quire_arena_alloc(arena, count * sizeof(*sequences));
    if (events == NULL || sequences == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        sequences[i] = quire_column_int64(result, (int)i, COLUMN_SEQUENCE);
        if (!read_event(arena, result, (int)i, &events[i]))
            return false;
    }
    if (!quire_background_publish(background, events, count))
        return false;
    struct quire_parameters parameters = {.arena = arena};
    quire_bind_int64_array(&parameters, sequences, count);
    PGresult *dropped = quire_background_sql(background, &documents_outbox_drop_statement, &parameters);
    PQclear(dropped);
    return dropped != NULL;
}

unsigned documents_relay_events(struct quire_background *background, void *context) {
    (void)context;
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    quire_bind_int32(&parameters, EVENTS_MAX);
    PGresult *result = quire_background_sql(background, &documents_outbox_take_statement, &parameters);
    if (result == NULL)
        return REST_FAILED_MS;
    const size_t count = (size_t)PQntuples(result);
    const bool good = count == 0 || publish_rows(background, result, count);
    PQclear(result);
    if (!good)
        return REST_FAILED_MS;
    return count == EVENTS_MAX ? 0 : REST_IDLE_MS;
}
