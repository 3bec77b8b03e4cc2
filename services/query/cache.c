#include "query/cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BYTES_A_BUCKET 512u /* of bytes_max: about as many buckets as entries of usual sizes */
#define ALLOCATOR_BYTES 16u /* what malloc keeps beside an entry */
#define SHARE_MAX 4u        /* a value may take this part of the cache at most */
#define VALUE_ALIGNMENT 16u
static_assert(alignof(max_align_t) >= VALUE_ALIGNMENT, "malloc aligns as far");

/* One allocation: the entry, then the value at an aligned place, then space, name and version.
 * Invariants:
 *   references >= 1; the cache holds one for as long as the entry is in its lists
 *   everything behind `references` is constant but the links, which are the cache's, under its lock */
struct cache_entry {
    atomic_uint references;
    uint64_t hash;
    uint32_t value_bytes, space_bytes, name_bytes, version_bytes;
    struct cache_entry *chained;       /* of the bucket */
    struct cache_entry *newer, *older; /* by use */
    alignas(VALUE_ALIGNMENT) uint8_t bytes[];
};

/* Invariants, whenever the lock is free:
 *   bytes is the sum of entry_bytes() over all entries plus the buckets', and <= bytes_max
 *   each entry is in one bucket and once between newest and oldest */
struct cache {
    pthread_mutex_t lock;
    size_t bytes_max, bytes;
    size_t buckets_count; /* a power of two */
    struct cache_entry **buckets;
    struct cache_entry *newest, *oldest;
    struct quire_series *hits, *misses, *evictions, *bytes_now;
};

struct cache *cache_create(size_t bytes_max, struct quire_metrics *metrics) {
    assert(bytes_max >= CACHE_BYTES_MIN);
    struct cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL)
        return NULL;
    cache->bytes_max = bytes_max;
    cache->buckets_count = 64;
    while (cache->buckets_count < bytes_max / BYTES_A_BUCKET)
        cache->buckets_count *= 2;
    cache->buckets = calloc(cache->buckets_count, sizeof(*cache->buckets));
    if (cache->buckets == NULL || pthread_mutex_init(&cache->lock, NULL) != 0) {
        free(cache->buckets);
        free(cache);
        return NULL;
    }
    cache->bytes = cache->buckets_count * sizeof(*cache->buckets);
    static const char *const lookups = "quire_query_cache_lookups_total";
    static const char *const about = "Postings lists, corpora and words that a search looked for in the cache.";
    cache->hits = quire_metrics_one(metrics, QUIRE_COUNTER, lookups, about, "result", "hit");
    cache->misses = quire_metrics_one(metrics, QUIRE_COUNTER, lookups, about, "result", "miss");
    cache->evictions = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_query_cache_evictions_total",
                                         "What went from the cache to make room.", "", NULL);
    cache->bytes_now =
        quire_metrics_one(metrics, QUIRE_GAUGE, "quire_query_cache_bytes", "What the cache holds now.", "", NULL);
    return cache;
}

static size_t entry_bytes(const struct cache_entry *entry) {
    return sizeof(*entry) + ALLOCATOR_BYTES + entry->value_bytes + entry->space_bytes + entry->name_bytes +
           entry->version_bytes;
}

static uint64_t mix(uint64_t hash, struct quire_slice part) {
    for (size_t i = 0; i < part.size; i++)
        hash = (hash ^ part.bytes[i]) * 0x100000001b3u; /* FNV-1a */
    return (hash ^ part.size) * 0x9e3779b97f4a7c15u;
}

static uint64_t hash_of(const struct cache_key *key) {
    const uint64_t hash = mix(mix(0xcbf29ce484222325u, key->space), key->name);
    return hash ^ hash >> 32; /* buckets are chosen by the low bits */
}

static struct quire_slice space_of(const struct cache_entry *entry) {
    return (struct quire_slice){entry->bytes + entry->value_bytes, entry->space_bytes};
}

static struct quire_slice name_of(const struct cache_entry *entry) {
    return (struct quire_slice){space_of(entry).bytes + entry->space_bytes, entry->name_bytes};
}

static struct quire_slice version_of(const struct cache_entry *entry) {
    return (struct quire_slice){name_of(entry).bytes + entry->name_bytes, entry->version_bytes};
}

/* Where the pointer to the key's entry stands, or the NULL at the end of its bucket. Under the lock. */
static struct cache_entry **place_of(struct cache *cache, const struct cache_key *key, uint64_t hash) {
    struct cache_entry **place = &cache->buckets[hash & (cache->buckets_count - 1)];
    while (*place != NULL && !((*place)->hash == hash && quire_slice_equal(name_of(*place), key->name) &&
                               quire_slice_equal(space_of(*place), key->space)))
        place = &(*place)->chained;
    return place;
}

static void unlink_use(struct cache *cache, struct cache_entry *entry) {
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct cache *cache, struct cache_entry *entry) {
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

/* Under the lock; the entry lives on for whoever still reads it. */
static void remove_at(struct cache *cache, struct cache_entry **place) {
    struct cache_entry *entry = *place;
    *place = entry->chained;
    unlink_use(cache, entry);
    cache->bytes -= entry_bytes(entry);
    cache_unref(entry);
}

static struct cache_entry **place_of_entry(struct cache *cache, const struct cache_entry *entry) {
    struct cache_entry **place = &cache->buckets[entry->hash & (cache->buckets_count - 1)];
    while (*place != entry)
        place = &(*place)->chained;
    return place;
}

void cache_destroy(struct cache *cache) {
    if (cache == NULL)
        return;
    while (cache->oldest != NULL)
        remove_at(cache, place_of_entry(cache, cache->oldest));
    (void)pthread_mutex_destroy(&cache->lock);
    free(cache->buckets);
    free(cache);
}

void cache_find(struct cache *cache, const struct cache_key *keys, size_t count, struct quire_slice version,
                const struct cache_entry **ret_entries) {
    size_t hits = 0;
    (void)pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < count; i++) {
        struct cache_entry *entry = *place_of(cache, &keys[i], hash_of(&keys[i]));
        ret_entries[i] = NULL;
        if (entry == NULL || !quire_slice_equal(version_of(entry), version))
            continue;
        unlink_use(cache, entry);
        link_newest(cache, entry);
        /* Relaxed: the lock orders it against the cache's own reference going. */
        (void)atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        ret_entries[i] = entry;
        hits++;
    }
    (void)pthread_mutex_unlock(&cache->lock);
    quire_series_add(cache->hits, (double)hits);
    quire_series_add(cache->misses, (double)(count - hits));
}

struct quire_slice cache_value(const struct cache_entry *entry) {
    return (struct quire_slice){entry->bytes, entry->value_bytes};
}

void cache_unref(const struct cache_entry *entry) {
    struct cache_entry *own = (struct cache_entry *)(uintptr_t)entry; /* const is the value, not the count */
    if (own != NULL && atomic_fetch_sub_explicit(&own->references, 1, memory_order_acq_rel) == 1)
        free(own);
}

static uint8_t *append(uint8_t *to, struct quire_slice part) {
    if (part.size > 0)
        memcpy(to, part.bytes, part.size);
    return to + part.size;
}

/* With one reference, the cache's. NULL without memory. */
static struct cache_entry *create_entry(const struct cache_key *key, struct quire_slice version,
                                        struct quire_slice value) {
    const size_t bytes = sizeof(struct cache_entry) + value.size + key->space.size + key->name.size + version.size;
    struct cache_entry *entry = malloc(bytes);
    if (entry == NULL)
        return NULL;
    *entry = (struct cache_entry){.hash = hash_of(key),
                                  .value_bytes = (uint32_t)value.size,
                                  .space_bytes = (uint32_t)key->space.size,
                                  .name_bytes = (uint32_t)key->name.size,
                                  .version_bytes = (uint32_t)version.size};
    atomic_init(&entry->references, 1);
    (void)append(append(append(append(entry->bytes, value), key->space), key->name), version);
    return entry;
}

void cache_put(struct cache *cache, const struct cache_key *key, struct quire_slice version, struct quire_slice value) {
    const size_t bytes_max = cache->bytes_max / SHARE_MAX < UINT32_MAX ? cache->bytes_max / SHARE_MAX : UINT32_MAX;
    if (value.size + key->space.size + key->name.size + version.size > bytes_max)
        return;
    struct cache_entry *entry = create_entry(key, version, value);
    if (entry == NULL)
        return;
    size_t evictions = 0;
    (void)pthread_mutex_lock(&cache->lock);
    struct cache_entry **place = place_of(cache, key, entry->hash);
    if (*place != NULL)
        remove_at(cache, place);
    for (; cache->oldest != NULL && cache->bytes + entry_bytes(entry) > cache->bytes_max; evictions++)
        remove_at(cache, place_of_entry(cache, cache->oldest));
    place = &cache->buckets[entry->hash & (cache->buckets_count - 1)];
    entry->chained = *place;
    *place = entry;
    link_newest(cache, entry);
    cache->bytes += entry_bytes(entry);
    quire_series_set(cache->bytes_now, (double)cache->bytes);
    (void)pthread_mutex_unlock(&cache->lock);
    quire_series_add(cache->evictions, (double)evictions);
}

size_t cache_bytes(struct cache *cache) {
    (void)pthread_mutex_lock(&cache->lock);
    const size_t bytes = cache->bytes;
    (void)pthread_mutex_unlock(&cache->lock);
    return bytes;
}
