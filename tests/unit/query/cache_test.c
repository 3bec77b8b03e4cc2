#include "query/cache.h"

#include "unit/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 4
#define TURNS 20000

static struct quire_metrics *metrics;

static int set_up(void) {
    metrics = quire_metrics_create(64);
    return metrics == NULL;
}

static int tear_down(void) {
    quire_metrics_destroy(metrics);
    return 0;
}

static struct cache_key key_of(const char *space, const char *name) {
    return (struct cache_key){quire_slice_of(space), quire_slice_of(name)};
}

static void put(struct cache *cache, const char *space, const char *name, const char *version, const char *value) {
    const struct cache_key key = key_of(space, name);
    cache_put(cache, &key, quire_slice_of(version), quire_slice_of(value));
}

static const struct cache_entry *find(struct cache *cache, const char *space, const char *name, const char *version) {
    const struct cache_key key = key_of(space, name);
    const struct cache_entry *entry;
    cache_find(cache, &key, 1, quire_slice_of(version), &entry);
    return entry;
}

static bool holds(struct cache *cache, const char *space, const char *name, const char *version, const char *value) {
    const struct cache_entry *entry = find(cache, space, name, version);
    const bool good = entry != NULL && quire_slice_equal(cache_value(entry), quire_slice_of(value));
    cache_unref(entry);
    return good;
}

static bool lacks(struct cache *cache, const char *space, const char *name, const char *version) {
    const struct cache_entry *entry = find(cache, space, name, version);
    cache_unref(entry);
    return entry == NULL;
}

/* Else one account's lists answer another's question. */
static void keys_are_equal_in_both_parts_or_not_at_all(void) {
    struct cache *cache = cache_create(CACHE_BYTES_MIN, metrics);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
    put(cache, "ab", "c", "", "first");
    put(cache, "a", "bc", "", "second");
    put(cache, "", "abc", "", "");
    CU_ASSERT_TRUE(holds(cache, "ab", "c", "", "first"));
    CU_ASSERT_TRUE(holds(cache, "a", "bc", "", "second"));
    CU_ASSERT_TRUE(holds(cache, "", "abc", "", ""));
    CU_ASSERT_TRUE(lacks(cache, "abc", "", ""));
    cache_destroy(cache);
}

/* Else what was read before a write is shown after it. */
static void a_value_of_another_version_is_not_found_and_goes_when_a_new_one_comes(void) {
    struct cache *cache = cache_create(CACHE_BYTES_MIN, metrics);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
    put(cache, "a", "list", "one", "old");
    const size_t bytes = cache_bytes(cache);
    CU_ASSERT_TRUE(lacks(cache, "a", "list", "two"));
    CU_ASSERT_TRUE(lacks(cache, "a", "list", ""));
    put(cache, "a", "list", "two", "new");
    CU_ASSERT_TRUE(lacks(cache, "a", "list", "one"));
    CU_ASSERT_TRUE(holds(cache, "a", "list", "two", "new"));
    CU_ASSERT_EQUAL(cache_bytes(cache), bytes); /* both are as long */
    cache_destroy(cache);
}

static void what_was_used_least_recently_goes_first(void) {
    struct cache *cache = cache_create(CACHE_BYTES_MIN, metrics);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
    static char value[4000];
    char name[16];
    memset(value, 'x', sizeof(value) - 1);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "%d", i);
        put(cache, "a", name, "", value);
        CU_ASSERT_TRUE(cache_bytes(cache) <= CACHE_BYTES_MIN);
        CU_ASSERT_TRUE(holds(cache, "a", "0", "", value)); /* used at every turn */
    }
    CU_ASSERT_TRUE(cache_bytes(cache) > CACHE_BYTES_MIN - 2 * sizeof(value)); /* full, not emptied */
    CU_ASSERT_TRUE(holds(cache, "a", "99", "", value));
    CU_ASSERT_TRUE(holds(cache, "a", "90", "", value));
    CU_ASSERT_TRUE(lacks(cache, "a", "1", ""));
    CU_ASSERT_TRUE(lacks(cache, "a", "50", ""));
    cache_destroy(cache);
}

/* Else one account's longest list empties the cache of everybody. */
static void a_value_too_large_is_not_kept_and_moves_nothing(void) {
    struct cache *cache = cache_create(CACHE_BYTES_MIN, metrics);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
    char *large = calloc(1, CACHE_BYTES_MIN);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, 'x', CACHE_BYTES_MIN / 2);
    put(cache, "a", "small", "", "value");
    put(cache, "a", "large", "", large);
    CU_ASSERT_TRUE(lacks(cache, "a", "large", ""));
    CU_ASSERT_TRUE(holds(cache, "a", "small", "", "value"));
    large[CACHE_BYTES_MIN / 8] = '\0';
    put(cache, "a", "large", "", large); /* the next one still comes in */
    CU_ASSERT_TRUE(holds(cache, "a", "large", "", large));
    free(large);
    cache_destroy(cache);
}

/* Else a search adds up freed memory when others fill the cache meanwhile. */
static void a_reference_outlives_eviction_and_the_cache(void) {
    struct cache *cache = cache_create(CACHE_BYTES_MIN, metrics);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
    put(cache, "a", "kept", "", "value");
    const struct cache_entry *entry = find(cache, "a", "kept", "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    static char value[4000];
    char name[16];
    memset(value, 'x', sizeof(value) - 1);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "%d", i);
        put(cache, "a", name, "", value);
    }
    CU_ASSERT_TRUE(lacks(cache, "a", "kept", ""));
    cache_destroy(cache);
    CU_ASSERT_TRUE(quire_slice_equal(cache_value(entry), QUIRE_SLICE_LITERAL("value")));
    cache_unref(entry);
}

static void several_keys_are_found_at_once_each_at_its_place(void) {
    struct cache *cache = cache_create(CACHE_BYTES_MIN, metrics);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
    put(cache, "a", "one", "v", "1");
    put(cache, "a", "three", "v", "3");
    const struct cache_key keys[] = {key_of("a", "one"), key_of("a", "two"), key_of("a", "three"), key_of("a", "one")};
    const struct cache_entry *entries[4];
    cache_find(cache, keys, 4, QUIRE_SLICE_LITERAL("v"), entries);
    CU_ASSERT_TRUE_FATAL(entries[0] != NULL && entries[1] == NULL && entries[2] != NULL && entries[3] == entries[0]);
    CU_ASSERT_TRUE(quire_slice_equal(cache_value(entries[2]), QUIRE_SLICE_LITERAL("3")));
    for (size_t i = 0; i < 4; i++)
        cache_unref(entries[i]);
    cache_destroy(cache);
}

/* Of one thread; each value says which key it belongs to. Counts what it found wrong. */
struct turns {
    struct cache *cache;
    unsigned seed;
    size_t wrong, found;
    pthread_t thread;
};

static void *turn(void *context) {
    struct turns *turns = context;
    char name[16], value[512];
    for (int i = 0; i < TURNS; i++) {
        turns->seed = turns->seed * 1103515245u + 12345u;
        const unsigned number = turns->seed >> 16 & 255u;
        snprintf(name, sizeof(name), "%u", number);
        snprintf(value, sizeof(value), "%0300u", number);
        const struct cache_entry *entry = find(turns->cache, "account", name, "v");
        turns->found += entry != NULL;
        turns->wrong += entry != NULL && !quire_slice_equal(cache_value(entry), quire_slice_of(value));
        if (entry == NULL)
            put(turns->cache, "account", name, "v", value);
        cache_unref(entry);
    }
    return NULL;
}

/* The cache holds a part of the keys, so that threads evict what others read. */
static void threads_share_it(void) {
    struct turns turns[THREADS];
    struct cache *cache = cache_create(CACHE_BYTES_MIN, metrics);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
    for (unsigned i = 0; i < THREADS; i++) {
        turns[i] = (struct turns){.cache = cache, .seed = i + 1};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&turns[i].thread, NULL, turn, &turns[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(pthread_join(turns[i].thread, NULL), 0);
        CU_ASSERT_EQUAL(turns[i].wrong, 0);
        CU_ASSERT_TRUE(turns[i].found > 0 && turns[i].found < TURNS);
    }
    CU_ASSERT_TRUE(cache_bytes(cache) <= CACHE_BYTES_MIN);
    cache_destroy(cache);
}

QUIRE_TEST_MAIN("cache", set_up, tear_down,
                {"keys_are_equal_in_both_parts_or_not_at_all", keys_are_equal_in_both_parts_or_not_at_all},
                {"a_value_of_another_version_is_not_found_and_goes_when_a_new_one_comes",
                 a_value_of_another_version_is_not_found_and_goes_when_a_new_one_comes},
                {"what_was_used_least_recently_goes_first", what_was_used_least_recently_goes_first},
                {"a_value_too_large_is_not_kept_and_moves_nothing", a_value_too_large_is_not_kept_and_moves_nothing},
                {"a_reference_outlives_eviction_and_the_cache", a_reference_outlives_eviction_and_the_cache},
                {"several_keys_are_found_at_once_each_at_its_place", several_keys_are_found_at_once_each_at_its_place},
                {"threads_share_it", threads_share_it})
