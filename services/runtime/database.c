#include "runtime/database.h"

#include "base/clock.h"
#include "runtime/database_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define DISTRUST_NS (UINT64_C(100) * MS_NS) /* after a replica that was asked lagged behind */
/* Each pipeline begins with the question for the server's position, which costs next to nothing: positions are always
 * fresh, and a server whose answer to that takes so long is frozen or cut off, where a slow statement would be nothing
 * to wonder at. A replica's reads may go elsewhere, so less is waited for it. */
#define FIRST_ANSWER_REPLICA_MS 500u
#define FIRST_ANSWER_PRIMARY_MS 1000u

/* A query on its way. */
struct work {
    struct quire_query *query;
    bool ended;
    unsigned tried; /* bit i: servers[i] couldn't answer */
    int server;     /* where this round asks; -1: nowhere */
    size_t entry;   /* in that server's pipeline */
    bool ask;       /* the answer counts only if the position before it is far enough */
};

/* What an SQLSTATE (PostgreSQL manual, appendix A) means for the caller. The first row whose prefix fits. */
static const struct {
    const char *prefix;
    enum quire_query_outcome outcome;
    bool drop; /* this connection is of no more use */
} outcomes[] = {
    {"40001", QUIRE_QUERY_CONFLICT, false}, /* serialization_failure; on a replica, conflict with recovery */
    {"40P01", QUIRE_QUERY_CONFLICT, false}, /* deadlock_detected */
    {"55P03", QUIRE_QUERY_CONFLICT, false}, /* lock_not_available */
    {"57014", QUIRE_QUERY_LATE, false},     /* query_canceled: statement_timeout */
    {"57P", QUIRE_QUERY_AWAY, true},        /* admin_shutdown, crash_shutdown, cannot_connect_now, ... */
    {"08", QUIRE_QUERY_AWAY, true},         /* connection exceptions */
    {"53300", QUIRE_QUERY_AWAY, true},      /* too_many_connections */
    {"53", QUIRE_QUERY_AWAY, false},        /* disk_full, out_of_memory: the server may be able to again */
    {"58", QUIRE_QUERY_AWAY, false},        /* system errors outside PostgreSQL: io_error, ... */
    {"25006", QUIRE_QUERY_AWAY, true},      /* read_only_sql_transaction: no primary any more */
    {"26000", QUIRE_QUERY_AWAY, true},      /* invalid_sql_statement_name: prepared on another connection */
    {"0A000", QUIRE_QUERY_AWAY, true},      /* cached plan must not change result type: after a migration */
};

static const char *const outcome_names[] = {"done", "refused", "conflict", "late", "away", "failed"};
static_assert(sizeof outcome_names / sizeof outcome_names[0] == QUIRE_QUERY_FAILED + 1, "one name each");

bool server_open(struct quire_database *database, struct server *server, uint64_t until_ns) {
    if (server->pipeline.connection != NULL)
        return true;
    struct connection *connection = quire_link_get(server->link, until_ns);
    if (connection == NULL)
        return false;
    server->pipeline.connection = connection;
    if (server == &database->servers[PRIMARY]) {
        if (strcmp(database->epoch, connection->epoch) != 0)
            QUIRE_LOG(database->log, QUIRE_INFO, "database.epoch", QUIRE_CTEXT("before", database->epoch),
                      QUIRE_CTEXT("now", connection->epoch));
        memcpy(database->epoch, connection->epoch, sizeof database->epoch);
        database->primary_position = connection->position;
    }
    return true;
}

void server_drop(struct quire_database *database, struct server *server, const char *error) {
    struct connection *connection = server->pipeline.connection;
    if (connection == NULL)
        return;
    if (database->unflushed_serial == connection->serial) {
        database->unflushed_serial = 0;
        database->write_lost = true;
    }
    server->pipeline.connection = NULL;
    server->distrust_until_ns = 0;
    quire_link_drop(server->link, error);
}

static void finish(struct quire_database *database, struct work *work, enum quire_query_outcome outcome) {
    work->ended = true;
    work->query->outcome = outcome;
    quire_series_add(database->outcomes[outcome], 1);
}

/* Gives the query to a server's pipeline. */
static void send_to(struct quire_database *database, struct work *work, size_t index, bool ask) {
    struct server *server = &database->servers[index];
    struct pipeline *pipeline = &server->pipeline;
    struct quire_query *query = work->query;
    if (!server->asked) {
        pipeline->first_answer_ms = index == PRIMARY ? FIRST_ANSWER_PRIMARY_MS : FIRST_ANSWER_REPLICA_MS;
        server->asked = pipeline_push(pipeline, STATEMENT_POSITION, NULL, query->deadline_ns, NULL);
    }
    work->server = (int)index;
    work->ask = ask;
    if (pipeline_push(pipeline, query->statement->name, query->parameters, query->deadline_ns, query))
        work->entry = pipeline->count - 1;
    else
        work->entry = SIZE_MAX; /* settled as lost */
}

/* Chooses a server, or ends the query when there is none for it. */
static void assign(struct quire_database *database, struct work *work) {
    struct quire_query *query = work->query;
    uint64_t now_ns = quire_monotonic_ns();
    work->server = -1;
    if (now_ns >= query->deadline_ns) {
        finish(database, work, QUIRE_QUERY_LATE);
        return;
    }
    bool anywhere = query->kind == QUIRE_READ && !query->statement->on_primary_only, ask = false;
    int replica = anywhere ? replica_choose(database, query->watermark, work->tried, false, now_ns, &ask) : -1;
    struct server *primary = &database->servers[PRIMARY];
    if (replica < 0 && (work->tried & 1u << PRIMARY) == 0 && !primary->pipeline.lost &&
        server_open(database, primary, query->deadline_ns)) {
        send_to(database, work, PRIMARY, false);
        return;
    }
    if (replica < 0 && anywhere) /* the primary is away: ask also a replica that lagged a moment ago */
        replica = replica_choose(database, query->watermark, work->tried, true, now_ns, &ask);
    if (replica < 0)
        finish(database, work, QUIRE_QUERY_AWAY);
    else
        send_to(database, work, (size_t)replica, ask);
}

static void note_failure(struct quire_database *database, const struct quire_query *query, const PGresult *result,
                         const char *state) {
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    const char *source = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    /* Never the message: it may quote a parameter. */
    QUIRE_LOG(database->log, QUIRE_ERROR, "database.statement_failed", QUIRE_CTEXT("request_id", query->request_id),
              QUIRE_CTEXT("statement", query->statement->name), QUIRE_CTEXT("sqlstate", state),
              QUIRE_CTEXT("constraint", constraint == NULL ? "" : constraint),
              QUIRE_CTEXT("source", source == NULL ? "" : source));
}

/* The outcome of an answered statement. Doesn't take the result. */
static enum quire_query_outcome classify(struct quire_query *query, const PGresult *result, bool *ret_drop) {
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return QUIRE_QUERY_DONE;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == NULL) { /* libpq's own words: the connection broke */
        *ret_drop = true;
        return QUIRE_QUERY_AWAY;
    }
    if (strlen(state) == 5 && strncmp(state, "Q0", 2) == 0) {
        const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        query->status = (unsigned)strtoul(state + 2, NULL, 10);
        snprintf(query->message, sizeof query->message, "%s", message == NULL ? "" : message);
        return query->status >= 400 && query->status <= 599 ? QUIRE_QUERY_REFUSED : QUIRE_QUERY_FAILED;
    }
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (strncmp(state, outcomes[i].prefix, strlen(outcomes[i].prefix)) == 0) {
            *ret_drop = outcomes[i].drop;
            return outcomes[i].outcome;
        }
    }
    return QUIRE_QUERY_FAILED;
}

/* A read that another server may still answer is tried there; anything else has ended. */
static void end_or_try_elsewhere(struct quire_database *database, struct work *work, enum quire_query_outcome outcome) {
    bool elsewhere = work->query->kind == QUIRE_READ && !work->query->statement->on_primary_only &&
                     (outcome == QUIRE_QUERY_AWAY || (outcome == QUIRE_QUERY_CONFLICT && work->server != PRIMARY));
    if (elsewhere)
        work->tried |= 1u << work->server;
    else
        finish(database, work, outcome);
}

/* Read on the primary although there are replicas, because nobody knew how far one of them must be. */
static bool lacks_watermark(const struct quire_database *database, const struct quire_query *query) {
    return query->kind == QUIRE_READ && query->from_primary && database->servers_count > 1 &&
           !query->statement->on_primary_only && query->watermark != NULL &&
           !quire_watermark_of_epoch(query->watermark, database->epoch);
}

static void settle_done(struct quire_database *database, struct work *work, struct entry *entry) {
    struct quire_query *query = work->query;
    query->result = entry->result; /* the caller's from here on */
    entry->result = NULL;
    query->replica = work->server == PRIMARY ? -1 : work->server - 1;
    query->server = database->servers[work->server].name;
    query->from_primary = query->kind != QUIRE_WRITE && work->server == PRIMARY;
    query->needs_watermark = lacks_watermark(database, query);
    if (query->kind == QUIRE_WRITE) {
        database->unflushed_serial = database->servers[PRIMARY].pipeline.connection->serial;
        quire_series_add(database->writes, 1);
    } else {
        quire_series_add(query->from_primary ? database->reads_primary : database->reads_replica, 1);
    }
    finish(database, work, QUIRE_QUERY_DONE);
}

/* The connection must still be there. Sets *ret_drop where it is of no more use. */
static void settle(struct quire_database *database, struct work *work, bool *ret_drop) {
    struct server *server = &database->servers[work->server];
    struct quire_query *query = work->query;
    struct entry *entry = work->entry == SIZE_MAX ? NULL : &server->pipeline.entries[work->entry];
    if (entry == NULL || entry->result == NULL) {
        bool late = quire_monotonic_ns() >= query->deadline_ns;
        end_or_try_elsewhere(database, work, late ? QUIRE_QUERY_LATE : QUIRE_QUERY_AWAY);
        return;
    }
    if (work->ask && server->pipeline.connection->position < query->watermark->lsn) {
        work->tried |= 1u << work->server;
        server->distrust_until_ns = quire_monotonic_ns() + DISTRUST_NS;
        quire_series_add(database->position_misses, 1);
        return;
    }
    bool drop = false;
    enum quire_query_outcome outcome = classify(query, entry->result, &drop);
    *ret_drop = *ret_drop || drop;
    if (outcome == QUIRE_QUERY_DONE) {
        settle_done(database, work, entry);
        return;
    }
    if (outcome == QUIRE_QUERY_FAILED || (outcome == QUIRE_QUERY_AWAY && !drop)) /* no link tells of it */
        note_failure(database, query, entry->result, PQresultErrorField(entry->result, PG_DIAG_SQLSTATE));
    end_or_try_elsewhere(database, work, outcome);
}

static void settle_server(struct quire_database *database, size_t index, struct work *works, size_t count) {
    struct server *server = &database->servers[index];
    struct pipeline *pipeline = &server->pipeline;
    if (pipeline->connection == NULL)
        return;
    bool changed = false, drop = false;
    for (size_t i = 0; server->asked && i < pipeline->count; i++) {
        const struct entry *entry = &pipeline->entries[i];
        if (entry->query == NULL && strcmp(entry->name, STATEMENT_POSITION) == 0 && entry->result != NULL &&
            PQresultStatus(entry->result) == PGRES_TUPLES_OK)
            changed = !server_learn(database, server, entry->result);
    }
    for (size_t i = 0; i < count; i++) {
        if (works[i].ended || works[i].server != (int)index)
            continue;
        if (changed) /* promoted: it may have gone its own way, so what it says counts for nothing */
            works[i].tried |= 1u << index;
        else
            settle(database, &works[i], &drop);
    }
    if (pipeline->lost)
        server_drop(database, server, pipeline->error);
    else if (changed || drop)
        server_drop(database, server, changed ? "the server's role has changed" : "the server refused");
    pipeline_reset(pipeline);
    server->asked = false;
}

/* Asks every server that isn't connected; at the very first, waits for them, so that the first batch after a start
 * meets a settled world. */
static void open_servers(struct quire_database *database, uint64_t until_ns) {
    for (size_t i = 0; i < database->servers_count; i++)
        (void)server_open(database, &database->servers[i], 0);
    for (size_t i = 0; !database->settled && i < database->servers_count; i++)
        (void)server_open(database, &database->servers[i], until_ns);
    database->settled = true;
}

/* One round: every query that hasn't ended is asked somewhere. False when none was. */
static bool run_round(struct quire_database *database, struct work *works, size_t count) {
    struct pipeline *pipelines[SERVERS_MAX];
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (works[i].ended)
            continue;
        assign(database, &works[i]);
        any = any || !works[i].ended;
    }
    if (!any)
        return false;
    unsigned busy = 0;
    for (size_t i = 0; i < database->servers_count; i++) {
        pipelines[i] = &database->servers[i].pipeline;
        if (pipelines[i]->count > 0) {
            busy++;
            quire_series_observe(database->pipeline_size, (double)pipelines[i]->count);
        }
    }
    quire_series_add(database->busy, busy);
    pipelines_run(pipelines, database->servers_count);
    quire_series_add(database->busy, -(double)busy);
    for (size_t i = 0; i < database->servers_count; i++)
        settle_server(database, i, works, count);
    return true;
}

static struct work *reserve_work(struct quire_database *database, size_t count) {
    if (count > database->work_capacity) {
        struct work *works = realloc(database->work, count * sizeof *works);
        if (works == NULL)
            return NULL;
        database->work = works;
        database->work_capacity = count;
    }
    return database->work;
}

void quire_database_run(struct quire_database *database, struct quire_query *const *queries, size_t count) {
    if (count == 0)
        return;
    uint64_t earliest_ns = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        struct quire_query *query = queries[i];
        query->outcome = QUIRE_QUERY_AWAY;
        query->result = NULL;
        query->status = 0;
        query->message[0] = '\0';
        query->from_primary = query->needs_watermark = false;
        query->replica = -1;
        if (query->deadline_ns < earliest_ns)
            earliest_ns = query->deadline_ns;
    }
    struct work *works = reserve_work(database, count);
    if (works == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        works[i] = (struct work){.query = queries[i], .server = -1};
    open_servers(database, earliest_ns);
    /* Each round ends a query or takes a server from those that it may try. */
    for (size_t round = 0; round <= database->servers_count && run_round(database, works, count); round++)
        ;
    for (size_t i = 0; i < count; i++)
        if (!works[i].ended)
            finish(database, &works[i], QUIRE_QUERY_AWAY);
}

/* Runs one of our own statements on the primary and takes what it says of the position. */
static bool ask_primary(struct quire_database *database, const char *name, uint64_t deadline_ns, uint64_t *ret_lsn) {
    struct server *primary = &database->servers[PRIMARY];
    struct pipeline *pipeline = &primary->pipeline;
    if (quire_monotonic_ns() >= deadline_ns || !server_open(database, primary, deadline_ns))
        return false;
    bool good = pipeline_push(pipeline, name, NULL, deadline_ns, NULL);
    pipelines_run(&pipeline, 1);
    const PGresult *result = good && !pipeline->lost ? pipeline->entries[pipeline->count - 1].result : NULL;
    good = result != NULL && PQresultStatus(result) == PGRES_TUPLES_OK;
    if (good)
        *ret_lsn = position_column(result);
    if (pipeline->lost)
        server_drop(database, primary, pipeline->error);
    pipeline_reset(pipeline);
    return good;
}

static struct quire_watermark watermark_of(const struct quire_database *database, uint64_t lsn) {
    struct quire_watermark watermark = {.known = true, .lsn = lsn};
    memcpy(watermark.epoch, database->epoch, sizeof watermark.epoch);
    return watermark;
}

bool quire_database_flush(struct quire_database *database, uint64_t deadline_ns,
                          struct quire_watermark *ret_watermark) {
    /* Commits that weren't flushed die with their server, and the connection is all that tells whether it is still the
     * same one. */
    const struct connection *connection = database->servers[PRIMARY].pipeline.connection;
    bool same = !database->write_lost && (database->unflushed_serial == 0 ||
                                          (connection != NULL && connection->serial == database->unflushed_serial));
    database->write_lost = false;
    uint64_t lsn;
    if (!same || !ask_primary(database, STATEMENT_FLUSH, deadline_ns, &lsn)) {
        database->unflushed_serial = 0;
        database->write_lost = false; /* told right here */
        return false;
    }
    database->unflushed_serial = 0;
    database->primary_position = lsn > database->primary_position ? lsn : database->primary_position;
    *ret_watermark = watermark_of(database, lsn);
    return true;
}

bool quire_database_position(struct quire_database *database, uint64_t deadline_ns,
                             struct quire_watermark *ret_watermark) {
    uint64_t lsn;
    if (!ask_primary(database, STATEMENT_POSITION, deadline_ns, &lsn))
        return false;
    *ret_watermark = watermark_of(database, lsn);
    return true;
}

static void declare_metrics(struct quire_database *database, struct quire_metrics *metrics) {
    static const char reads[] = "quire_database_reads_total", reads_help[] = "Reads answered, by kind of server.";
    database->reads_primary = quire_metrics_one(metrics, QUIRE_COUNTER, reads, reads_help, "server", "primary");
    database->reads_replica = quire_metrics_one(metrics, QUIRE_COUNTER, reads, reads_help, "server", "replica");
    database->writes = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_database_writes_total",
                                         "Write transactions that succeeded.", "", NULL);
    database->position_misses =
        quire_metrics_one(metrics, QUIRE_COUNTER, "quire_database_position_misses_total",
                          "Reads sent to a replica that turned out not to have replayed far enough.", "", NULL);
    for (size_t i = 0; i <= QUIRE_QUERY_FAILED; i++)
        database->outcomes[i] = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_database_queries_total",
                                                  "Statements, by outcome.", "outcome", outcome_names[i]);
    database->pipeline_size = quire_metrics_one(metrics, QUIRE_HISTOGRAM, "quire_database_pipeline_size",
                                                "Statements in one pipeline.", "", NULL);
    database->busy = quire_metrics_one(metrics, QUIRE_GAUGE, "quire_database_connections_busy",
                                       "Connections with a pipeline under way.", "", NULL);
}

/* False after logging why. */
static bool add_server(struct quire_database *database, const struct quire_database_options *options,
                       const char *conninfo) {
    char error[ERROR_CHARACTERS] = "more than 8 replicas";
    size_t index = database->servers_count;
    struct connection_options *connection =
        index == SERVERS_MAX ? NULL : connection_options_create(options, conninfo, index == PRIMARY, error);
    if (connection == NULL) {
        QUIRE_LOG(options->log, QUIRE_ERROR, "database.bad_setting", QUIRE_INTEGER("server", index),
                  QUIRE_CTEXT("error", error));
        return false;
    }
    struct server *server = &database->servers[index];
    if (index == PRIMARY)
        snprintf(server->name, sizeof server->name, "primary");
    else
        snprintf(server->name, sizeof server->name, "replica-%u", (unsigned)index);
    server->link = quire_link_create(&(struct quire_link_options){
        .server = server->name,
        .away_event = "database.server_away",
        .back_event = "database.server_connected",
        .open = connection_open,
        .close = connection_close,
        .context = connection,
        .destroy_context = connection_options_destroy,
        .first_wait_ms = options->connect_ms,
        .retry_ms = options->retry_ms,
        .log = options->log,
        .connected = quire_metrics_one(options->metrics, QUIRE_GAUGE, "quire_database_connections", "Open connections.",
                                       "server", server->name),
        .reconnects = quire_metrics_one(options->metrics, QUIRE_COUNTER, "quire_database_reconnects_total",
                                        "Attempts to connect after the first.", "server", server->name),
    });
    if (server->link == NULL)
        return false;
    server->lag_bytes = index == PRIMARY
                            ? NULL
                            : quire_metrics_one(options->metrics, QUIRE_GAUGE, "quire_database_replica_lag_bytes",
                                                "WAL that the replica hasn't replayed.", "server", server->name);
    database->servers_count++;
    return true;
}

struct quire_database *quire_database_create(const struct quire_database_options *options) {
    struct quire_database *database = calloc(1, sizeof *database);
    if (database == NULL)
        return NULL;
    database->log = options->log;
    database->connect_ms = options->connect_ms;
    declare_metrics(database, options->metrics);
    bool good = add_server(database, options, options->primary);
    char *replicas = strdup(options->replicas == NULL ? "" : options->replicas), *rest = replicas;
    for (char *one; good && replicas != NULL && (one = conninfo_next(&rest)) != NULL;)
        good = add_server(database, options, one);
    good = good && replicas != NULL;
    if (replicas != NULL)
        explicit_bzero(replicas, strlen(replicas)); /* it may hold a password */
    free(replicas);
    if (good)
        return database;
    quire_database_destroy(database);
    return NULL;
}

void quire_database_destroy(struct quire_database *database) {
    if (database == NULL)
        return;
    for (size_t i = 0; i < database->servers_count; i++) {
        pipeline_deinit(&database->servers[i].pipeline);
        quire_link_destroy(database->servers[i].link);
    }
    free(database->work);
    free(database);
}
