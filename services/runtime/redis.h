/* A connection to Redis with the library of redis/quire.lua loaded: opened by a link (runtime/link.h), used in
 * pipelines: append all, then take each reply, in order. Worker thread only. Every wait is a poll() to the caller's
 * deadline; a connection that misses it is dropped, and answers that are still owed go with it. The process must ignore
 * SIGPIPE: hiredis doesn't. */
#ifndef QUIRE_RUNTIME_REDIS_H
#define QUIRE_RUNTIME_REDIS_H

#include "base/log.h"
#include "base/metrics.h"

#include <hiredis/hiredis.h>

#define QUIRE_RUN_ID_CHARACTERS 40u

struct quire_redis;

/* How a process gets in to Redis: texts of its settings, "" for none. */
struct quire_redis_access {
    const char *address;             /* host:port; [host]:port for IPv6 */
    const char *username, *password; /* without a name, the default user's password */
    bool tls;
    const char *ca; /* PEM of the authorities that are believed; without, the system's */
};

struct quire_redis_options {
    const struct quire_redis_access *access; /* copied */
    uint32_t connect_ms, retry_ms;
    struct quire_log *log;
    struct quire_metrics *metrics;
};

/* Never connects. NULL without memory, for an address without a port, or for authorities that can't be read (logged).
 */
QUIRE_MUSTCHECK struct quire_redis *quire_redis_create(const struct quire_redis_options *options);
void quire_redis_destroy(struct quire_redis *redis);

/* True when connected; else begins to connect, and waits for it as quire_link_get does. */
bool quire_redis_ready(struct quire_redis *redis, uint64_t until_ns);
/* Between requests: notices a connection that the server has closed, and connects again, so that no request has to find
 * out. Costs a poll() without waiting. */
void quire_redis_tick(struct quire_redis *redis);
/* As quire_link_settled. */
bool quire_redis_settled(const struct quire_redis *redis);
/* The server's run id, 40 characters, as it was when this connection was made; NULL when away. A connection has one for
 * life: a server that restarts breaks it. */
const char *quire_redis_run_id(const struct quire_redis *redis);
/* Changes with every connection; 0 when away. */
uint64_t quire_redis_serial(const struct quire_redis *redis);

/* Adds a command to the pipeline; words are copied. False when away. */
QUIRE_MUSTCHECK bool quire_redis_append(struct quire_redis *redis, const struct quire_slice *words, size_t count);
/* Sends what was appended, as far as the socket takes it without waiting; the rest goes with the next reply that is
 * asked for, and what fails is found out there. */
void quire_redis_send(struct quire_redis *redis);
/* The next reply, the caller's to free (freeReplyObject); it may be an error reply. NULL: the connection was dropped.
 */
QUIRE_MUSTCHECK redisReply *quire_redis_reply(struct quire_redis *redis, uint64_t deadline_ns);
/* Drops the connection and what is owed on it. `error` goes to the log when an outage begins. */
void quire_redis_drop(struct quire_redis *redis, const char *error);
/* An error reply after which the connection should be dropped: the library is gone, the server is no master, or loads
 * its file. */
bool quire_redis_unusable(const redisReply *reply);

#endif
