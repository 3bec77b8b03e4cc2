#include "runtime/background_internal.h"

#include "base/clock.h"
#include "base/wire.h"
#include "runtime/database.h"
#include "runtime/redis.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ARENA_BYTES_MAX (64u * 1024u * 1024u)
#define REST_SLICE_MS 50u /* how soon a stop is noticed */

struct quire_background {
    struct quire_background_options options;
    void *context;
    uint64_t bound_ns; /* of each statement and command */
    char name[128];
    struct quire_log *log;
    struct quire_publisher *publisher;
    struct quire_database *database;
    struct quire_redis *redis;
    struct quire_arena arena;
    bool unflushed; /* SQL has run since the last flush */
    bool away;      /* the last SQL failed because the primary is */
    bool running;   /* main thread */
    pthread_t thread;
    atomic_bool stopping;
};

bool quire_background_stopping(const struct quire_background *background) {
    return atomic_load(&background->stopping);
}

struct quire_log *quire_background_log(struct quire_background *background) {
    return background->log;
}

struct quire_arena *quire_background_arena(struct quire_background *background) {
    return &background->arena;
}

PGresult *quire_background_sql(struct quire_background *background, const struct quire_statement *statement,
                               struct quire_parameters *parameters) {
    static const char *const outcomes[] = {
        [QUIRE_QUERY_REFUSED] = "refused", [QUIRE_QUERY_CONFLICT] = "conflict", [QUIRE_QUERY_LATE] = "late"};
    struct quire_query query = {
        .statement = statement,
        .parameters = parameters,
        .kind = QUIRE_WRITE,
        .deadline_ns = quire_monotonic_ns() + background->bound_ns,
        .request_id = background->options.name,
        .replica = -1,
    };
    struct quire_query *const queries[] = {&query};

    background->away = false;
    if (parameters != NULL && parameters->failed) {
        QUIRE_LOG(background->log, QUIRE_WARN, "background.no_memory", QUIRE_CTEXT("work", background->options.name));
        return NULL;
    }
    quire_database_run(background->database, queries, 1);
    background->away = query.outcome == QUIRE_QUERY_AWAY || query.outcome == QUIRE_QUERY_LATE;
    if (query.outcome == QUIRE_QUERY_DONE) {
        background->unflushed = true;
        return query.result;
    }
    PQclear(query.result);
    if (query.outcome == QUIRE_QUERY_REFUSED || query.outcome == QUIRE_QUERY_CONFLICT ||
        query.outcome == QUIRE_QUERY_LATE)
        QUIRE_LOG(background->log, QUIRE_WARN, "background.statement_failed",
                  QUIRE_CTEXT("work", background->options.name), QUIRE_CTEXT("statement", statement->name),
                  QUIRE_CTEXT("outcome", outcomes[query.outcome]));
    return NULL; /* the rest has been told by the database */
}

bool quire_background_away(const struct quire_background *background) {
    return background->away;
}

bool quire_background_flush(struct quire_background *background) {
    struct quire_watermark watermark;

    if (background->unflushed &&
        !quire_database_flush(background->database, quire_monotonic_ns() + background->bound_ns, &watermark))
        return false;
    background->unflushed = false;
    return true;
}

static rd_kafka_headers_t *event_headers(const struct quire_event *event) {
    if (event->request_id.size == 0)
        return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    (void)rd_kafka_header_add(headers, QUIRE_HEADER_REQUEST_ID, -1, event->request_id.bytes,
                              (ssize_t)event->request_id.size);
    return headers;
}

bool quire_background_publish(struct quire_background *background, const struct quire_event *events, size_t count) {
    if (count == 0)
        return true;
    if (!quire_background_flush(background)) /* what is told to the world must first be sure to survive a crash */
        return false;
    struct quire_message *messages = quire_arena_alloc(&background->arena, count * sizeof(*messages));
    rd_kafka_headers_t **headers = quire_arena_alloc(&background->arena, count * sizeof(*headers));
    if (messages == NULL || headers == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        headers[i] = event_headers(&events[i]);
        messages[i] = (struct quire_message){events[i].topic, events[i].key, events[i].value, headers[i]};
    }
    const bool published = quire_publisher_publish(background->publisher, messages, count);
    for (size_t i = 0; i < count; i++) {
        if (headers[i] != NULL)
            rd_kafka_headers_destroy(headers[i]);
    }
    return published;
}

redisReply *quire_background_redis(struct quire_background *background, size_t count, const struct quire_slice *words) {
    const uint64_t deadline_ns = quire_monotonic_ns() + background->bound_ns;

    if (!quire_redis_ready(background->redis, deadline_ns) || !quire_redis_append(background->redis, words, count))
        return NULL;
    redisReply *reply = quire_redis_reply(background->redis, deadline_ns);
    if (reply != NULL && quire_redis_unusable(reply)) {
        quire_redis_drop(background->redis, reply->str);
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

const char *quire_background_redis_run_id(struct quire_background *background) {
    return quire_redis_run_id(background->redis);
}

/* Life. */

static void rest(struct quire_background *background, unsigned rest_ms) {
    while (rest_ms > 0 && !quire_background_stopping(background)) {
        const unsigned slice_ms = rest_ms < REST_SLICE_MS ? rest_ms : REST_SLICE_MS;
        const struct timespec duration = {0, (long)slice_ms * 1000000};
        (void)nanosleep(&duration, NULL); /* cut short: then it runs a little sooner */
        rest_ms -= slice_ms;
    }
}

static void *run(void *argument) {
    struct quire_background *background = argument;

    while (!quire_background_stopping(background)) {
        quire_arena_reset(&background->arena);
        rest(background, background->options.run(background, background->context));
        quire_database_tick(background->database);
    }
    return NULL;
}

static bool connect_backends(struct quire_background *background, const struct quire_service_options *service,
                             const struct quire_runtime_settings *settings, struct quire_metrics *metrics) {
    const struct quire_database_options database = {
        .primary = settings->primary,
        .replicas = "", /* it writes, or reads what must not be stale */
        .password = settings->postgres_password[0] == '\0' ? NULL : settings->postgres_password,
        .application_name = background->name,
        .statements = service->statements,
        .statements_count = service->statements_count,
        .connect_ms = (uint32_t)settings->connect_ms,
        .retry_ms = (uint32_t)settings->retry_ms,
        .log = background->log,
        .metrics = metrics,
    };
    const struct quire_redis_options redis = {
        .access = &settings->redis,
        .connect_ms = (uint32_t)settings->connect_ms,
        .retry_ms = (uint32_t)settings->retry_ms,
        .log = background->log,
        .metrics = metrics,
    };
    background->database = quire_database_create(&database);
    background->redis = quire_redis_create(&redis);
    return background->database != NULL && background->redis != NULL;
}

struct quire_background *quire_background_start(const struct quire_background_options *options,
                                                const struct quire_service_options *service,
                                                const struct quire_runtime_settings *settings,
                                                struct quire_publisher *publisher, struct quire_log *log,
                                                struct quire_metrics *metrics) {
    struct quire_background *background = calloc(1, sizeof(*background));

    if (background == NULL)
        return NULL;
    background->options = *options;
    background->context = options->context != NULL ? options->context : service->context;
    background->bound_ns = (uint64_t)settings->background_ms * 1000000u;
    background->log = log;
    background->publisher = publisher;
    (void)snprintf(background->name, sizeof(background->name), "quire.%s.%s", service->name, options->name);
    quire_arena_init(&background->arena, ARENA_BYTES_MAX);
    background->running = connect_backends(background, service, settings, metrics) &&
                          pthread_create(&background->thread, NULL, run, background) == 0;
    if (background->running)
        return background;
    QUIRE_LOG(log, QUIRE_ERROR, "background.start_failed", QUIRE_CTEXT("work", options->name));
    quire_background_destroy(background);
    return NULL;
}

void quire_background_stop(struct quire_background *background) {
    atomic_store(&background->stopping, true);
}

void quire_background_destroy(struct quire_background *background) {
    if (background == NULL)
        return;
    quire_background_stop(background);
    if (background->running)
        (void)pthread_join(background->thread, NULL);
    quire_redis_destroy(background->redis);
    quire_database_destroy(background->database);
    quire_arena_deinit(&background->arena);
    free(background);
}
