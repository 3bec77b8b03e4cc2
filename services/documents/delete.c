#include "documents/handlers.h"

/* Locks: once, the document's row, corpora (010_conditions.sql). Refuses Q0404 before Q0412. */
const struct quire_statement documents_remove_statement = {
    .name = "documents.remove",
    .sql = "SELECT documents.remove($1::uuid, $2::text, $3::bytea, $4::int, $5::text, $6::uuid, $7::bigint[],"
           " $8::bigint[], $9::bool)",
    .on_primary_only = true,
};

static void on_removed(struct quire_request *request, const PGresult *result) {
    (void)result; /* of type void */
    const Quire__DeleteDocumentReply reply = QUIRE__DELETE_DOCUMENT_REPLY__INIT;
    quire_request_reply(request, &reply.base);
}

void documents_delete(Quire__Documents_Service *service, const Quire__DeleteDocumentRequest *input,
                      Quire__DeleteDocumentReply_Closure closure, void *closure_data) {
    (void)service, (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    if (!input->has_id || input->id.len != 16) {
        quire_request_refuse(request, 404, "There is no such document.");
        return;
    }
    struct documents_conditions conditions;
    if (!documents_read_conditions(request, input->if_match, input->if_none_match, &conditions))
        return;
    struct quire_parameters *parameters = quire_request_parameters(request);
    documents_bind_write(request, parameters);
    quire_bind_uuid(parameters, input->id.data);
    documents_bind_if_match(parameters, &conditions);
    documents_bind_if_none_match(parameters, &conditions);
    quire_request_write(request, &documents_remove_statement, parameters, on_removed);
}
