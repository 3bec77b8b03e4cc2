#include "handlers.h"

#define WORDS_A_MINUTE 238 /* silent reading of English non-fiction: Brysbaert 2019, doi:10.1016/j.jml.2019.104047 */

/* Index documents_pkey. */
const struct quire_statement stats_get_statement = {
    .name = "stats.get",
    .sql = "SELECT version, characters, words, sentences FROM stats.documents"
           " WHERE document_id = $1::uuid AND account_id = $2::uuid",
};
enum { COLUMN_VERSION, COLUMN_CHARACTERS, COLUMN_WORDS, COLUMN_SENTENCES };

static void refuse_unknown(struct quire_request *request) {
    quire_request_refuse(request, 404, "There is no such document, or it was not counted yet.");
}

static void on_row(struct quire_request *request, const PGresult *result) {
    const Stats__GetRequest *input = quire_request_state(request);
    if (PQntuples(result) == 0) {
        refuse_unknown(request);
        return;
    }
    Stats__DocumentStats stats = STATS__DOCUMENT_STATS__INIT;
    stats.document_id = input->id;
    stats.version = quire_column_int64(result, 0, COLUMN_VERSION);
    stats.characters = quire_column_int64(result, 0, COLUMN_CHARACTERS);
    stats.words = quire_column_int64(result, 0, COLUMN_WORDS);
    stats.sentences = quire_column_int64(result, 0, COLUMN_SENTENCES);
    stats.reading_seconds = (stats.words * 60 + WORDS_A_MINUTE - 1) / WORDS_A_MINUTE;
    quire_request_reply(request, &stats.base);
}

void stats_get(Stats__Stats_Service *service, const Stats__GetRequest *input, Stats__DocumentStats_Closure closure,
               void *closure_data) {
    (void)service, (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    if (!input->has_id || input->id.len != 16) {
        refuse_unknown(request);
        return;
    }
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, input->id.data);
    quire_bind_uuid(parameters, quire_request_account(request));
    quire_request_set_state(request, (void *)(uintptr_t)input); /* lives as long as the request */
    quire_request_read(request, &stats_get_statement, parameters, on_row);
}
