#include "runtime/worker.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log_buffer.h"
#include "base/sample.h"
#include "runtime/batch.h"
#include "runtime/consumer.h"
#include "runtime/dead_letter.h"
#include "runtime/faults.h"
#include "runtime/health.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define CONNECT_FIRST_NS UINT64_C(4000000000) /* for a server that neither connects nor refuses */
#define CONNECT_SLICE_NS 5000000
#define FLUSH_MS 1000
#define WAIT_MS 100 /* for a message; also how soon a stop is noticed and how long a commit may be due */

struct quire_worker {
    struct quire_worker_options options;
    const struct quire_lane *lane;
    size_t batch_max;
    char group[256];
    struct quire_consumer *consumer;
    struct quire_database *database;
    struct quire_sessions *sessions;
    struct quire_measures measures;
    struct quire_batch batch;
    struct quire_health health;
    struct quire_delivery *deliveries; /* batch_max */
    struct quire_log_buffer *lines;    /* of the batch's requests */
    uint64_t begun_us;                 /* of the batch, wall clock */
    pthread_t thread;
    bool running; /* main thread */
    atomic_bool stopping, failed;
};

/* Parts. */

static bool open_database(struct quire_worker *worker) {
    const struct quire_runtime_settings *settings = worker->options.settings;
    const struct quire_database_options options = {
        .primary = settings->primary,
        .replicas = settings->replicas,
        .password = settings->postgres_password[0] == '\0' ? NULL : settings->postgres_password,
        .application_name = worker->group,
        .statements = worker->options.service->statements,
        .statements_count = worker->options.service->statements_count,
        .connect_ms = (uint32_t)settings->connect_ms,
        .retry_ms = (uint32_t)settings->retry_ms,
        .log = worker->options.log,
        .metrics = worker->options.metrics,
    };
    worker->database = quire_database_create(&options);
    return worker->database != NULL;
}

static bool open_sessions(struct quire_worker *worker) {
    const struct quire_runtime_settings *settings = worker->options.settings;
    const struct quire_sessions_options options = {
        .redis = &settings->redis,
        .connect_ms = (uint32_t)settings->connect_ms,
        .command_ms = (uint32_t)settings->command_ms,
        .retry_ms = (uint32_t)settings->retry_ms,
        .limits = settings->limits,
        .log = worker->options.log,
        .metrics = worker->options.metrics,
    };
    worker->sessions = quire_sessions_create(&options);
    return worker->sessions != NULL;
}

static bool open_consumer(struct quire_worker *worker) {
    const struct quire_consumer_options options = {
        .kafka = &worker->options.settings->kafka,
        .service = worker->options.contract->name,
        .group = worker->group,
        .topic = worker->lane->topic,
        .batch_max = worker->batch_max,
        .batch_bytes_max = (size_t)worker->options.settings->batch_bytes_max,
        .heartbeat_ms = worker->options.settings->heartbeat_ms,
        .fetch_wait_ms = worker->options.settings->fetch_wait_ms,
        .log = worker->options.log,
        .metrics = worker->options.metrics,
    };
    worker->consumer = quire_consumer_create(&options);
    return worker->consumer != NULL;
}

static bool open_batch(struct quire_worker *worker) {
    const struct quire_batch_options options = {
        .service = worker->options.contract,
        .lane = worker->options.lane,
        .handlers = worker->options.service->handlers,
        .context = worker->options.service->context,
        .batch_max = worker->batch_max,
        .arena_bytes_max = (size_t)worker->options.settings->arena_bytes_max,
        .skew_ms_max = (uint64_t)worker->options.settings->skew_ms_max,
        .database = worker->database,
        .sessions = worker->sessions,
        .measures = &worker->measures,
        .log = worker->options.log,
    };
    worker->deliveries = calloc(worker->batch_max, sizeof(*worker->deliveries));
    return quire_batch_init(&worker->batch, &options) && worker->deliveries != NULL;
}

/* One batch, step by step. */

/* Milliseconds from the gateway's producer to this batch; a clock that is off may make it negative. */
static int64_t topic_wait_ms(const struct quire_worker *worker, size_t index) {
    rd_kafka_timestamp_type_t type;
    return (int64_t)worker->batch.scope.now_ms - rd_kafka_message_timestamp(worker->deliveries[index].message, &type);
}

/* Also measures how long the messages lay there. */
static void add_deliveries(struct quire_worker *worker, size_t count) {
    double skew_ms = 0;

    worker->begun_us = quire_wall_us();
    quire_batch_begin(&worker->batch, worker->begun_us / 1000, quire_monotonic_ns());
    for (size_t i = 0; i < count; i++) {
        rd_kafka_message_t *message = worker->deliveries[i].message;
        rd_kafka_headers_t *headers = NULL;
        (void)rd_kafka_message_headers(message, &headers); /* stays NULL when there are none */
        const struct quire_request *request =
            quire_batch_add(&worker->batch, headers, (struct quire_slice){message->payload, message->len},
                            worker->deliveries[i].attempt);
        const int64_t wait_ms = topic_wait_ms(worker, i);
        quire_series_observe(worker->measures.topic_wait, wait_ms > 0 ? (double)wait_ms / 1e3 : 0);
        if (wait_ms < 0 && skew_ms < (double)-wait_ms)
            skew_ms = (double)-wait_ms;
        if (worker->deliveries[i].attempt > 1 && request->state == QUIRE_REQUEST_RECEIVED) {
            quire_series_add(worker->measures.unclean, 1);
            quire_replies_flush(worker->options.replies, FLUSH_MS); /* the note commits what stands before it */
            quire_consumer_note_attempt(worker->consumer, &worker->deliveries[i]);
        }
    }
    if (skew_ms > 0)
        quire_series_set(worker->measures.skew, skew_ms / 1e3);
    quire_series_observe(worker->measures.batch_size, (double)count);
}

/* Slow from half of the setting on: a request that becomes slow for its gateway on the way back is found here too. */
static bool is_logged(const struct quire_worker *worker, size_t index, uint64_t total_us) {
    const struct quire_runtime_settings *settings = worker->options.settings;
    const struct quire_request *request = &worker->batch.requests[index];
    const struct quire_sample sample = {.one_in = (uint64_t)settings->log_request_sample,
                                        .slow_us = (uint64_t)settings->log_slow_ms * 1000 / 2};
    const bool failed = request->status >= 400 || request->state == QUIRE_REQUEST_DROPPED || request->attempt > 1 ||
                        request->retries > 0;
    const int64_t wait_ms = topic_wait_ms(worker, index);
    if (!quire_log_on(worker->options.log, QUIRE_INFO))
        return false;
    return quire_sample_takes(&sample, quire_slice_of(request->request_id), failed,
                              total_us + (wait_ms > 0 ? (uint64_t)wait_ms * 1000 : 0));
}

#define LOG_FIELDS_MAX 24u

/* The line's time is the end of the batch; what happened when is counted back from there. */
static void log_request(struct quire_worker *worker, size_t index, uint64_t total_us) {
    const struct quire_batch *batch = &worker->batch;
    const struct quire_request *request = &batch->requests[index];
    const rd_kafka_message_t *message = worker->deliveries[index].message;
    const bool dropped = request->state == QUIRE_REQUEST_DROPPED;
    struct quire_log_field fields[LOG_FIELDS_MAX];
    char call[QUIRE_CALL_CHARACTERS + 1], account[QUIRE_UUID_CHARACTERS + 1];
    size_t count = 0;

    quire_call_text(request->envelope.correlation, call);
    fields[count++] = QUIRE_CTEXT("request_id", request->request_id);
    fields[count++] = QUIRE_CTEXT("call", call);
    fields[count++] = QUIRE_TEXT("method", request->envelope.method);
    fields[count++] = QUIRE_INTEGER("status", request->status);
    fields[count++] = QUIRE_CTEXT("topic", worker->lane->topic);
    fields[count++] = QUIRE_INTEGER("partition", message->partition);
    fields[count++] = QUIRE_INTEGER("offset", message->offset);
    fields[count++] = QUIRE_INTEGER("batch", batch->count);
    fields[count++] = QUIRE_INTEGER("attempt", request->attempt);
    fields[count++] = QUIRE_INTEGER("topic_wait_ms", topic_wait_ms(worker, index));
    fields[count++] = QUIRE_INTEGER("decode_us", batch->decode_ns / 1000);
    fields[count++] = QUIRE_INTEGER("check_us", batch->check_ns / 1000);
    fields[count++] = QUIRE_INTEGER("sql_us", batch->sql_ns / 1000);
    fields[count++] = QUIRE_INTEGER("flush_us", batch->flush_ns / 1000);
    fields[count++] = QUIRE_INTEGER("publish_us", batch->publish_ns / 1000);
    fields[count++] = QUIRE_INTEGER("total_us", total_us);
    if (request->has_account) {
        quire_uuid_text(request->account, account);
        fields[count++] = QUIRE_CTEXT("account", account);
    }
    if (request->server != NULL) {
        fields[count++] = QUIRE_CTEXT("server", request->server);
        fields[count++] = QUIRE_INTEGER("statements", request->statements);
        fields[count++] = QUIRE_INTEGER("own_sql_us", request->sql_ns / 1000);
    }
    if (request->retries > 0)
        fields[count++] = QUIRE_INTEGER("retries", request->retries);
    if (request->leader != NULL)
        fields[count++] = QUIRE_FLAG("folded", true);
    if (request->kept)
        fields[count++] = QUIRE_FLAG("kept", true);
    if (dropped && batch->scope.now_ms > request->deadline_ms) /* else the deadline passed while the batch ran */
        fields[count++] = QUIRE_INTEGER("late_ms", batch->scope.now_ms - request->deadline_ms);
    quire_log_buffer_write_at(worker->lines, QUIRE_INFO, worker->begun_us + total_us,
                              dropped ? "request.deadline_exceeded" : "request.handled", fields, count);
}

static void send_replies(struct quire_worker *worker) {
    const struct quire_batch *batch = &worker->batch;

    for (size_t i = 0; i < batch->count; i++) {
        const struct quire_request *request = &batch->requests[i];
        if (request->state == QUIRE_REQUEST_ANSWERED)
            (void)quire_replies_send(
                worker->options.replies, &request->envelope, request->request_id, request->status,
                request->answer); /* what is lost has been counted; its caller meets the deadline */
    }
    const uint64_t total_ns = quire_monotonic_ns() - batch->begun_ns;
    for (size_t i = 0; i < batch->count; i++) {
        const struct quire_request *request = &batch->requests[i];
        if (request->state == QUIRE_REQUEST_ANSWERED && request->envelope.call != NULL)
            quire_measures_reply(&worker->measures, request->envelope.method_index, request->status,
                                 (double)total_ns / 1e9);
        if ((!request->envelope.health || request->state == QUIRE_REQUEST_ANSWERED) &&
            is_logged(worker, i, total_ns / 1000))
            log_request(worker, i, total_ns / 1000);
    }
    quire_log_buffer_flush(worker->lines);
    QUIRE_LOG(worker->options.log, QUIRE_DEBUG, "batch.handled", QUIRE_CTEXT("topic", worker->lane->topic),
              QUIRE_INTEGER("batch", batch->count), QUIRE_INTEGER("check_us", batch->check_ns / 1000),
              QUIRE_INTEGER("sql_us", batch->sql_ns / 1000), QUIRE_INTEGER("flush_us", batch->flush_ns / 1000),
              QUIRE_INTEGER("publish_us", batch->publish_ns / 1000), QUIRE_INTEGER("total_us", total_ns / 1000));
}

/* After the others' replies, as it may have to wait for a backend that hangs. */
static void answer_health(struct quire_worker *worker) {
    for (size_t i = 0; i < worker->batch.count; i++) {
        const struct quire_request *request = &worker->batch.requests[i];
        if (request->envelope.health && request->state == QUIRE_REQUEST_RECEIVED)
            (void)quire_replies_send(worker->options.replies, &request->envelope, request->request_id, 200,
                                     quire_health_answer(&worker->health, worker->database, worker->sessions));
    }
}

/* False only when the process ends before Kafka has taken them all: then the batch comes again. */
static bool send_dead_letters(struct quire_worker *worker) {
    for (size_t i = 0; i < worker->batch.count; i++) {
        const struct quire_request *request = &worker->batch.requests[i];
        if (request->reason == QUIRE_REASON_NONE)
            continue;
        while (!quire_dead_letter_send(worker->options.publisher, worker->deliveries[i].message, worker->lane->topic,
                                       request->reason)) {
            if (atomic_load(&worker->stopping))
                return false;
        }
        quire_series_add(worker->measures.dead_letters[request->reason], 1);
        char call[QUIRE_CALL_CHARACTERS + 1];
        quire_call_text(request->envelope.correlation, call);
        QUIRE_LOG(worker->options.log, QUIRE_ERROR, "request.dead_letter",
                  QUIRE_CTEXT("request_id", request->request_id), QUIRE_CTEXT("call", call),
                  QUIRE_CTEXT("reason", quire_reason_name(request->reason)),
                  QUIRE_TEXT("method", request->envelope.method), QUIRE_CTEXT("topic", worker->lane->topic),
                  QUIRE_INTEGER("partition", worker->deliveries[i].message->partition),
                  QUIRE_INTEGER("offset", worker->deliveries[i].message->offset));
    }
    return true;
}

#ifdef QUIRE_FAULTS
static void break_producers(struct quire_worker *worker) {
    for (size_t i = 0; i < worker->batch.count; i++) {
        if (quire_fault_strikes(&worker->batch.requests[i], QUIRE_FAULT_REPLIES))
            quire_replies_break(worker->options.replies);
        if (quire_fault_strikes(&worker->batch.requests[i], QUIRE_FAULT_PUBLISHER))
            quire_publisher_break(worker->options.publisher);
    }
}
#else
static void break_producers(struct quire_worker *worker) {
    (void)worker;
}
#endif

/* What couldn't be answered for a producer that has failed for good comes again, to the process that follows. */
static void handle_batch(struct quire_worker *worker, size_t count) {
    add_deliveries(worker, count);
    quire_batch_run(&worker->batch);
    break_producers(worker);
    send_replies(worker);
    quire_batch_end(&worker->batch);
    answer_health(worker);
    const bool handled = send_dead_letters(worker) && !quire_replies_failed(worker->options.replies);
    quire_consumer_done(worker->consumer, worker->deliveries, count, handled);
}

/* Life. */

/* Connects before it takes its share: requests wait in the topic, or go to its neighbours, while they would only be
 * refused here. What is away is tried again when it is needed. */
static void connect_first(struct quire_worker *worker) {
    const struct timespec slice = {0, CONNECT_SLICE_NS};
    const uint64_t until_ns = quire_monotonic_ns() + CONNECT_FIRST_NS;
    struct quire_findings first;

    for (;;) {
        quire_sessions_tick(worker->sessions);
        quire_database_tick(worker->database);
        if ((quire_sessions_settled(worker->sessions) && quire_database_settled(worker->database)) ||
            atomic_load(&worker->stopping) || quire_monotonic_ns() >= until_ns)
            break;
        (void)nanosleep(&slice, NULL); /* cut short: looks sooner */
    }
    (void)quire_sessions_healthy(worker->sessions, QUIRE_HEALTH_BOUND_MS, &first.redis_ms, &first.redis_detail);
}

static bool may_end(const struct quire_worker *worker) {
    return quire_consumer_failed(worker->consumer) || quire_replies_failed(worker->options.replies) ||
           (atomic_load(&worker->stopping) && quire_consumer_may_leave(worker->consumer));
}

static void *run(void *argument) {
    struct quire_worker *worker = argument;

    /* Linux has a niceness for each thread (setpriority(2), "C library/kernel differences"), and anyone may raise it.
     */
    (void)setpriority(PRIO_PROCESS, 0, (int)worker->options.settings->lanes[worker->options.lane].nice);
    connect_first(worker);
    while (!may_end(worker)) {
        const size_t count = quire_consumer_take(worker->consumer, WAIT_MS, worker->deliveries);
        if (count != 0)
            handle_batch(worker, count);
        quire_consumer_tick(worker->consumer, quire_monotonic_ns());
        quire_database_tick(worker->database);
        quire_sessions_tick(worker->sessions);
    }
    atomic_store(&worker->failed, !atomic_load(&worker->stopping));
    if (quire_replies_failed(worker->options.replies))
        quire_consumer_doubt(worker->consumer);
    quire_consumer_leave(worker->consumer); /* on this thread, so that all workers leave at once */
    return NULL;
}

struct quire_worker *quire_worker_start(const struct quire_worker_options *options) {
    struct quire_worker *worker = calloc(1, sizeof(*worker));

    if (worker == NULL)
        return NULL;
    worker->options = *options;
    worker->lane = &options->contract->lanes[options->lane];
    worker->batch_max = (size_t)options->settings->lanes[options->lane].batch_max;
    (void)snprintf(worker->group, sizeof(worker->group), "quire.%s.%s", options->contract->name, worker->lane->name);
    quire_health_init(&worker->health, options->contract, options->settings->limits.on);
    worker->lines = quire_log_buffer_create(options->log);
    const bool fine = worker->lines != NULL &&
                      quire_measures_init(&worker->measures, options->metrics, options->contract, worker->lane) &&
                      open_database(worker) && open_sessions(worker) && open_batch(worker) && open_consumer(worker);
    worker->running = fine && pthread_create(&worker->thread, NULL, run, worker) == 0;
    if (worker->running)
        return worker;
    QUIRE_LOG(options->log, QUIRE_ERROR, "worker.start_failed", QUIRE_CTEXT("lane", worker->lane->name));
    quire_worker_destroy(worker);
    return NULL;
}

void quire_worker_stop(struct quire_worker *worker) {
    atomic_store(&worker->stopping, true);
}

bool quire_worker_settled(const struct quire_worker *worker) {
    return quire_consumer_settled(worker->consumer) && !atomic_load(&worker->failed);
}

bool quire_worker_failed(const struct quire_worker *worker) {
    return atomic_load(&worker->failed);
}

void quire_worker_destroy(struct quire_worker *worker) {
    if (worker == NULL)
        return;
    atomic_store(&worker->stopping, true);
    if (worker->running)
        (void)pthread_join(worker->thread, NULL);
    quire_consumer_destroy(worker->consumer);
    quire_batch_deinit(&worker->batch);
    free(worker->deliveries);
    quire_log_buffer_destroy(worker->lines);
    quire_sessions_destroy(worker->sessions);
    quire_database_destroy(worker->database);
    quire_measures_deinit(&worker->measures);
    free(worker);
}
