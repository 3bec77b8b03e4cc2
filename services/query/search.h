/* POST /query. Worker thread only (runtime/request.h); the context is a struct search_settings. */
#ifndef QUIRE_QUERY_SEARCH_H
#define QUIRE_QUERY_SEARCH_H

#include "base/config.h"
#include "runtime/request.h"

#include <quire/query.pb-c.h>

struct search_settings {
    int64_t words_max;    /* of a question */
    int64_t postings_max; /* read for each of its lexemes */
};

/* The table of settings, which fills `target`. */
struct quire_setting_table search_setting_table(struct search_settings *target);

void query_search(Quire__Query_Service *service, const Quire__SearchRequest *input, Quire__SearchReply_Closure closure,
                  void *closure_data);

extern const struct quire_statement search_statement, search_lexemes_statement;

#endif
