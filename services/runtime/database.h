/* A worker's connections to PostgreSQL: one to the primary, one to each replica, and the pipelines over them.
 *
 * Worker thread only. Every wait is a poll() to the earliest bound; a connection that misses it is dropped, and a
 * breaker then answers AWAY at once until a probe (a reconnect, at most one each retry_ms) succeeds. Reads go to a
 * replica that has replayed their watermark, else to the primary; where the primary is away and a replica is far
 * enough, reads go on. */
#ifndef QUIRE_RUNTIME_DATABASE_H
#define QUIRE_RUNTIME_DATABASE_H

#include "base/log.h"
#include "base/metrics.h"
#include "runtime/sql.h"
#include "runtime/watermark.h"

struct quire_database;

struct quire_database_options {
    const char *primary;  /* libpq connection string */
    const char *replicas; /* the same, separated by ';'; may be empty */
    const char *password; /* NULL: as the strings say */
    const char *application_name;
    const char *schema; /* search_path becomes "<schema>,public"; NULL: the role's own */
    const struct quire_statement *const *statements;
    size_t statements_count;
    uint32_t connect_ms, retry_ms;
    struct quire_log *log;
    struct quire_metrics *metrics;
};

enum quire_query_kind { QUIRE_READ, QUIRE_READ_PRIMARY, QUIRE_WRITE };
enum quire_query_outcome {
    QUIRE_QUERY_DONE,     /* result is set: TUPLES_OK or COMMAND_OK */
    QUIRE_QUERY_REFUSED,  /* SQLSTATE Q0<status>: status and message */
    QUIRE_QUERY_CONFLICT, /* serialisation failure or deadlock: try again */
    QUIRE_QUERY_LATE,     /* the deadline passed: before it ran, or by statement_timeout */
    QUIRE_QUERY_AWAY,     /* no connection. A write that was already sent may or may not have happened */
    QUIRE_QUERY_FAILED,   /* any other error: logged with its SQLSTATE */
};

struct quire_query {
    const struct quire_statement *statement;
    struct quire_parameters *parameters;
    enum quire_query_kind kind;
    const struct quire_watermark *watermark; /* of reads */
    uint64_t deadline_ns;                    /* CLOCK_MONOTONIC */
    const char *request_id;
    /* Filled by quire_database_run. */
    enum quire_query_outcome outcome;
    PGresult *result; /* the caller clears it */
    unsigned status;
    char message[256];
    bool from_primary;    /* a read that the primary answered */
    bool needs_watermark; /* from_primary, and because no watermark of the present cluster epoch was known: the caller
                             sets one for the account */
    int replica;          /* index of the replica that answered, or -1 */
    const char *server;   /* that answered: "primary", "replica-1", in the order of the settings; NULL: none */
    bool kept;            /* it did nothing: an idempotency record had its answer */
    uint64_t took_ns;     /* from the begin of its pipeline to its answer; 0: none came */
};

/* Never connects. NULL without memory or for a connection string that can't be parsed (logged). */
QUIRE_MUSTCHECK struct quire_database *quire_database_create(const struct quire_database_options *options);
void quire_database_destroy(struct quire_database *database);

/* Runs all queries, each its own transaction (one Sync each), in one pipeline a connection; each has an outcome when
 * this returns. */
void quire_database_run(struct quire_database *database, struct quire_query *const *queries, size_t count);
/* Makes all writes of this connection so far durable and gives the watermark that covers them:
 * pg_logical_emit_message(false, 'quire', '', true). False: away or late; then no write may be acknowledged. */
QUIRE_MUSTCHECK bool quire_database_flush(struct quire_database *database, uint64_t deadline_ns,
                                          struct quire_watermark *ret_watermark);
/* The primary's position now without flushing: the watermark for an account that had none and was just read on the
 * primary. */
QUIRE_MUSTCHECK bool quire_database_position(struct quire_database *database, uint64_t deadline_ns,
                                             struct quire_watermark *ret_watermark);

struct quire_database_health {
    bool primary;
    double primary_ms;
    uint32_t replicas, replicas_alive;
    double replicas_ms;    /* of the slowest that answered */
    int64_t lag_bytes_max; /* of the living */
};
/* Asks each server `SELECT 1`/its position within bound_ms in all. */
void quire_database_check(struct quire_database *database, uint32_t bound_ms, struct quire_database_health *ret_health);
/* Maintains connections and gauges (replica lag); call when idle, at most once a second does anything. */
void quire_database_tick(struct quire_database *database);
/* True when each server is connected, or an attempt to connect to it has failed. */
bool quire_database_settled(const struct quire_database *database);

#endif
