/* What background work (runtime/service.h) may use: its own connections, a Kafka producer, Redis. Background thread
 * only; every wait is bounded by the process's settings; a call that fails has already logged why, and the next one
 * connects anew. */
#ifndef QUIRE_RUNTIME_BACKGROUND_H
#define QUIRE_RUNTIME_BACKGROUND_H

#include "runtime/service.h"

#include <hiredis/hiredis.h>

struct quire_event {
    const char *topic;
    struct quire_slice key, value, request_id;
};

bool quire_background_stopping(const struct quire_background *background);
struct quire_log *quire_background_log(struct quire_background *background);
struct quire_arena *quire_background_arena(struct quire_background *background); /* reset before each run */
/* Runs a prepared statement on the primary. NULL when it failed; else the caller clears the result. */
QUIRE_MUSTCHECK PGresult *quire_background_sql(struct quire_background *background,
                                               const struct quire_statement *statement,
                                               struct quire_parameters *parameters);
/* Publishes all events and waits until every one is acknowledged (acks=all). False: none or some are; publish again. */
QUIRE_MUSTCHECK bool quire_background_publish(struct quire_background *background, const struct quire_event *events,
                                              size_t count);
/* One Redis command (hiredis redisCommandArgv). NULL when it failed; else the caller frees the reply. */
QUIRE_MUSTCHECK redisReply *quire_background_redis(struct quire_background *background, size_t count,
                                                   const struct quire_slice *words);
/* Redis' run id on the present connection, 40 characters; NULL when away. */
const char *quire_background_redis_run_id(struct quire_background *background);

#endif
