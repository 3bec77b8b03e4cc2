#include "documents/draft.h"
#include "documents/handlers.h"

/* One transaction, as store. Locks: once, the document's row, corpora (010_conditions.sql). Refuses Q0404 before Q0412.
 */
const struct quire_statement documents_replace_statement = {
    .name = "documents.replace",
    .sql = "SELECT ret_version, ret_language, ret_chunk_count, ret_created_at, ret_updated_at FROM "
           "documents.replace($1::uuid, $2::text,"
           " $3::bytea, $4::int, $5::text, $6::uuid, $7::bigint[], $8::text, $9::text, $10::text, $11::text, "
           "$12::text, $13::int,"
           " $14::int[], $15::int[], $16::text[], $17::text[], $18::int[], $19::text[], $20::text[],"
           " $21::bigint[], $22::bool)",
    .on_primary_only = true,
};

struct replacement {
    const Quire__PutDocumentRequest *input;
    struct documents_conditions conditions;
    struct draft draft;
};

static void on_replaced(struct quire_request *request, const PGresult *result) {
    const struct replacement *replacement = quire_request_state(request);
    const Quire__PutDocumentRequest *input = replacement->input;
    Quire__Document document = QUIRE__DOCUMENT__INIT;
    document.id = input->id;
    document.title = input->title;
    document.content = input->content;
    document.n_tags = input->n_tags;
    document.tags = input->tags;
    document.metadata = input->metadata != NULL ? input->metadata : "{}";
    document.version = quire_column_int64(result, 0, 0);
    if (!quire_column_null(result, 0, 1))
        document.language = quire_arena_text(quire_request_arena(request), quire_column_text(result, 0, 1));
    document.chunk_count = quire_column_int32(result, 0, 2);
    document.created_at = quire_column_time(result, 0, 3);
    document.updated_at = quire_column_time(result, 0, 4);
    document.etag = condition_etag(quire_request_arena(request), document.version);
    quire_request_reply(request, &document.base);
}

static void on_lexemes(struct quire_request *request, const PGresult *result) {
    struct replacement *replacement = quire_request_state(request);
    struct draft *draft = &replacement->draft;
    if (!drafts_take_lexemes(request, result, draft, 1)) {
        quire_request_refuse_for(request, 503, "There is no memory for this request now.", 1);
        return;
    }
    struct quire_parameters *parameters = quire_request_parameters(request);
    documents_bind_write(request, parameters);
    quire_bind_uuid(parameters, draft->id);
    documents_bind_if_match(parameters, &replacement->conditions);
    quire_bind_text(parameters, draft->title);
    quire_bind_text(parameters, draft->content);
    quire_bind_text(parameters, draft->tags);
    quire_bind_text(parameters, draft->metadata);
    quire_bind_text(parameters, draft->language);
    quire_bind_int32(parameters, (int32_t)draft->chunks_count);
    drafts_bind_passages(parameters, draft, 1);
    documents_bind_if_none_match(parameters, &replacement->conditions);
    quire_request_write(request, &documents_replace_statement, parameters, on_replaced);
}

void documents_put(Quire__Documents_Service *service, const Quire__PutDocumentRequest *input,
                   Quire__Document_Closure closure, void *closure_data) {
    (void)service, (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    const struct draft_source source = {.title = input->title,
                                        .content = input->content,
                                        .metadata = input->metadata,
                                        .language = input->language,
                                        .tags = input->tags,
                                        .tags_count = input->n_tags};
    struct draft_fault fault;
    draft_judge(&source, &fault);
    if (fault.field != NULL) {
        quire_request_refuse_field(request, fault.field, fault.message);
        return;
    }
    if (!input->has_id || input->id.len != sizeof(((struct draft *)0)->id)) {
        quire_request_refuse(request, 404, "There is no such document.");
        return;
    }
    struct replacement *replacement = quire_arena_zalloc(quire_request_arena(request), sizeof(*replacement));
    if (replacement == NULL) {
        quire_request_refuse_for(request, 503, "There is no memory for this request now.", 1);
        return;
    }
    if (!documents_read_conditions(request, input->if_match, input->if_none_match, &replacement->conditions))
        return;
    if (!draft_prepare(quire_request_arena(request), &source, input->id.data, &replacement->draft)) {
        quire_request_refuse_for(request, 503, "There is no memory for this request now.", 1);
        return;
    }
    replacement->input = input;
    quire_request_set_state(request, replacement);
    drafts_ask_lexemes(request, &replacement->draft, 1, on_lexemes);
}
