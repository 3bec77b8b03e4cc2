#include "handlers.h"
#include "measure.h"

#include <quire/events.pb-c.h>

/* The documents service's own door: the text as it stands, which may be newer than the event. */
const struct quire_statement stats_text_statement = {
    .name = "stats.text",
    .sql = "SELECT ret_account, ret_version, ret_content FROM documents.text($1::uuid)",
    .on_primary_only = true,
};
enum { COLUMN_ACCOUNT, COLUMN_VERSION, COLUMN_CONTENT };
/* Events may come again, and late: a newer version stays. Locks the row. */
const struct quire_statement stats_keep_statement = {
    .name = "stats.keep",
    .sql = "INSERT INTO stats.documents AS s (document_id, account_id, version, characters, words, sentences)"
           " VALUES ($1::uuid, $2::uuid, $3::bigint, $4::bigint, $5::bigint, $6::bigint)"
           " ON CONFLICT (document_id) DO UPDATE SET version = excluded.version, characters = excluded.characters,"
           " words = excluded.words, sentences = excluded.sentences WHERE s.version < excluded.version",
    .on_primary_only = true,
};
const struct quire_statement stats_forget_statement = {
    .name = "stats.forget",
    .sql = "DELETE FROM stats.documents WHERE document_id = $1::uuid",
    .on_primary_only = true,
};

static bool forget(struct quire_background *background, const uint8_t document[16]) {
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    quire_bind_uuid(&parameters, document);
    PGresult *result = quire_background_sql(background, &stats_forget_statement, &parameters);
    PQclear(result);
    return result != NULL;
}

static bool keep(struct quire_background *background, const uint8_t document[16], const PGresult *text) {
    struct stats_measure measure;
    if (!stats_measure(quire_column_text(text, 0, COLUMN_CONTENT), &measure))
        return false;
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    quire_bind_uuid(&parameters, document);
    quire_bind_uuid(&parameters, quire_column_text(text, 0, COLUMN_ACCOUNT).bytes);
    quire_bind_int64(&parameters, quire_column_int64(text, 0, COLUMN_VERSION));
    quire_bind_int64(&parameters, measure.characters);
    quire_bind_int64(&parameters, measure.words);
    quire_bind_int64(&parameters, measure.sentences);
    PGresult *result = quire_background_sql(background, &stats_keep_statement, &parameters);
    PQclear(result);
    return result != NULL;
}

bool stats_on_document_event(struct quire_background *background, const ProtobufCMessage *event, void *context) {
    (void)context;
    const Quire__DocumentEvent *change = (const Quire__DocumentEvent *)event;
    if (change->document_id.len != 16)
        return false;
    if (change->kind == QUIRE__DOCUMENT_EVENT__KIND__DELETED)
        return forget(background, change->document_id.data);
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    quire_bind_uuid(&parameters, change->document_id.data);
    PGresult *text = quire_background_sql(background, &stats_text_statement, &parameters);
    /* Without a row the document is gone again, and the event of that stands behind this one. */
    const bool done = text != NULL && (PQntuples(text) == 0 || keep(background, change->document_id.data, text));
    PQclear(text);
    return done;
}
