/* Values by key, shared by all workers of the process, bounded in bytes: what was used least recently goes.
 *
 * Any thread. One lock, held for as long as it takes to look up a question's keys; values are never copied under it:
 * they don't change once they are in, and whoever found one holds a reference, so that it outlives its eviction. A
 * value has a version; asked for with another one it isn't found, and the next put replaces it, so that a key has one
 * value however often it grows old. */
#ifndef QUIRE_QUERY_CACHE_H
#define QUIRE_QUERY_CACHE_H

#include "base/metrics.h"
#include "base/slice.h"

struct cache;
struct cache_entry;

/* Equal when both parts are. */
struct cache_key {
    struct quire_slice space, name;
};

/* bytes_max counts keys, values and their administration; at least CACHE_BYTES_MIN. NULL without memory. */
#define CACHE_BYTES_MIN ((size_t)1 << 16)
QUIRE_MUSTCHECK struct cache *cache_create(size_t bytes_max, struct quire_metrics *metrics);
/* NULL is fine. No reference is left. */
void cache_destroy(struct cache *cache);

/* ret_entries[i] is keys[i]'s value of this version, or NULL. The caller gives each back by cache_unref. */
void cache_find(struct cache *cache, const struct cache_key *keys, size_t count, struct quire_slice version,
                const struct cache_entry **ret_entries);
/* Aligned as malloc's memory; valid until cache_unref. */
struct quire_slice cache_value(const struct cache_entry *entry);
/* NULL is fine. */
void cache_unref(const struct cache_entry *entry);

/* Copies the value and replaces the key's former one, whatever version that had. A value that is too large for the
 * cache, or for the memory there is, isn't kept: nobody may count on finding what he put. */
void cache_put(struct cache *cache, const struct cache_key *key, struct quire_slice version, struct quire_slice value);

size_t cache_bytes(struct cache *cache);

#endif
