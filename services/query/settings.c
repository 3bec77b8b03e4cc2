#include "query/settings.h"

#include "query/search.h"

#define MIB ((size_t)1 << 20)

struct quire_setting_table search_setting_table(struct search_settings *target) {
    static const struct quire_setting settings[] = {
        {.name = "QUIRE_QUERY_WORDS_MAX",
         .type = QUIRE_SETTING_INTEGER,
         .offset = offsetof(struct search_settings, words_max),
         .fallback = "64",
         .min = 1,
         .max = SEARCH_WORDS_MAX,
         .unit = "",
         .about = "Distinct words of a question that are searched for; the first count."},
        {.name = "QUIRE_QUERY_POSTINGS_MAX",
         .type = QUIRE_SETTING_INTEGER,
         .offset = offsetof(struct search_settings, postings_max),
         .fallback = "3000",
         .min = 100,
         .max = 1000000,
         .unit = "",
         .about = "Passages that are looked at for each word of a question, those of the newest documents; bounds a "
                  "search's cost."},
        {.name = "QUIRE_QUERY_CACHE_MB",
         .type = QUIRE_SETTING_INTEGER,
         .offset = offsetof(struct search_settings, cache_mb),
         .fallback = "64",
         .min = 0,
         .max = 65536,
         .unit = "MiB",
         .about = "Memory for lists of postings and for words, so that a search adds up what it already has; 0: every "
                  "search is the database's."},
    };
    return (struct quire_setting_table){
        .settings = settings, .count = sizeof(settings) / sizeof(settings[0]), .target = target};
}

bool search_start(void *context, const struct quire_runtime_settings *runtime, struct quire_log *log,
                  struct quire_metrics *metrics) {
    static const char *const names[SEARCH_WAYS_COUNT] = {
        [SEARCH_KEPT] = "kept", [SEARCH_FETCHED] = "fetched", [SEARCH_DATABASE] = "database"};
    struct search_context *search = context;
    (void)runtime;
    for (size_t i = 0; i < SEARCH_WAYS_COUNT; i++)
        search->ways[i] = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_query_searches_total",
                                            "Searches answered: of lists that were kept, of fetched ones, or by the "
                                            "database.",
                                            "way", names[i]);
    if (search->settings.cache_mb == 0)
        return true;
    search->cache = cache_create((size_t)search->settings.cache_mb * MIB, metrics);
    if (search->cache == NULL)
        QUIRE_LOG(log, QUIRE_ERROR, "cache.no_memory", QUIRE_INTEGER("mib", search->settings.cache_mb));
    return search->cache != NULL;
}

void search_stop(void *context) {
    struct search_context *search = context;
    cache_destroy(search->cache);
    search->cache = NULL;
}
