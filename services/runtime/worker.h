/* A worker: a thread with its own consumer, PostgreSQL and Redis connections, in a straight line from messages to
 * stored offsets.
 *
 * Created, stopped and destroyed by the main thread. */
#ifndef QUIRE_RUNTIME_WORKER_H
#define QUIRE_RUNTIME_WORKER_H

#include "runtime/publisher.h"
#include "runtime/replies.h"
#include "runtime/service.h"
#include "runtime/settings.h"

struct quire_worker;

struct quire_worker_options {
    const struct quire_service_options *service;
    const struct quire_contract_service *contract;
    uint32_t lane;
    const struct quire_runtime_settings *settings;
    struct quire_replies *replies;     /* shared; outlives the workers */
    struct quire_publisher *publisher; /* the same */
    struct quire_log *log;
    struct quire_metrics *metrics;
};

/* NULL after logging why. */
QUIRE_MUSTCHECK struct quire_worker *quire_worker_start(const struct quire_worker_options *options);
/* Asks it to end after the batch in hand. */
void quire_worker_stop(struct quire_worker *worker);
/* It takes part in its group and can reach Kafka. Any thread. */
bool quire_worker_settled(const struct quire_worker *worker);
/* It has ended without being asked to; the process should end too, and be started anew. Any thread. */
bool quire_worker_failed(const struct quire_worker *worker);
/* Waits for the thread, which commits, leaves the group and closes its connections. Takes NULL. */
void quire_worker_destroy(struct quire_worker *worker);

#endif
