/* When sessions were last used, as Redis knows it: PostgreSQL hears of it some minutes later (upkeep.h). One connection
 * a process, made when it is first needed; only lists of sessions ask, so workers share it.
 *
 * Any thread. Every wait is bounded by SEEN_WAIT_MS; after a failure nobody tries again for SEEN_RETRY_MS, and lists
 * show what PostgreSQL knows. That Redis is away is logged as by any connection (runtime/redis.h). */
#ifndef QUIRE_SESSION_SEEN_H
#define QUIRE_SESSION_SEEN_H

#include "base/token.h"
#include "runtime/redis.h"

#define SEEN_WAIT_MS 100u
#define SEEN_RETRY_MS 1000u

struct seen;

struct seen_options {
    const struct quire_redis_access *access; /* copied; its texts must outlive it */
    struct quire_log *log;
    struct quire_metrics *metrics;
};

/* Never connects. NULL as quire_redis_create. */
QUIRE_MUSTCHECK struct seen *seen_create(const struct seen_options *options);
void seen_destroy(struct seen *seen);

/* Sets ret_seen_ms[i] for sessions[i] (QUIRE_SESSION_BYTES each): milliseconds since 1970, 0 when unknown to Redis. All
 * sessions are of one account. When Redis can't be asked now, ret_seen_ms stays as it is. */
void seen_find(struct seen *seen, const struct quire_slice *sessions, size_t count, uint64_t now_ns,
               int64_t *ret_seen_ms);

#endif
