/* POST /query. Worker thread only (runtime/request.h); the context is a struct search_context. */
#ifndef QUIRE_QUERY_SEARCH_H
#define QUIRE_QUERY_SEARCH_H

#include "query/settings.h"
#include "runtime/request.h"

#include <quire/query.pb-c.h>

#define SEARCH_WORDS_MAX 256 /* of a question, whatever the setting */

void query_search(Quire__Query_Service *service, const Quire__SearchRequest *input, Quire__SearchReply_Closure closure,
                  void *closure_data);

/* What the service has prepared. */
const struct quire_statement *const *search_statements(size_t *ret_count);

extern const struct quire_statement search_statement, search_lexemes_statement, search_postings_statement,
    search_passages_statement;

#endif
