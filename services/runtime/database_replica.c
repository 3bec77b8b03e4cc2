#include "base/clock.h"
#include "runtime/database_internal.h"

#define TICK_NS UINT64_C(1000000000)
#define TICK_PATIENCE_MS 250u
#define GRACE_MS 100u /* of database_pipeline.c */

static bool usable(const struct server *server, const struct quire_watermark *watermark, unsigned tried, size_t index) {
    const struct connection *connection = server->pipeline.connection;
    return connection != NULL && !server->pipeline.lost && (tried & 1u << index) == 0 &&
           quire_watermark_of_epoch(watermark, connection->epoch);
}

int replica_choose(struct quire_database *database, const struct quire_watermark *watermark, unsigned tried,
                   bool last_resort, uint64_t now_ns, bool *ret_ask) {
    size_t replicas = database->servers_count - 1;
    if (replicas == 0 || watermark == NULL || !watermark->known)
        return -1;
    if (database->epoch[0] != '\0' && !quire_watermark_of_epoch(watermark, database->epoch))
        return -1;
    /* Strictly in turn: preferring those that are known to be far enough would leave a replica that nobody asks out for
     * ever. */
    for (size_t i = 0; i < replicas; i++) {
        size_t index = 1 + (database->next_replica + i) % replicas;
        const struct server *server = &database->servers[index];
        if (!usable(server, watermark, tried, index))
            continue;
        bool known = server->pipeline.connection->position >= watermark->lsn;
        if (!known && !last_resort && now_ns < server->distrust_until_ns)
            continue;
        database->next_replica = index % replicas;
        *ret_ask = !known;
        return (int)index;
    }
    return -1;
}

bool server_learn(struct quire_database *database, struct server *server, const PGresult *result) {
    struct connection *connection = server->pipeline.connection;
    bool primary = server == &database->servers[PRIMARY];
    if (!connection_learn(connection, result) || connection->in_recovery == primary)
        return false;
    if (!primary)
        return true;
    memcpy(database->epoch, connection->epoch, sizeof database->epoch);
    database->primary_position = connection->position;
    return true;
}

/* Asks every open server what and where it is; servers that don't answer in time, or changed their role, are dropped.
 * ret_ms is negative for those. */
static void ask_all(struct quire_database *database, uint64_t deadline_ns, double ret_ms[SERVERS_MAX]) {
    struct pipeline *pipelines[SERVERS_MAX];
    for (size_t i = 0; i < database->servers_count; i++) {
        struct server *server = &database->servers[i];
        pipelines[i] = &server->pipeline;
        if (server->pipeline.connection != NULL &&
            !pipeline_push(&server->pipeline, STATEMENT_SERVER, NULL, deadline_ns, NULL))
            pipeline_reset(&server->pipeline); /* nothing asked is told below */
    }
    pipelines_run(pipelines, database->servers_count);
    for (size_t i = 0; i < database->servers_count; i++) {
        struct server *server = &database->servers[i];
        struct pipeline *pipeline = &server->pipeline;
        ret_ms[i] = -1;
        if (pipeline->connection == NULL)
            continue;
        if (pipeline->lost)
            server_drop(database, server, pipeline->error);
        else if (pipeline->count == 0)
            server_drop(database, server, "it couldn't be asked");
        else if (!server_learn(database, server, pipeline->entries[pipeline->count - 1].result))
            server_drop(database, server, "the server's role has changed, or it doesn't say");
        else
            ret_ms[i] = (double)(pipeline->head_ns - pipeline->begun_ns) / 1e6;
        pipeline_reset(pipeline);
    }
}

static int64_t lag_bytes(const struct quire_database *database, const struct server *server) {
    uint64_t position = server->pipeline.connection->position;
    return database->primary_position > position ? (int64_t)(database->primary_position - position) : 0;
}

void quire_database_check(struct quire_database *database, uint32_t bound_ms,
                          struct quire_database_health *ret_health) {
    uint64_t begun_ns = quire_monotonic_ns();
    uint32_t patience_ms = bound_ms > 2 * GRACE_MS ? bound_ms - GRACE_MS : bound_ms / 2;
    for (size_t i = 0; i < database->servers_count; i++)
        (void)server_open(database, &database->servers[i], 0);
    for (size_t i = 0; i < database->servers_count; i++)
        (void)server_open(database, &database->servers[i], begun_ns + patience_ms / 2 * MS_NS);
    double ms[SERVERS_MAX];
    ask_all(database, begun_ns + patience_ms * MS_NS, ms);
    struct quire_database_health health = {.primary = ms[PRIMARY] >= 0,
                                           .replicas = (uint32_t)database->servers_count - 1};
    health.primary_ms = health.primary ? ms[PRIMARY] : 0;
    for (size_t i = 1; i < database->servers_count; i++) {
        if (ms[i] < 0)
            continue;
        int64_t lag = lag_bytes(database, &database->servers[i]);
        health.replicas_alive++;
        health.replicas_ms = ms[i] > health.replicas_ms ? ms[i] : health.replicas_ms;
        health.lag_bytes_max = lag > health.lag_bytes_max ? lag : health.lag_bytes_max;
    }
    *ret_health = health;
}

bool quire_database_settled(const struct quire_database *database) {
    for (size_t i = 0; i < database->servers_count; i++) {
        if (!quire_link_settled(database->servers[i].link))
            return false;
    }
    return true;
}

void quire_database_tick(struct quire_database *database) {
    for (size_t i = 0; i < database->servers_count; i++)
        (void)server_open(database, &database->servers[i], 0);
    uint64_t now_ns = quire_monotonic_ns();
    if (now_ns - database->ticked_ns < TICK_NS)
        return;
    double ms[SERVERS_MAX];
    ask_all(database, now_ns + TICK_PATIENCE_MS * MS_NS, ms);
    for (size_t i = 1; i < database->servers_count; i++)
        if (ms[i] >= 0)
            quire_series_set(database->servers[i].lag_bytes, (double)lag_bytes(database, &database->servers[i]));
    database->ticked_ns = quire_monotonic_ns();
}
