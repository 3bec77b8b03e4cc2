/* The documents service's calls, each in the file of its name, and their statements. Worker thread only
 * (runtime/request.h); background work on its own thread (runtime/background.h). Owner scope is in every statement:
 * someone else's document doesn't exist. */
#ifndef QUIRE_DOCUMENTS_HANDLERS_H
#define QUIRE_DOCUMENTS_HANDLERS_H

#include "documents/conditions.h"
#include "runtime/background.h"
#include "runtime/request.h"

#include <quire/documents.pb-c.h>

void documents_create(Quire__Documents_Service *service, const Quire__CreateDocumentRequest *input,
                      Quire__Document_Closure closure, void *closure_data);
void documents_create_batch(Quire__Documents_Service *service, const Quire__CreateBatchRequest *input,
                            Quire__BatchReply_Closure closure, void *closure_data);
void documents_list(Quire__Documents_Service *service, const Quire__ListDocumentsRequest *input,
                    Quire__DocumentList_Closure closure, void *closure_data);
void documents_get(Quire__Documents_Service *service, const Quire__GetDocumentRequest *input,
                   Quire__Document_Closure closure, void *closure_data);
void documents_put(Quire__Documents_Service *service, const Quire__PutDocumentRequest *input,
                   Quire__Document_Closure closure, void *closure_data);
void documents_delete(Quire__Documents_Service *service, const Quire__DeleteDocumentRequest *input,
                      Quire__DeleteDocumentReply_Closure closure, void *closure_data);

/* Publishes what the outbox holds; one process at a time does. */
unsigned documents_relay_events(struct quire_background *background, void *context);
/* Removes idempotency records whose time is over. */
unsigned documents_sweep_once(struct quire_background *background, void *context);

extern const struct quire_statement documents_store_statement, documents_replace_statement, documents_remove_statement,
    documents_get_statement, documents_page_statement, documents_outbox_take_statement, documents_outbox_drop_statement,
    documents_sweep_statement;

/* Binds what every write begins with: account, once's key, fingerprint and keep_s, request id. */
void documents_bind_write(struct quire_request *request, struct quire_parameters *parameters);

/* condition_read of the header `name`; false after refusing a request whose header can't be read. */
QUIRE_MUSTCHECK bool documents_read_condition(struct quire_request *request, const char *name, const char *value,
                                              bool weak, struct condition *ret_condition);

/* What a write asks to hold. Judged by its statement, on the locked row: 010_conditions.sql. */
struct documents_conditions {
    struct condition if_match, if_none_match;
};
/* False after refusing, as above. */
QUIRE_MUSTCHECK bool documents_read_conditions(struct quire_request *request, const char *if_match,
                                               const char *if_none_match, struct documents_conditions *ret_conditions);
/* Binds If-Match as bigint[]: null without the header or with `*`. */
void documents_bind_if_match(struct quire_parameters *parameters, const struct documents_conditions *conditions);
/* Binds If-None-Match as bigint[], and as a boolean whether it is `*`. */
void documents_bind_if_none_match(struct quire_parameters *parameters, const struct documents_conditions *conditions);

#endif
