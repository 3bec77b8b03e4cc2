/* What happens to a batch of requests between their topic and their replies: decode, check, fold, run, flush, publish.
 * Knows PostgreSQL and Redis, but no consumer and no producer. Worker thread only. */
#ifndef QUIRE_RUNTIME_BATCH_H
#define QUIRE_RUNTIME_BATCH_H

#include "runtime/measures.h"
#include "runtime/request_internal.h"

struct quire_batch_options {
    const struct quire_contract_service *service;
    uint32_t lane;
    ProtobufCService *handlers;
    void *context;
    size_t batch_max, arena_bytes_max;
    uint64_t skew_ms_max;
    struct quire_database *database;
    struct quire_sessions *sessions;
    struct quire_measures *measures;
    struct quire_log *log;
};

struct quire_batch {
    struct quire_batch_options options;
    struct quire_arena arena;
    struct quire_scope scope;
    struct quire_request *requests; /* options.batch_max of them; count are in use */
    size_t count;
    uint64_t begun_ns;
    uint64_t decode_ns, check_ns, sql_ns, flush_ns, publish_ns; /* of the last run */
    /* Scratch, batch_max of each. */
    struct quire_check **checks;
    struct quire_query **queries;
    struct quire_request **waiting;
    struct quire_publication **publications; /* grows */
    size_t publications_max;
    size_t releases; /* of the publications, whose answers quire_batch_end takes */
};

/* False without memory; deinit takes it all the same. */
QUIRE_MUSTCHECK bool quire_batch_init(struct quire_batch *batch, const struct quire_batch_options *options);
void quire_batch_deinit(struct quire_batch *batch);

/* Forgets the last batch and begins one at now_ms (wall clock), now_ns (monotonic). */
void quire_batch_begin(struct quire_batch *batch, uint64_t now_ms, uint64_t now_ns);
/* Decodes a message, which must stay until the batch ends. The request is answered at once when it can't be read or its
 * attempts are used up, dropped when its deadline has passed. */
struct quire_request *quire_batch_add(struct quire_batch *batch, const rd_kafka_headers_t *headers,
                                      struct quire_slice payload, unsigned attempt);
/* Runs what was added. Afterwards each request is ANSWERED or DROPPED, but for questions for health, which stay
 * RECEIVED; of what was written and is answered as a success everything is durable and its watermark published. */
void quire_batch_run(struct quire_batch *batch);
/* After the answers were sent, which needn't wait for it: takes what Redis says to the places that were released. */
void quire_batch_end(struct quire_batch *batch);

#endif
