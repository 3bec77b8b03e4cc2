/* The series of one worker, looked up once. Worker thread only. */
#ifndef QUIRE_RUNTIME_MEASURES_H
#define QUIRE_RUNTIME_MEASURES_H

#include "base/contract.h"
#include "base/metrics.h"
#include "runtime/reason.h"

#define QUIRE_STATUS_MAX 599u

struct quire_measures {
    struct quire_series *batch_size, *topic_wait, *expired, *folded, *retries, *skew, *unclean;
    struct quire_series *dead_letters[QUIRE_REASONS_COUNT];
    struct quire_series **handler; /* by call */
    struct quire_family *replies;
    struct quire_series **replies_by; /* by call and status; NULL until the first one */
    const struct quire_contract_service *service;
};

/* False without memory. */
QUIRE_MUSTCHECK bool quire_measures_init(struct quire_measures *measures, struct quire_metrics *metrics,
                                         const struct quire_contract_service *service, const struct quire_lane *lane);
void quire_measures_deinit(struct quire_measures *measures);
/* Counts an answer. method_index is the contract's. */
void quire_measures_reply(struct quire_measures *measures, unsigned method_index, unsigned status, double seconds);

#endif
