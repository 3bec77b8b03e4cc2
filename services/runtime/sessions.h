/* A worker's connection to Redis: session check and limits before the handlers, publication after the commits. All by
 * functions of the library in redis/quire.lua, one pipeline each.
 *
 * Worker thread only. Every wait is bounded; Redis away or cold (its run id isn't the loaded epoch's) answers AWAY at
 * once. */
#ifndef QUIRE_RUNTIME_SESSIONS_H
#define QUIRE_RUNTIME_SESSIONS_H

#include "base/arena.h"
#include "base/contract.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/token.h"
#include "runtime/redis.h"
#include "runtime/watermark.h"

struct quire_sessions;

struct quire_limits {
    bool on;
    int64_t account_rate, account_burst, account_concurrent;
    int64_t address_rate, address_burst; /* requests without a session, but for: */
    int64_t log_in_rate, log_in_burst;   /* log-ins, right and wrong */
    int64_t log_in_failures, log_in_failures_address, log_in_window_s;
    int64_t registrations_hour, registrations_burst;
};

struct quire_sessions_options {
    const struct quire_redis_access *redis;
    uint32_t connect_ms, command_ms, retry_ms;
    struct quire_limits limits;
    struct quire_log *log;
    struct quire_metrics *metrics;
};

enum quire_verdict {
    QUIRE_ADMITTED,
    QUIRE_UNAUTHENTICATED, /* 401 */
    QUIRE_LIMITED,         /* 429 */
    QUIRE_SESSIONS_AWAY,   /* 503 */
};

struct quire_check {
    const struct quire_call *call;
    const uint8_t *session;     /* QUIRE_SESSION_BYTES or NULL */
    struct quire_slice client;  /* address as text */
    struct quire_slice request; /* a unique name of this request: the correlation id */
    uint64_t deadline_ms;       /* wall clock: when its place among the concurrent ones lapses by itself */
    const uint8_t *account_tag; /* log-in throttle: tag of the account that is meant, NULL when unknown */
    struct quire_arena *arena;  /* where the note goes; only of calls that want one */
    /* Filled by quire_sessions_check. */
    enum quire_verdict verdict;
    uint8_t account[16];
    struct quire_slice note; /* of an ADMITTED session, in `arena`; empty: none, or not wanted, or no memory */
    struct quire_watermark watermark;
    unsigned retry_after_s;
    uint32_t pace_us; /* refused by the account's rate: the time in which it lets in one request more; else 0 */
    char rate_limit[96], rate_limit_policy[96]; /* the fields' values; "" when none */
    bool holds_place;                           /* to be released by a publication */
    bool counts_as_failure; /* a log-in: it is counted as one with a wrong password, until it is known to be right */
};

QUIRE_MUSTCHECK struct quire_sessions *quire_sessions_create(const struct quire_sessions_options *options);
void quire_sessions_destroy(struct quire_sessions *sessions);

/* One pipeline for all checks. now_ms is the wall clock. */
void quire_sessions_check(struct quire_sessions *sessions, struct quire_check *const *checks, size_t count,
                          uint64_t now_ms, uint64_t deadline_ns);

/* One thing to say to Redis after the commit. */
struct quire_publication {
    enum { QUIRE_RAISE_WATERMARK, QUIRE_RELEASE_PLACE, QUIRE_CALL_FUNCTION } kind;
    const uint8_t *tag; /* QUIRE_TAG_BYTES */
    const uint8_t *account;
    const struct quire_watermark *watermark;
    struct quire_slice request; /* RELEASE_PLACE */
    const char *function;       /* CALL_FUNCTION */
    const struct quire_slice *keys, *arguments;
    size_t keys_count, arguments_count;
    bool failed; /* filled */
};
void quire_sessions_publish(struct quire_sessions *sessions, struct quire_publication *const *publications,
                            size_t count, uint64_t deadline_ns);
/* The same in two steps, for what nobody has to wait for: after _begin it is on its way to Redis, before whatever is
 * sent to others from then on; _end takes the answers, and comes before anything else is asked of Redis. */
void quire_sessions_publish_begin(struct quire_sessions *sessions, struct quire_publication *const *publications,
                                  size_t count, uint64_t deadline_ns);
void quire_sessions_publish_end(struct quire_sessions *sessions, struct quire_publication *const *publications,
                                size_t count, uint64_t deadline_ns);

/* Keeps the connection alive between batches (quire_redis_tick): call it with each turn of the loop. */
void quire_sessions_tick(struct quire_sessions *sessions);
/* As quire_link_settled. */
bool quire_sessions_settled(const struct quire_sessions *sessions);

/* PING within bound_ms, and warm. detail is constant text or NULL. */
bool quire_sessions_healthy(struct quire_sessions *sessions, uint32_t bound_ms, double *ret_ms,
                            const char **ret_detail);

#endif
