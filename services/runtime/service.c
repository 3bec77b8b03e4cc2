#include "runtime/service.h"

#include "base/admin.h"
#include "base/clock.h"
#include "runtime/background_internal.h"
#include "runtime/migrate.h"
#include "runtime/subscription_internal.h"
#include "runtime/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define SERIES_MAX 2000u
#define WORKERS_MAX 256u
#define BACKGROUND_MAX 16u
#define SUBSCRIPTIONS_MAX 16u
#define TABLES 3u
#define TURN_MS 100
#define FLUSH_WAIT_MS 5000 /* for the last replies: the default deadline */
#define STATUS_FAILED 1
#define STATUS_MISUSED 2

struct process {
    const struct quire_service_options *options;
    const struct quire_contract_service *contract;
    struct quire_runtime_settings settings;
    struct quire_setting_table tables[TABLES];
    size_t tables_count;
    char host[256];
    struct quire_log *log;
    struct quire_metrics *metrics;
    struct quire_replies *replies;
    struct quire_publisher *publisher;
    struct quire_admin *admin;
    struct quire_worker *workers[WORKERS_MAX]; /* complete before `serving` is set */
    size_t workers_count;
    struct quire_background *background[BACKGROUND_MAX];
    size_t background_count;
    struct quire_subscription *subscriptions[SUBSCRIPTIONS_MAX]; /* as workers */
    size_t subscriptions_count;
    atomic_bool serving; /* any thread */
};

/* Admin thread. */
static bool is_ready(void *context) {
    const struct process *process = context;

    if (!atomic_load(&process->serving) || !quire_replies_ready(process->replies))
        return false;
    for (size_t i = 0; i < process->workers_count; i++) {
        if (!quire_worker_settled(process->workers[i]))
            return false;
    }
    for (size_t i = 0; i < process->subscriptions_count; i++) {
        if (!quire_subscription_settled(process->subscriptions[i]))
            return false;
    }
    return true;
}

/* Start. */

static bool make_tables(struct process *process) {
    if (!quire_runtime_setting_table(process->contract, &process->settings, &process->tables[process->tables_count++]))
        return false;
    process->tables[process->tables_count++] = quire_kafka_access_settings(&process->settings.kafka);
    if (process->options->settings != NULL)
        process->tables[process->tables_count++] = *process->options->settings;
    return true;
}

static bool load_settings(struct process *process) {
    if (!quire_config_load(process->tables, process->tables_count, stderr))
        return false;
    const bool kafka = quire_kafka_access_check(&process->settings.kafka, stderr);
    if (!quire_runtime_settings_check(process->contract, &process->settings, stderr) || !kafka)
        return false;
    if (process->settings.instance[0] == '\0' && gethostname(process->host, sizeof(process->host) - 1) == 0)
        process->settings.instance = process->host;
    return true;
}

/* A service that leaves an rpc of its contract without a handler would crash at the first call: better at start, by
 * name. */
static bool handlers_complete(const struct process *process) {
    typedef void handler(void);
    handler *const *handlers = (handler *const *)(process->options->handlers + 1);
    bool complete = true;

    for (unsigned i = 0; i < process->contract->descriptor->n_methods; i++) {
        if (handlers[i] == NULL) {
            QUIRE_LOG(process->log, QUIRE_ERROR, "service.handler_missing",
                      QUIRE_CTEXT("method", process->contract->calls[i].method));
            complete = false;
        }
    }
    return complete;
}

static bool start_workers(struct process *process) {
    for (uint32_t lane = 0; lane < process->contract->lanes_count; lane++) {
        const struct quire_lane_settings *settings = &process->settings.lanes[lane];
        const struct quire_worker_options options = {
            .service = process->options,
            .contract = process->contract,
            .lane = lane,
            .settings = &process->settings,
            .replies = process->replies,
            .publisher = process->publisher,
            .log = process->log,
            .metrics = process->metrics,
        };
        for (int64_t i = 0; settings->served && i < settings->workers; i++) {
            struct quire_worker *worker = process->workers_count == WORKERS_MAX ? NULL : quire_worker_start(&options);
            if (worker == NULL)
                return false;
            process->workers[process->workers_count++] = worker;
        }
    }
    return true;
}

static bool start_background(struct process *process) {
    for (size_t i = 0; i < process->options->background_count && i < BACKGROUND_MAX; i++) {
        struct quire_background *background =
            quire_background_start(&process->options->background[i], process->options, &process->settings,
                                   process->publisher, process->log, process->metrics);
        if (background == NULL)
            return false;
        process->background[process->background_count++] = background;
    }
    return true;
}

static bool start_subscriptions(struct process *process) {
    for (size_t i = 0; i < process->options->subscriptions_count && i < SUBSCRIPTIONS_MAX; i++) {
        struct quire_subscription *subscription =
            quire_subscription_start(&process->options->subscriptions[i], process->options, &process->settings,
                                     process->publisher, process->log, process->metrics);
        if (subscription == NULL)
            return false;
        process->subscriptions[process->subscriptions_count++] = subscription;
    }
    return true;
}

static bool start(struct process *process) {
    const struct quire_runtime_settings *settings = &process->settings;
    const struct quire_admin_options admin = {
        .address = settings->admin_address,
        .port = (uint16_t)settings->admin_port,
        .metrics = process->metrics,
        .log = process->log,
        .ready = is_ready,
        .context = process,
    };
    const struct quire_replies_options replies = {
        .kafka = &settings->kafka,
        .service = process->contract->name,
        .topic = settings->reply_topic,
        .bulk_topic = settings->bulk_reply_topic,
        .log = process->log,
        .metrics = process->metrics,
    };

    if (!handlers_complete(process))
        return false;
    process->replies = quire_replies_create(&replies);
    process->publisher = quire_publisher_create(&settings->kafka, process->contract->name, process->log);
    for (size_t i = 0; process->publisher != NULL && i < process->contract->lanes_count; i++)
        quire_publisher_expect(process->publisher, process->contract->lanes[i].topic, "-dlt");
    for (size_t i = 0; process->publisher != NULL && i < process->options->subscriptions_count; i++)
        quire_publisher_expect(process->publisher, process->options->subscriptions[i].topic, "-dlt");
    if (process->replies == NULL || process->publisher == NULL)
        return false;
    process->admin = quire_admin_start(&admin);
    if (process->admin == NULL)
        return false;
    if (process->options->start != NULL &&
        !process->options->start(process->options->context, settings, process->log, process->metrics))
        return false;
    if (!start_background(process) || !start_subscriptions(process) || !start_workers(process))
        return false;
    atomic_store(&process->serving, true);
    return true;
}

/* Serving and stopping. */

/* What can't be mended from within: the process ends, and is started again. */
static bool has_failed(const struct process *process) {
    if (quire_replies_failed(process->replies) || quire_publisher_failed(process->publisher))
        return true;
    for (size_t i = 0; i < process->workers_count; i++) {
        if (quire_worker_failed(process->workers[i]))
            return true;
    }
    for (size_t i = 0; i < process->subscriptions_count; i++) {
        if (quire_subscription_failed(process->subscriptions[i]))
            return true;
    }
    return false;
}

/* Until a signal comes (true) or a worker can't go on (false). */
static bool serve(struct process *process, const sigset_t *signals) {
    const struct timespec turn = {0, TURN_MS * 1000000L};

    while (!has_failed(process)) {
        const int signal_number = sigtimedwait(signals, NULL, &turn);
        if (signal_number > 0) {
            QUIRE_LOG(process->log, QUIRE_INFO, "service.stopping", QUIRE_INTEGER("signal", signal_number));
            return true;
        }
        const uint64_t now_ns = quire_monotonic_ns();
        quire_replies_poll(process->replies, now_ns);
        quire_publisher_poll(process->publisher, now_ns);
    }
    QUIRE_LOG(process->log, QUIRE_ERROR, "service.failed");
    return false;
}

/* Workers finish their batches and leave their groups, all at once; then the last replies go out. */
static void stop(struct process *process) {
    atomic_store(&process->serving, false);
    for (size_t i = 0; i < process->workers_count; i++)
        quire_worker_stop(process->workers[i]);
    for (size_t i = 0; i < process->background_count; i++)
        quire_background_stop(process->background[i]);
    for (size_t i = 0; i < process->subscriptions_count; i++)
        quire_subscription_stop(process->subscriptions[i]);
    quire_admin_stop(process->admin);
    for (size_t i = 0; i < process->workers_count; i++)
        quire_worker_destroy(process->workers[i]);
    for (size_t i = 0; i < process->background_count; i++)
        quire_background_destroy(process->background[i]);
    for (size_t i = 0; i < process->subscriptions_count; i++)
        quire_subscription_destroy(process->subscriptions[i]);
    quire_replies_destroy(process->replies, FLUSH_WAIT_MS);
    quire_publisher_destroy(process->publisher);
    if (process->options->stop != NULL)
        process->options->stop(process->options->context);
}

/* Signals are for the main thread: blocked before any other is made, which inherit that. */
static void block_signals(sigset_t *ret_signals) {
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, ret_signals, NULL); /* can't fail with a valid set */
    (void)signal(SIGPIPE, SIG_IGN);                      /* a broken connection is an error of its write, not our end */
}

static int run_service(struct process *process) {
    sigset_t signals;

    block_signals(&signals);
    process->log =
        quire_log_create(process->contract->name, process->settings.instance, process->settings.level, STDOUT_FILENO);
    process->metrics = quire_metrics_create(SERIES_MAX);
    if (process->log == NULL || process->metrics == NULL)
        return STATUS_FAILED;
    bool fine = start(process);
    if (fine) {
        QUIRE_LOG(process->log, QUIRE_INFO, "service.started", QUIRE_INTEGER("workers", process->workers_count),
                  QUIRE_INTEGER("admin_port", quire_admin_port(process->admin)));
        if (!process->settings.limits.on)
            QUIRE_LOG(process->log, QUIRE_WARN, "limits.off");
        fine = serve(process, &signals);
    }
    stop(process);
    QUIRE_LOG(process->log, QUIRE_INFO, "service.stopped", QUIRE_FLAG("clean", fine));
    quire_metrics_destroy(process->metrics);
    quire_log_destroy(process->log);
    return fine ? EXIT_SUCCESS : STATUS_FAILED;
}

int quire_service_main(int argc, char **argv, const struct quire_service_options *options) {
    static struct process process; /* once a program; too large for the stack */

    process.options = options;
    process.contract = quire_contract_find(&quire_contract, options->name);
    if (process.contract == NULL) {
        fprintf(stderr, "The contract has no service %s.\n", options->name);
        return STATUS_MISUSED;
    }
    if (!make_tables(&process)) {
        fprintf(stderr, "No memory for the table of settings.\n");
        return STATUS_FAILED;
    }
    if (argc == 2 && strcmp(argv[1], "migrate") == 0) /* one that writes nothing has nothing to bring up to date */
        return options->schema == NULL ? EXIT_SUCCESS : quire_migrate_main(options->name, options->schema);
    if (argc == 2 && strcmp(argv[1], "--settings") == 0) {
        quire_config_print(process.tables, process.tables_count, stdout);
        return EXIT_SUCCESS;
    }
    if (argc != 1) {
        fprintf(stderr, "usage: %s [migrate | --settings]\n", argv[0]);
        return STATUS_MISUSED;
    }
    return load_settings(&process) ? run_service(&process) : STATUS_MISUSED;
}
