/* A topic consumer's whole main: settings, workers, admin port, graceful stop. A service gives its contract, its
 * handlers and its statements; everything else is here.
 *
 *     int main(int argc, char **argv) {
 *         return quire_service_main(argc, argv, &(struct quire_service_options){.name = "documents", ...});
 *     }
 *
 * Started with `migrate` as its argument the program applies the service's migrations as the owner role and ends; with
 * `--settings` it prints its settings; otherwise it serves its lanes (QUIRE_LANES, all by default). */
#ifndef QUIRE_RUNTIME_SERVICE_H
#define QUIRE_RUNTIME_SERVICE_H

#include "base/config.h"
#include "base/contract.h"
#include "base/log.h"
#include "base/metrics.h"
#include "runtime/sql.h"

struct quire_background;
struct quire_runtime_settings;
struct quire_subscription_options;

/* Work beside the requests, on a thread of its own: the outbox relay, the loading of sessions into Redis. `run` is
 * called again and again until the process stops; each call does a bounded piece of work, waits for nothing longer than
 * 100 ms, and returns how many milliseconds to rest. */
struct quire_background_options {
    const char *name;
    unsigned (*run)(struct quire_background *background, void *context);
    void *context; /* NULL: the service's */
};

struct quire_service_options {
    const char *name;                                /* of the contract's service */
    ProtobufCService *handlers;                      /* protobuf-c's generated struct, filled in */
    const char *schema;                              /* PostgreSQL schema of its tables; NULL: it has none */
    const struct quire_statement *const *statements; /* prepared on every connection */
    size_t statements_count;
    const struct quire_setting_table *settings; /* its own, beside runtime's; may be NULL */
    void *context;                              /* quire_request_context() */
    /* After config, before workers; may be NULL. The settings live as long as the process. */
    bool (*start)(void *context, const struct quire_runtime_settings *settings, struct quire_log *log,
                  struct quire_metrics *metrics);
    /* After the last worker has ended, while log and metrics are still there; also when start failed. May be NULL. */
    void (*stop)(void *context);
    const struct quire_background_options *background;
    size_t background_count;
    const struct quire_subscription_options *subscriptions; /* topics of events that it follows (subscription.h) */
    size_t subscriptions_count;
};

int quire_service_main(int argc, char **argv, const struct quire_service_options *options);

#endif
