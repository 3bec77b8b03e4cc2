/* What the database_*.c files share: servers, connections, pipelines. Nobody else includes it.
 *
 *   database.c             create, run, flush, position: which query goes where, and what its result means
 *   database_connection.c  opens a connection (on the link's thread) and learns what server it leads to
 *   database_pipeline.c    sends entries and gathers their results, over several connections at once
 *   database_replica.c     which replica may answer a read; lag, health, upkeep */
#ifndef QUIRE_RUNTIME_DATABASE_INTERNAL_H
#define QUIRE_RUNTIME_DATABASE_INTERNAL_H

#include "runtime/database.h"
#include "runtime/link.h"

#define REPLICAS_MAX 8u
#define SERVERS_MAX (REPLICAS_MAX + 1u) /* servers[0] is the primary */
#define PRIMARY 0u
#define MS_NS UINT64_C(1000000)
#define ERROR_CHARACTERS QUIRE_LINK_ERROR_CHARACTERS

/* Statements of our own, prepared on every connection. */
#define STATEMENT_SERVER "quire.server"     /* in recovery, system identifier, timeline, position */
#define STATEMENT_POSITION "quire.position" /* in recovery, position */
#define STATEMENT_FLUSH "quire.flush"       /* position */
#define STATEMENT_TIMEOUT "quire.timeout"   /* $1 milliseconds, as text */

#define SQLSTATE_KEPT "Q0200" /* of the notice that once.sql gives with an answer that it kept */

/* An open connection and what it leads to. Made on the link's thread, then the worker's. */
struct connection {
    PGconn *pg; /* non-blocking, in pipeline mode */
    bool in_recovery;
    char epoch[QUIRE_EPOCH_CHARACTERS + 1];
    uint64_t position;   /* replayed (replica) or inserted (primary) up to here when it was last asked; only grows */
    uint32_t timeout_ms; /* the session's statement_timeout */
    bool kept;           /* the statement that is being answered met an idempotency record (once.sql) */
    uint64_t serial;     /* of all connections of the process, so that one can be told from its successor */
};

/* One statement of a pipeline: it owes exactly a result, a NULL and a sync, also when it fails. */
struct entry {
    const char *name;
    const struct quire_parameters *parameters; /* NULL: none */
    uint64_t deadline_ns;
    uint32_t timeout_ms;       /* the statement_timeout it was sent under */
    struct quire_query *query; /* NULL: one of our own */
    PGresult *result;          /* NULL: not answered */
};

struct pipeline {
    struct connection *connection; /* NULL: nothing is sent */
    struct entry *entries;
    size_t count, capacity;
    /* Of a run. */
    size_t head; /* the first entry that still owes something */
    enum { OWES_RESULT, OWES_NULL, OWES_SYNC } owes;
    uint64_t begun_ns, head_ns; /* when the run, and when the head's turn, began */
    uint64_t first_answer_ms;   /* 0: no bound but the entries' own */
    bool lost;                  /* the connection is unusable: what has no result won't have one */
    bool late;                  /* because the head missed its bound */
    char error[ERROR_CHARACTERS];
};

struct server {
    char name[24]; /* "primary", "replica-1" */
    struct quire_link *link;
    struct pipeline pipeline; /* .connection is the link's, or NULL */
    bool asked;               /* this round's pipeline asks for the position */
    uint64_t
        distrust_until_ns; /* a replica that was asked and hadn't replayed far enough isn't tried on trust before */
    struct quire_series *lag_bytes;
};

struct work;

struct quire_database {
    struct quire_log *log;
    uint32_t connect_ms;
    struct server servers[SERVERS_MAX];
    size_t servers_count;
    size_t next_replica;                    /* round robin */
    char epoch[QUIRE_EPOCH_CHARACTERS + 1]; /* the primary's, remembered when it is away; "" before it was known */
    uint64_t primary_position;
    uint64_t unflushed_serial; /* of the connection with writes that aren't flushed; 0: none */
    bool settled;              /* each server's first attempt was waited for */
    bool write_lost;           /* a write succeeded on a connection that broke before it was flushed */
    uint64_t ticked_ns;
    struct work *work;
    size_t work_capacity;
    struct quire_series *reads_primary, *reads_replica, *writes, *position_misses;
    struct quire_series *outcomes[QUIRE_QUERY_FAILED + 1];
    struct quire_series *pipeline_size, *busy;
};

/* database_connection.c */
struct connection_options; /* one server's; owned by its link */
QUIRE_MUSTCHECK struct connection_options *connection_options_create(const struct quire_database_options *options,
                                                                     const char *conninfo, bool primary,
                                                                     char ret_error[ERROR_CHARACTERS]);
void connection_options_destroy(void *options);
/* Quire_link_options' open and close. */
void *connection_open(void *options, char ret_error[ERROR_CHARACTERS]);
void connection_close(void *connection);
/* The next non-empty connection string of a list separated by ';' (not within single quotes), NUL-terminated in place
 * and without surrounding blanks; NULL at the end. */
char *conninfo_next(char **rest);
/* The position in the last column of a row of ours. */
uint64_t position_column(const PGresult *result);
/* Takes a row of STATEMENT_SERVER or STATEMENT_POSITION into the connection; false when it is none. */
QUIRE_MUSTCHECK bool connection_learn(struct connection *connection, const PGresult *result);

/* database_pipeline.c */
/* Adds an entry, and before it a change of statement_timeout where the connection's doesn't suit. False without memory
 * or when libpq refuses (the pipeline is then lost). The parameters must live until the run has ended. */
QUIRE_MUSTCHECK bool pipeline_push(struct pipeline *pipeline, const char *name,
                                   const struct quire_parameters *parameters, uint64_t deadline_ns,
                                   struct quire_query *query);
/* Waits until each pipeline is answered or lost. Results stay in the entries. */
void pipelines_run(struct pipeline *const *pipelines, size_t count);
/* Forgets the entries, clearing results that nobody took. */
void pipeline_reset(struct pipeline *pipeline);
void pipeline_deinit(struct pipeline *pipeline);
/* The greatest coarse step of milliseconds that is at most remaining_ms; but at least 20. */
uint32_t pipeline_timeout_step(uint64_t remaining_ms);

/* database_replica.c */
/* The replica that may answer a read of `watermark`, not one of the set `tried`; -1: none. *ret_ask is set where its
 * position must be asked first. */
int replica_choose(struct quire_database *database, const struct quire_watermark *watermark, unsigned tried,
                   bool last_resort, uint64_t now_ns, bool *ret_ask);
/* Takes what a position's answer says; false when there is none, or the server isn't what it should be: drop it. */
QUIRE_MUSTCHECK bool server_learn(struct quire_database *database, struct server *server, const PGresult *result);

/* database.c */
/* Takes the link's connection, waiting as quire_link_get does. */
bool server_open(struct quire_database *database, struct server *server, uint64_t until_ns);
void server_drop(struct quire_database *database, struct server *server, const char *error);

#endif
