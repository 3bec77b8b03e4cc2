/* What all searches of the process share: the query service's own settings, beside runtime's, and the cache. */
#ifndef QUIRE_QUERY_SETTINGS_H
#define QUIRE_QUERY_SETTINGS_H

#include "base/config.h"
#include "query/cache.h"
#include "runtime/service.h"

/* How a question was answered; the order is that of search_measures.ways. */
enum search_way {
    SEARCH_KEPT,     /* from lists that were kept */
    SEARCH_FETCHED,  /* lists were fetched, some or all */
    SEARCH_DATABASE, /* by documents.search() */
    SEARCH_WAYS_COUNT,
};

struct search_settings {
    int64_t words_max;    /* of a question */
    int64_t postings_max; /* read for each of its lexemes */
    int64_t cache_mb;     /* 0: no cache */
};

/* Constant while workers run, but for what is behind the pointers, which is for any thread. */
struct search_context {
    struct search_settings settings;
    struct cache *cache;                          /* NULL: off */
    struct quire_series *ways[SEARCH_WAYS_COUNT]; /* answers */
};

/* The table of settings, which fills `target`. */
struct quire_setting_table search_setting_table(struct search_settings *target);

/* quire_service_options' start and stop; the context is a struct search_context. */
QUIRE_MUSTCHECK bool search_start(void *context, const struct quire_runtime_settings *runtime, struct quire_log *log,
                                  struct quire_metrics *metrics);
void search_stop(void *context);

#endif
