/* The query service's call, from a message's bytes to SQL parameters and back to an answer: see consumer.h. Each input
 * is asked without a cache, with an empty one, and again with what that has kept. */
#include "consumer.h"

#include "query/search.h"

#include <stdlib.h>

static const struct consumer_statement statements[] = {
    {&search_statement, "utTT?U?i?ii", "utitdt", .owned = true, .rows_max = 3},
    {&search_lexemes_statement, "TT", "W", .rows_min = 1, .rows_max = 1},
    {&search_postings_statement, "utTb?Tii", "klTTT?DP", .owned = true, .rows_min = 1, .rows_max = 1},
    {&search_passages_statement, "ubUI", "ittt", .owned = true, .rows_max = 4},
};

static struct search_context context = {.settings = {.words_max = 64, .postings_max = 3000}};
static struct quire_metrics *metrics;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    static Quire__Query_Service handlers = QUIRE__QUERY__INIT(query_);
    static const struct consumer query = {.service = "query",
                                          .handlers = &handlers.base,
                                          .context = &context,
                                          .statements = statements,
                                          .statements_count = sizeof(statements) / sizeof(statements[0])};
    consumer_begin(&query);
    metrics = quire_metrics_create(64);
    if (metrics == NULL || !search_start(&context, NULL, NULL, metrics))
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    (void)consumer_run(data, size);
    context.cache = cache_create(CACHE_BYTES_MIN, metrics);
    if (context.cache == NULL)
        abort();
    (void)consumer_run(data, size);
    (void)consumer_run(data, size);
    cache_destroy(context.cache);
    context.cache = NULL;
    return 0;
}
