#include "base/clock.h"
#include "base/wire.h"
#include "runtime/database_internal.h"

#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* A commit doesn't wait for the disk: the flush at the end of a batch does, for all of them. A backend whose client has
 * gone ends its statement within a second. */
#define SESSION_OPTIONS                                                                                                \
    "-c synchronous_commit=off -c client_connection_check_interval=1000 -c idle_in_transaction_session_timeout=60000"
#define KEYWORDS_MAX 16
#define WAL_PAGE_BYTES 8192u      /* XLOG_BLCKSZ */
#define WAL_PAGE_HEADER_BYTES 24u /* SizeOfXLogShortPHD */

struct connection_options {
    char *conninfo, *password, *application_name, *options;
    const struct quire_statement *const *statements;
    size_t statements_count;
    uint32_t connect_ms;
    bool primary;
};

struct prepared {
    const char *name, *sql;
    bool on_primary_only;
};

/* On a replica the control file says which timeline is followed; on a primary it lags behind a promotion, the name of
 * the current segment doesn't. */
static const struct prepared own_statements[] = {
    {STATEMENT_SERVER,
     "SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system()),"
     " CASE WHEN pg_is_in_recovery()"
     "  THEN greatest((SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM "
     "pg_control_recovery()))"
     "  ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END,"
     " CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END",
     false},
    {STATEMENT_POSITION,
     "SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE "
     "pg_current_wal_insert_lsn() END",
     false},
    {STATEMENT_FLUSH, "SELECT pg_logical_emit_message(false, 'quire', ''::text, true)", true},
    {STATEMENT_TIMEOUT, "SELECT set_config('statement_timeout', $1::text, false)", false},
};

char *conninfo_next(char **rest) {
    char *at = *rest;
    for (;;) {
        at += strspn(at, "; \t\n");
        if (*at == '\0')
            return NULL;
        char *begin = at;
        for (bool quoted = false; *at != '\0' && (quoted || *at != ';'); at++) {
            if (*at == '\\' && at[1] != '\0')
                at++; /* libpq's escape, in and outside quotes */
            else if (*at == '\'')
                quoted = !quoted;
        }
        *rest = *at == '\0' ? at : at + 1;
        *at = '\0';
        for (char *end = at; end > begin && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n'); end--)
            end[-1] = '\0';
        return begin;
    }
}

/* The string with the server's own `options` behind ours, so that a deployment can override them. NULL without memory.
 */
static char *session_options(const char *schema, const PQconninfoOption *parsed) {
    const char *theirs = "";
    for (; parsed->keyword != NULL; parsed++)
        if (strcmp(parsed->keyword, "options") == 0 && parsed->val != NULL)
            theirs = parsed->val;
    size_t size = sizeof SESSION_OPTIONS + strlen(theirs) + (schema == NULL ? 0 : strlen(schema)) + 40;
    char *text = malloc(size);
    if (text != NULL)
        snprintf(text, size, "%s%s%s%s %s", SESSION_OPTIONS,
                 schema == NULL ? "" : " -c search_path=", schema == NULL ? "" : schema,
                 schema == NULL ? "" : ",public", theirs);
    return text;
}

void connection_options_destroy(void *argument) {
    struct connection_options *options = argument;
    if (options == NULL)
        return;
    if (options->password != NULL)
        explicit_bzero(options->password, strlen(options->password));
    free(options->conninfo);
    free(options->password);
    free(options->application_name);
    free(options->options);
    free(options);
}

struct connection_options *connection_options_create(const struct quire_database_options *from, const char *conninfo,
                                                     bool primary, char ret_error[ERROR_CHARACTERS]) {
    char *error = NULL;
    PQconninfoOption *parsed = PQconninfoParse(conninfo, &error);
    if (parsed == NULL) {
        snprintf(ret_error, ERROR_CHARACTERS, "%.*s", (int)strcspn(error == NULL ? "" : error, "\n"),
                 error == NULL ? "" : error);
        PQfreemem(error);
        return NULL;
    }
    struct connection_options *options = calloc(1, sizeof *options);
    if (options != NULL) {
        options->conninfo = strdup(conninfo);
        options->password = from->password == NULL ? NULL : strdup(from->password);
        options->application_name = strdup(from->application_name == NULL ? "quire" : from->application_name);
        options->options = session_options(from->schema, parsed);
        options->statements = from->statements;
        options->statements_count = from->statements_count;
        options->connect_ms = from->connect_ms;
        options->primary = primary;
    }
    PQconninfoFree(parsed);
    if (options != NULL && options->conninfo != NULL && options->application_name != NULL && options->options != NULL &&
        (options->password != NULL) == (from->password != NULL))
        return options;
    connection_options_destroy(options);
    snprintf(ret_error, ERROR_CHARACTERS, "out of memory");
    return NULL;
}

/* Blocks within connect_timeout for each host and address: this is the link's thread. libpq takes whole seconds, at
 * least two. */
static PGconn *connect_to(const struct connection_options *options) {
    const char *keywords[KEYWORDS_MAX], *values[KEYWORDS_MAX];
    size_t count = 0;
    char seconds[16];
    snprintf(seconds, sizeof seconds, "%" PRIu32, options->connect_ms / 1000 < 2 ? 2 : options->connect_ms / 1000);
#define WITH(keyword_, value_) (keywords[count] = (keyword_), values[count] = (value_), count++)
    /* What stands before dbname may be overridden by the connection string, what stands behind may not. */
    WITH("connect_timeout", seconds);
    WITH("keepalives_idle", "10");
    WITH("keepalives_interval", "3");
    WITH("keepalives_count", "3");
    WITH("tcp_user_timeout", "10000");
    WITH("gssencmode", "disable"); /* or each attempt looks for Kerberos tickets first */
    if (options->primary)
        WITH("target_session_attrs", "read-write");
    WITH("dbname", options->conninfo);
    WITH("options", options->options);
    WITH("application_name", options->application_name);
    WITH("client_encoding", "UTF8");
    if (options->password != NULL)
        WITH("password", options->password);
    WITH(NULL, NULL);
#undef WITH
    return PQconnectdbParams(keywords, values, 1);
}

static bool wait_readable(PGconn *pg, uint64_t until_ns) {
    for (;;) {
        int unsent = PQflush(pg);
        if (unsent < 0)
            return false;
        uint64_t now_ns = quire_monotonic_ns();
        if (now_ns >= until_ns)
            return false;
        struct pollfd fd = {.fd = PQsocket(pg), .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
        if (poll(&fd, 1, (int)((until_ns - now_ns) / MS_NS) + 1) > 0 &&
            (fd.revents & (POLLIN | POLLERR | POLLHUP)) != 0)
            return PQconsumeInput(pg) == 1;
    }
}

/* The next result, or NULL with *ret_lost when there is none in time. */
static PGresult *next_result(PGconn *pg, uint64_t until_ns, bool *ret_lost) {
    while (PQisBusy(pg) != 0) {
        if (!wait_readable(pg, until_ns)) {
            *ret_lost = true;
            return NULL;
        }
    }
    return PQgetResult(pg);
}

/* A server's message, on one line. */
static void say(char ret_error[ERROR_CHARACTERS], const char *what, const char *message) {
    snprintf(ret_error, ERROR_CHARACTERS, "%.40s: %.150s", what, message);
    for (char *c = ret_error; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
}

/* Waits for `owed` commands and a sync. */
static bool expect_commands(PGconn *pg, size_t owed, uint64_t until_ns, char ret_error[ERROR_CHARACTERS]) {
    bool lost = false, good = true;
    for (size_t nulls = 0; nulls < owed;) {
        PGresult *result = next_result(pg, until_ns, &lost);
        if (lost)
            return say(ret_error, "preparing statements", "no answer"), false;
        if (result == NULL) {
            nulls++;
            continue;
        }
        if (PQresultStatus(result) == PGRES_FATAL_ERROR && good) {
            say(ret_error, "preparing statements", PQresultErrorMessage(result));
            good = false;
        }
        PQclear(result);
        if (PQstatus(pg) == CONNECTION_BAD)
            return false;
    }
    PGresult *sync = next_result(pg, until_ns, &lost);
    good = good && !lost && PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
    PQclear(sync);
    return good;
}

/* Prepares all statements in one round trip. */
static bool prepare(PGconn *pg, const struct connection_options *options, uint64_t until_ns,
                    char ret_error[ERROR_CHARACTERS]) {
    size_t owed = 0;
    bool sent = true;
    for (size_t i = 0; i < sizeof own_statements / sizeof own_statements[0]; i++) {
        const struct prepared *own = &own_statements[i];
        if (own->on_primary_only && !options->primary)
            continue;
        sent = sent && PQsendPrepare(pg, own->name, own->sql, 0, NULL) == 1;
        owed++;
    }
    for (size_t i = 0; i < options->statements_count; i++) {
        const struct quire_statement *statement = options->statements[i];
        if (statement->on_primary_only && !options->primary)
            continue;
        sent = sent && PQsendPrepare(pg, statement->name, statement->sql, 0, NULL) == 1;
        owed++;
    }
    if (!sent || PQpipelineSync(pg) != 1)
        return say(ret_error, "preparing statements", PQerrorMessage(pg)), false;
    return expect_commands(pg, owed, until_ns, ret_error);
}

/* pg_current_wal_insert_lsn() may stand behind the header of a page that holds no record yet, where no replay arrives
 * before one is written. No record ends there: behind the header of 24 bytes, at least 8 of it would follow. */
static uint64_t record_end(uint64_t lsn) {
    return lsn % WAL_PAGE_BYTES == WAL_PAGE_HEADER_BYTES ? lsn - WAL_PAGE_HEADER_BYTES : lsn;
}

uint64_t position_column(const PGresult *result) {
    int last = PQnfields(result) - 1;
    return quire_column_null(result, 0, last) ? 0 : record_end((uint64_t)quire_column_int64(result, 0, last));
}

bool connection_learn(struct connection *connection, const PGresult *result) {
    if (result == NULL || PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
        return false;
    uint64_t position = position_column(result);
    connection->in_recovery = quire_column_bool(result, 0, 0);
    if (PQnfields(result) == 4) {
        char epoch[QUIRE_EPOCH_CHARACTERS + 1];
        snprintf(epoch, sizeof epoch, "%" PRIu64 "/%" PRIu32, (uint64_t)quire_column_int64(result, 0, 1),
                 (uint32_t)quire_column_int32(result, 0, 2));
        if (strcmp(epoch, connection->epoch) != 0)
            connection->position = 0; /* positions of another timeline say nothing */
        memcpy(connection->epoch, epoch, sizeof epoch);
    }
    if (position > connection->position)
        connection->position = position;
    return true;
}

static bool learn_server(struct connection *connection, const struct connection_options *options, uint64_t until_ns,
                         char ret_error[ERROR_CHARACTERS]) {
    struct pipeline pipeline = {.connection = connection};
    bool good = pipeline_push(&pipeline, STATEMENT_SERVER, NULL, until_ns, NULL);
    struct pipeline *pipelines[] = {&pipeline};
    pipelines_run(pipelines, 1);
    good = good && !pipeline.lost && connection_learn(connection, pipeline.entries[pipeline.count - 1].result);
    if (!good)
        say(ret_error, "asking for the server's position", pipeline.lost ? pipeline.error : "refused");
    else if (options->primary && connection->in_recovery) {
        snprintf(ret_error, ERROR_CHARACTERS, "the server is in recovery: no primary");
        good = false;
    } else if (!options->primary && !connection->in_recovery) {
        snprintf(ret_error, ERROR_CHARACTERS, "the server isn't in recovery: no replica");
        good = false;
    }
    pipeline_deinit(&pipeline);
    return good;
}

/* Called while libpq reads the answer of the pipeline's head: it stops at each result, so nothing of the next one has
 * been read by then. */
static void on_notice(void *context, const PGresult *notice) {
    struct connection *connection = context;
    const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    if (state != NULL && strcmp(state, SQLSTATE_KEPT) == 0)
        connection->kept = true;
}

void *connection_open(void *argument, char ret_error[ERROR_CHARACTERS]) {
    static atomic_uint_fast64_t serials; /* the one number that all workers share */
    const struct connection_options *options = argument;
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->serial = atomic_fetch_add(&serials, 1) + 1;
    connection->pg = connect_to(options);
    if (connection->pg == NULL || PQstatus(connection->pg) != CONNECTION_OK) {
        say(ret_error, "connecting", connection->pg == NULL ? "out of memory" : PQerrorMessage(connection->pg));
        goto fail;
    }
    (void)PQsetNoticeReceiver(connection->pg, on_notice, connection); /* returns the one before */
    if (PQsetnonblocking(connection->pg, 1) != 0 || PQenterPipelineMode(connection->pg) != 1) {
        say(ret_error, "connecting", PQerrorMessage(connection->pg));
        goto fail;
    }
    uint64_t until_ns = quire_monotonic_ns() + (options->connect_ms + 1000) * MS_NS;
    if (!prepare(connection->pg, options, until_ns, ret_error) ||
        !learn_server(connection, options, until_ns, ret_error))
        goto fail;
    return connection;
fail:
    connection_close(connection);
    return NULL;
}

void connection_close(void *argument) {
    struct connection *connection = argument;
    if (connection == NULL)
        return;
    PQfinish(connection->pg);
    free(connection);
}
