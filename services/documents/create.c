#include "base/id.h"
#include "documents/conditions.h"
#include "documents/draft.h"
#include "documents/handlers.h"

/* One transaction: documents, chunks, postings, outbox, corpora, the once record. Locks: once, then corpora
 * (003_writes.sql). */
const struct quire_statement documents_store_statement = {
    .name = "documents.store",
    .sql = "SELECT ret_id, ret_language, ret_chunk_count, ret_at FROM documents.store($1::uuid, $2::text, $3::bytea, "
           "$4::int, $5::text,"
           " $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[],"
           " $13::int[], $14::int[], $15::text[], $16::text[], $17::int[], $18::text[], $19::text[])",
    .on_primary_only = true,
};

/* What a request carries from round to round. */
struct creation {
    const Quire__CreateDocumentRequest *single; /* NULL: a batch */
    const Quire__CreateBatchRequest *batch;
    struct draft *drafts; /* of the good documents, in the order of the request */
    size_t drafts_count;
    struct draft_fault *faults; /* of a batch: one for each item; field NULL where there is none */
};

static struct draft_source source_of(const Quire__CreateDocumentRequest *input) {
    return (struct draft_source){.title = input->title,
                                 .content = input->content,
                                 .metadata = input->metadata,
                                 .language = input->language,
                                 .tags = input->tags,
                                 .tags_count = input->n_tags};
}

static void refuse_for_memory(struct quire_request *request) {
    quire_request_refuse_for(request, 503, "There is no memory for this request now.", 1);
}

static void reply_document(struct quire_request *request, const struct creation *creation, const PGresult *result) {
    const Quire__CreateDocumentRequest *input = creation->single;
    Quire__Document document = QUIRE__DOCUMENT__INIT;
    const struct quire_slice id = quire_column_text(result, 0, 0);
    document.id = (ProtobufCBinaryData){id.size, (uint8_t *)(uintptr_t)id.bytes}; /* packed before the result goes */
    document.title = input->title;
    document.content = input->content;
    document.n_tags = input->n_tags;
    document.tags = input->tags;
    document.metadata = input->metadata != NULL ? input->metadata : "{}";
    if (!quire_column_null(result, 0, 1))
        document.language = quire_arena_text(quire_request_arena(request), quire_column_text(result, 0, 1));
    document.version = 1;
    document.chunk_count = quire_column_int32(result, 0, 2);
    document.created_at = document.updated_at = quire_column_time(result, 0, 3);
    document.etag = condition_etag(quire_request_arena(request), document.version);
    quire_request_reply(request, &document.base);
}

/* One fault of an item. The gateway's paths begin at the item; the caller's begin at the request (gateway/transcode.h).
 */
static Quire__FieldFault *item_fault(struct quire_arena *arena, size_t index, const char *field, const char *message) {
    Quire__FieldFault *fault = quire_arena_alloc(arena, sizeof(*fault));
    if (fault == NULL)
        return NULL;
    quire__field_fault__init(fault);
    fault->field = quire_arena_printf(arena, field[0] == '\0' ? "documents[%zu]%s" : "documents[%zu].%s", index, field);
    fault->message = (char *)(uintptr_t)message; /* packed, not written to */
    return fault->field != NULL ? fault : NULL;
}

/* The problem of an item: the faults that the gateway found, or ours. */
static bool item_problem(struct quire_arena *arena, const Quire__CreateDocumentRequest *input, size_t index,
                         const struct draft_fault *fault, Quire__BatchItem *item) {
    const size_t count = input->n_faults > 0 ? input->n_faults : 1;
    Quire__ItemProblem *problem = quire_arena_alloc(arena, sizeof(*problem));
    Quire__FieldFault **faults = quire_arena_alloc(arena, count * sizeof(*faults));
    if (problem == NULL || faults == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        faults[i] = input->n_faults > 0 ? item_fault(arena, index, input->faults[i]->field, input->faults[i]->message)
                                        : item_fault(arena, index, fault->field, fault->message);
        if (faults[i] == NULL)
            return false;
    }
    quire__item_problem__init(problem);
    problem->type = "/problems/invalid"; /* as the gateway's own of such a document alone */
    problem->title = "Unprocessable Content";
    problem->status = 422;
    problem->detail = "This document is not valid; the others are not touched by that.";
    problem->n_errors = count;
    problem->errors = faults;
    item->status = 422;
    item->error = problem;
    return true;
}

/* `result` has a row for each good item, or is NULL when there is none. */
static void reply_batch(struct quire_request *request, const struct creation *creation, const PGresult *result) {
    struct quire_arena *arena = quire_request_arena(request);
    const size_t count = creation->batch->n_documents;
    Quire__BatchItem *items = quire_arena_alloc(arena, count * sizeof(*items));
    Quire__BatchItem **pointers = quire_arena_alloc(arena, count * sizeof(*pointers));
    int row = 0;
    bool good = items != NULL && pointers != NULL;
    for (size_t i = 0; good && i < count; i++) {
        pointers[i] = &items[i];
        quire__batch_item__init(&items[i]);
        if (creation->faults[i].field != NULL) {
            good = item_problem(arena, creation->batch->documents[i], i, &creation->faults[i], &items[i]);
            continue;
        }
        const struct quire_slice id = quire_column_text(result, row++, 0);
        items[i].status = 201;
        items[i].has_id = true;
        items[i].id = (ProtobufCBinaryData){id.size, (uint8_t *)(uintptr_t)id.bytes};
    }
    if (!good) {
        refuse_for_memory(request);
        return;
    }
    Quire__BatchReply reply = QUIRE__BATCH_REPLY__INIT;
    reply.n_items = count;
    reply.items = pointers;
    quire_request_reply(request, &reply.base);
}

static void on_stored(struct quire_request *request, const PGresult *result) {
    const struct creation *creation = quire_request_state(request);
    if (creation->single != NULL)
        reply_document(request, creation, result);
    else
        reply_batch(request, creation, result);
}

static void bind_documents(struct quire_parameters *parameters, const struct draft *drafts, size_t count) {
    struct quire_slice *columns = quire_arena_alloc(parameters->arena, count * 6 * sizeof(*columns));
    int32_t *chunk_counts = quire_arena_alloc(parameters->arena, count * sizeof(*chunk_counts));
    if (columns == NULL || chunk_counts == NULL) {
        parameters->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        columns[i] = (struct quire_slice){drafts[i].id, sizeof(drafts[i].id)};
        columns[count + i] = drafts[i].title;
        columns[count * 2 + i] = drafts[i].content;
        columns[count * 3 + i] = drafts[i].tags;
        columns[count * 4 + i] = drafts[i].metadata;
        columns[count * 5 + i] = drafts[i].language;
        chunk_counts[i] = (int32_t)drafts[i].chunks_count;
    }
    quire_bind_uuid_array(parameters, columns, count);
    for (size_t column = 1; column < 6; column++)
        quire_bind_text_array(parameters, columns + count * column, count);
    quire_bind_int32_array(parameters, chunk_counts, count);
}

static void on_lexemes(struct quire_request *request, const PGresult *result) {
    struct creation *creation = quire_request_state(request);
    if (!drafts_take_lexemes(request, result, creation->drafts, creation->drafts_count)) {
        refuse_for_memory(request);
        return;
    }
    struct quire_parameters *parameters = quire_request_parameters(request);
    documents_bind_write(request, parameters);
    bind_documents(parameters, creation->drafts, creation->drafts_count);
    drafts_bind_passages(parameters, creation->drafts, creation->drafts_count);
    quire_request_write(request, &documents_store_statement, parameters, on_stored);
}

static struct creation *begin(struct quire_request *request, size_t count) {
    struct quire_arena *arena = quire_request_arena(request);
    struct creation *creation = quire_arena_zalloc(arena, sizeof(*creation));
    if (creation == NULL)
        return NULL;
    creation->drafts = quire_arena_alloc(arena, count * sizeof(*creation->drafts));
    creation->faults = quire_arena_zalloc(arena, count * sizeof(*creation->faults));
    quire_request_set_state(request, creation);
    return creation->drafts != NULL && creation->faults != NULL ? creation : NULL;
}

static bool add_draft(struct quire_request *request, struct creation *creation, const struct draft_source *source) {
    uint8_t id[QUIRE_UUID_BYTES];
    quire_uuid7(quire_request_now_ms(request), id);
    return draft_prepare(quire_request_arena(request), source, id, &creation->drafts[creation->drafts_count++]);
}

void documents_create(Quire__Documents_Service *service, const Quire__CreateDocumentRequest *input,
                      Quire__Document_Closure closure, void *closure_data) {
    (void)service, (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    const struct draft_source source = source_of(input);
    struct draft_fault fault;
    draft_judge(&source, &fault);
    if (fault.field != NULL) {
        quire_request_refuse_field(request, fault.field, fault.message);
        return;
    }
    struct creation *creation = begin(request, 1);
    if (creation == NULL || !add_draft(request, creation, &source)) {
        refuse_for_memory(request);
        return;
    }
    creation->single = input;
    drafts_ask_lexemes(request, creation->drafts, 1, on_lexemes);
}

void documents_create_batch(Quire__Documents_Service *service, const Quire__CreateBatchRequest *input,
                            Quire__BatchReply_Closure closure, void *closure_data) {
    (void)service, (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    if (input->n_documents == 0) {
        quire_request_refuse_field(request, "documents", "must have at least 1 item");
        return;
    }
    struct creation *creation = begin(request, input->n_documents);
    bool good = creation != NULL;
    if (good)
        creation->batch = input;
    for (size_t i = 0; good && i < input->n_documents; i++) {
        const struct draft_source source = source_of(input->documents[i]);
        if (input->documents[i]->n_faults > 0)
            creation->faults[i] = (struct draft_fault){input->documents[i]->faults[0]->field, ""};
        else
            draft_judge(&source, &creation->faults[i]);
        if (creation->faults[i].field == NULL)
            good = add_draft(request, creation, &source);
    }
    if (!good)
        refuse_for_memory(request);
    else if (creation->drafts_count == 0)
        reply_batch(request, creation, NULL);
    else
        drafts_ask_lexemes(request, creation->drafts, creation->drafts_count, on_lexemes);
}
