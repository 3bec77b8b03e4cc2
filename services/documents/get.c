#include "documents/handlers.h"

/* Index documents_pkey. The content stays in the database when the caller has this version already: $3 versions, $4
 * any. */
const struct quire_statement documents_get_statement = {
    .name = "documents.get",
    .sql =
        "SELECT title, CASE WHEN $4::bool OR version = ANY ($3::bigint[]) THEN NULL ELSE content END, tags, metadata, "
        "language, version,"
        " chunk_count, created_at, updated_at FROM documents.documents WHERE id = $1::uuid AND account_id = $2::uuid",
};

enum {
    COLUMN_TITLE,
    COLUMN_CONTENT,
    COLUMN_TAGS,
    COLUMN_METADATA,
    COLUMN_LANGUAGE,
    COLUMN_VERSION,
    COLUMN_CHUNK_COUNT,
    COLUMN_CREATED_AT,
    COLUMN_UPDATED_AT
};

static bool read_tags(const PGresult *result, struct quire_arena *arena, Quire__Document *document) {
    struct quire_slice *tags;
    size_t count;
    if (!quire_column_text_array(result, 0, COLUMN_TAGS, arena, &tags, &count))
        return false;
    document->tags = quire_arena_alloc(arena, (count + 1) * sizeof(*document->tags));
    if (document->tags == NULL)
        return false;
    for (document->n_tags = 0; document->n_tags < count; document->n_tags++) {
        document->tags[document->n_tags] = quire_arena_text(arena, tags[document->n_tags]);
        if (document->tags[document->n_tags] == NULL)
            return false;
    }
    return true;
}

static void on_document(struct quire_request *request, const PGresult *result) {
    struct quire_arena *arena = quire_request_arena(request);
    Quire__Document document = QUIRE__DOCUMENT__INIT;
    if (PQntuples(result) == 0) {
        quire_request_refuse(request, 404, "There is no such document.");
        return;
    }
    document.version = quire_column_int64(result, 0, COLUMN_VERSION);
    document.etag = condition_etag(arena, document.version);
    if (quire_column_null(result, 0, COLUMN_CONTENT)) {
        quire_request_not_modified(request, &document.base);
        return;
    }
    document.id = *(const ProtobufCBinaryData *)quire_request_state(request);
    /* libpq ends every value with a NUL, and the answer is packed before the result goes: no copies of 15 MiB. */
    document.title = (char *)(uintptr_t)quire_column_text(result, 0, COLUMN_TITLE).bytes;
    document.content = (char *)(uintptr_t)quire_column_text(result, 0, COLUMN_CONTENT).bytes;
    document.metadata = (char *)(uintptr_t)quire_column_text(result, 0, COLUMN_METADATA).bytes;
    if (!quire_column_null(result, 0, COLUMN_LANGUAGE))
        document.language = (char *)(uintptr_t)quire_column_text(result, 0, COLUMN_LANGUAGE).bytes;
    document.chunk_count = quire_column_int32(result, 0, COLUMN_CHUNK_COUNT);
    document.created_at = quire_column_time(result, 0, COLUMN_CREATED_AT);
    document.updated_at = quire_column_time(result, 0, COLUMN_UPDATED_AT);
    if (!read_tags(result, arena, &document))
        quire_request_refuse_for(request, 503, "There is no memory for this request now.", 1);
    else
        quire_request_reply(request, &document.base);
}

void documents_get(Quire__Documents_Service *service, const Quire__GetDocumentRequest *input,
                   Quire__Document_Closure closure, void *closure_data) {
    (void)service, (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    if (!input->has_id || input->id.len != 16) {
        quire_request_refuse(request, 404, "There is no such document.");
        return;
    }
    struct condition condition;
    if (!documents_read_condition(request, "If-None-Match", input->if_none_match, true, &condition))
        return;
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, input->id.data);
    quire_bind_uuid(parameters, quire_request_account(request));
    quire_bind_int64_array(parameters, condition.versions, condition.count);
    quire_bind_bool(parameters, condition.any);
    quire_request_set_state(request, (void *)(uintptr_t)&input->id); /* input lives as long as the request */
    quire_request_read(request, &documents_get_statement, parameters, on_document);
}
