/* The answer to quire.Health/Check: how the service and what it depends on are. One answer serves all who ask within
 * half a second, so that questions, however many, cost the lane little; and a backend that hangs costs it
 * QUIRE_HEALTH_BOUND_MS for each at most, until its breaker answers at once. Worker thread only. */
#ifndef QUIRE_RUNTIME_HEALTH_H
#define QUIRE_RUNTIME_HEALTH_H

#include "base/contract.h"
#include "runtime/database.h"
#include "runtime/sessions.h"

#define QUIRE_HEALTH_BOUND_MS 250u
#define QUIRE_HEALTH_BYTES_MAX 4096u

struct quire_health {
    const struct quire_contract_service *service;
    bool limits_on;
    uint64_t fresh_until_ns;
    size_t size;
    uint8_t answer[QUIRE_HEALTH_BYTES_MAX]; /* a packed HealthReply */
};

/* What was found; separate from the asking, so that the wording can be tested. */
struct quire_findings {
    struct quire_database_health database;
    bool redis;
    double redis_ms;
    const char *redis_detail; /* may be NULL */
};

void quire_health_init(struct quire_health *health, const struct quire_contract_service *service, bool limits_on);
/* A packed HealthReply, valid until the next call. */
struct quire_slice quire_health_answer(struct quire_health *health, struct quire_database *database,
                                       struct quire_sessions *sessions);
/* Words the findings and packs them. */
struct quire_slice quire_health_word(struct quire_health *health, const struct quire_findings *findings);

#endif
