#include "runtime/health.h"

#include "base/clock.h"
#include "quire/wire.pb-c.h"

#include <assert.h>
#include <stdio.h>

#define FRESH_NS UINT64_C(500000000)
#define CHECKS_MAX 8u
#define LAG_BYTES_DEGRADED (INT64_C(64) * 1024 * 1024)

static char healthy[] = "healthy", degraded[] = "degraded", unhealthy[] = "unhealthy";

struct wording {
    Quire__HealthCheck check;
    char detail[96];
};

static void word(struct wording *wording, const char *name, char *status, double latency_ms, const char *detail) {
    quire__health_check__init(&wording->check);
    wording->check.name = (char *)(uintptr_t)name;
    wording->check.status = status;
    wording->check.has_latency_ms = status != unhealthy;
    wording->check.latency_ms = latency_ms;
    if (detail != NULL) {
        (void)snprintf(wording->detail, sizeof(wording->detail), "%s", detail);
        wording->check.detail = wording->detail;
    }
}

static void word_replicas(struct wording *wording, const char *name, const struct quire_database_health *database) {
    char detail[96];

    if (database->replicas == 0) {
        word(wording, name, healthy, 0, "none are configured: the primary answers reads");
        return;
    }
    (void)snprintf(detail, sizeof(detail), "%u of %u alive", database->replicas_alive, database->replicas);
    if (database->replicas_alive == 0)
        word(wording, name, unhealthy, 0, "none is alive: the primary answers reads");
    else if (database->replicas_alive < database->replicas)
        word(wording, name, degraded, database->replicas_ms, detail);
    else if (database->lag_bytes_max > LAG_BYTES_DEGRADED)
        word(wording, name, degraded, database->replicas_ms, "far behind the primary");
    else
        word(wording, name, healthy, database->replicas_ms, NULL);
}

static void word_dependency(struct wording *wording, const char *name, const struct quire_findings *findings) {
    if (strcmp(name, "postgres_primary") == 0)
        word(wording, name, findings->database.primary ? healthy : unhealthy, findings->database.primary_ms, NULL);
    else if (strcmp(name, "postgres_replicas") == 0)
        word_replicas(wording, name, &findings->database);
    else if (strcmp(name, "redis") == 0)
        word(wording, name, findings->redis ? healthy : unhealthy, findings->redis_ms, findings->redis_detail);
    else
        word(wording, name, degraded, 0, "not known to the runtime");
}

void quire_health_init(struct quire_health *health, const struct quire_contract_service *service, bool limits_on) {
    health->service = service;
    health->limits_on = limits_on;
    health->fresh_until_ns = 0;
    health->size = 0;
}

struct quire_slice quire_health_word(struct quire_health *health, const struct quire_findings *findings) {
    struct wording wordings[CHECKS_MAX];
    Quire__HealthCheck *checks[CHECKS_MAX];
    Quire__HealthReply reply = QUIRE__HEALTH_REPLY__INIT;
    char *own = healthy;

    for (size_t i = 0; i < health->service->depends_on_count && i + 1 < CHECKS_MAX; i++) {
        word_dependency(&wordings[i + 1], health->service->depends_on[i], findings);
        checks[i + 1] = &wordings[i + 1].check;
        reply.n_checks = i + 2;
        if (wordings[i + 1].check.status != healthy)
            own = degraded; /* it answers; what it depends on says the rest */
    }
    word(&wordings[0], health->service->name, own, 0, health->limits_on ? NULL : "limits are off");
    checks[0] = &wordings[0].check;
    if (reply.n_checks == 0)
        reply.n_checks = 1;
    reply.checks = checks;
    assert(protobuf_c_message_get_packed_size(&reply.base) <=
           sizeof(health->answer)); /* names and details are bounded */
    health->size = protobuf_c_message_pack(&reply.base, health->answer);
    return (struct quire_slice){health->answer, health->size};
}

struct quire_slice quire_health_answer(struct quire_health *health, struct quire_database *database,
                                       struct quire_sessions *sessions) {
    const uint64_t begun_ns = quire_monotonic_ns();

    if (begun_ns >= health->fresh_until_ns) {
        struct quire_findings findings = {0};
        quire_database_check(database, QUIRE_HEALTH_BOUND_MS, &findings.database);
        findings.redis =
            quire_sessions_healthy(sessions, QUIRE_HEALTH_BOUND_MS, &findings.redis_ms, &findings.redis_detail);
        (void)quire_health_word(health, &findings);
        health->fresh_until_ns = quire_monotonic_ns() + FRESH_NS;
    }
    return (struct quire_slice){health->answer, health->size};
}
