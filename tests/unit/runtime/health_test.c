#include "runtime/health.h"
#include "unit/runtime/contract.h"
#include "unit/suite.h"

static struct quire_health health;

static Quire__HealthReply *word(const struct quire_findings *findings) {
    quire_health_init(&health, &test_service, true);
    const struct quire_slice answer = quire_health_word(&health, findings);
    return quire__health_reply__unpack(NULL, answer.size, answer.bytes);
}

static void when_all_is_well_all_is_healthy(void) {
    Quire__HealthReply *reply = word(&(struct quire_findings){
        .database = {.primary = true, .replicas = 2, .replicas_alive = 2}, .redis = true, .redis_ms = 1.5});
    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    CU_ASSERT_EQUAL(reply->n_checks, 4);
    CU_ASSERT_STRING_EQUAL(reply->checks[0]->name, "test"); /* its own check first */
    CU_ASSERT_STRING_EQUAL(reply->checks[3]->name, "redis");
    CU_ASSERT_EQUAL(reply->checks[3]->latency_ms, 1.5);
    for (size_t i = 0; i < reply->n_checks; i++)
        CU_ASSERT_STRING_EQUAL(reply->checks[i]->status, "healthy");
    quire__health_reply__free_unpacked(reply, NULL);
}

static void what_is_away_is_unhealthy_and_the_service_degraded(void) {
    Quire__HealthReply *reply = word(&(struct quire_findings){
        .database = {.primary = false, .replicas = 2, .replicas_alive = 1}, .redis = false, .redis_detail = "cold"});
    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    CU_ASSERT_STRING_EQUAL(reply->checks[0]->status, "degraded");
    CU_ASSERT_STRING_EQUAL(reply->checks[1]->status, "unhealthy");
    CU_ASSERT_STRING_EQUAL(reply->checks[2]->status, "degraded");
    CU_ASSERT_STRING_EQUAL(reply->checks[2]->detail, "1 of 2 alive");
    CU_ASSERT_STRING_EQUAL(reply->checks[3]->status, "unhealthy");
    CU_ASSERT_STRING_EQUAL(reply->checks[3]->detail, "cold");
    quire__health_reply__free_unpacked(reply, NULL);
}

QUIRE_TEST_MAIN("health", NULL, NULL, {"when_all_is_well_all_is_healthy", when_all_is_well_all_is_healthy},
                {"what_is_away_is_unhealthy_and_the_service_degraded",
                 what_is_away_is_unhealthy_and_the_service_degraded})
