#include "gateway/health.h"

#include "base/clock.h"
#include "base/id.h"
#include "gateway/json_write.h"

#include "quire/wire.pb-c.h"

#include <assert.h>
#include <stdlib.h>

#define HEALTH_DETAIL_CHARACTERS 159u
#define HEALTH_ARENA_BYTES_MAX (256u * 1024)
#define GATEWAY_CHECK 0u
#define KAFKA_CHECK 1u
#define OWN_CHECKS 2u

/* From good to bad, so that the worst of several is the largest. */
enum health_status { HEALTH_UNKNOWN, HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_UNHEALTHY };

static const char *const status_texts[] = {"unhealthy", "healthy", "degraded",
                                           "unhealthy"}; /* unknown is as bad as unhealthy */

struct health_check {
    const char *name; /* of the contract, or a constant */
    enum health_status status;
    double latency_ms; /* negative: not known */
    char detail[HEALTH_DETAIL_CHARACTERS + 1];
};

/* The question to one service. */
struct health_question {
    struct waiter waiter; /* first */
    const struct quire_contract_service *service;
    struct health_check *check;
    struct inflight_id id;
    uint64_t asked_ns;
    bool waits; /* stands in the inflight table */
};

/* checks: gateway, kafka, one a service, then what they depend on, each name once.
 * asking exactly while some question waits. */
struct health {
    struct shard *shard;
    struct health_check *checks;
    size_t checks_count;
    struct health_question *questions; /* one a service */
    size_t questions_count;
    size_t waiting_count;
    struct exchange *asking; /* who waits for the answer */
    struct quire_arena arena;
    struct quire_slice json; /* the last answer, in `arena`; empty before the first */
    bool healthy;
    uint64_t answered_ns;
};

static struct health_check *find_check(const struct health *health, const char *name) {
    for (size_t i = OWN_CHECKS; i < health->checks_count; i++)
        if (strcmp(health->checks[i].name, name) == 0)
            return &health->checks[i];
    return NULL;
}

static void add_checks(struct health *health, const struct quire_contract *contract) {
    health->checks[GATEWAY_CHECK].name = "gateway";
    health->checks[KAFKA_CHECK].name = "kafka";
    health->checks_count = OWN_CHECKS;
    for (size_t i = 0; i < contract->services_count; i++) {
        health->checks[health->checks_count].name = contract->services[i].name;
        health->questions[i] = (struct health_question){.waiter = {WAITER_HEALTH},
                                                        .service = &contract->services[i],
                                                        .check = &health->checks[health->checks_count++]};
    }
    for (size_t i = 0; i < contract->services_count; i++)
        for (size_t j = 0; j < contract->services[i].depends_on_count; j++)
            if (find_check(health, contract->services[i].depends_on[j]) == NULL)
                health->checks[health->checks_count++].name = contract->services[i].depends_on[j];
}

struct health *health_create(struct shard *shard) {
    const struct quire_contract *contract = shard->gateway->contract;
    struct health *health = calloc(1, sizeof *health);
    size_t checks_max = OWN_CHECKS + contract->services_count;
    if (health == NULL)
        return NULL;
    quire_arena_init(&health->arena, HEALTH_ARENA_BYTES_MAX);
    health->shard = shard;
    health->questions_count = contract->services_count;
    for (size_t i = 0; i < contract->services_count; i++)
        checks_max += contract->services[i].depends_on_count;
    health->checks = calloc(checks_max, sizeof *health->checks);
    health->questions = calloc(contract->services_count + 1, sizeof *health->questions);
    if (health->checks == NULL || health->questions == NULL) {
        health_destroy(health);
        return NULL;
    }
    add_checks(health, contract);
    return health;
}

void health_destroy(struct health *health) {
    if (health == NULL)
        return;
    quire_arena_deinit(&health->arena);
    free(health->questions);
    free(health->checks);
    free(health);
}

static void set_detail(struct health_check *check, const char *detail) {
    size_t size = strnlen(detail, HEALTH_DETAIL_CHARACTERS);
    while (size > 0 && ((uint8_t)detail[size] & 0xc0) == 0x80)
        size--; /* not within a character of UTF-8 */
    memcpy(check->detail, detail, size);
    check->detail[size] = '\0';
}

/* The worst of what several say of one thing. */
static void merge(struct health_check *check, enum health_status status, double latency_ms, const char *detail) {
    if (latency_ms > check->latency_ms)
        check->latency_ms = latency_ms;
    if (status <= check->status)
        return;
    check->status = status;
    set_detail(check, detail);
}

static void render_check(struct json_writer *writer, const struct health_check *check) {
    json_name(writer, quire_slice_of(check->name));
    json_begin(writer, '{');
    json_name(writer, QUIRE_SLICE_LITERAL("status"));
    json_string(writer, quire_slice_of(status_texts[check->status]));
    json_name(writer, QUIRE_SLICE_LITERAL("latency_ms"));
    if (check->latency_ms < 0)
        json_null(writer);
    else
        json_number(writer, (double)(int64_t)(check->latency_ms * 1000) / 1000);
    if (check->detail[0] != '\0') {
        json_name(writer, QUIRE_SLICE_LITERAL("detail"));
        json_string(writer, quire_slice_of(check->detail));
    }
    json_end(writer, '}');
}

static enum health_status worst(const struct health *health) {
    enum health_status status = HEALTH_HEALTHY;
    for (size_t i = 0; i < health->checks_count; i++) {
        enum health_status one =
            health->checks[i].status == HEALTH_UNKNOWN ? HEALTH_UNHEALTHY : health->checks[i].status;
        if (one > status)
            status = one;
    }
    return status;
}

static void render(struct health *health) {
    struct json_writer writer;
    char timestamp[QUIRE_TIME_CHARACTERS + 1];
    enum health_status status = worst(health);
    quire_arena_reset(&health->arena);
    health->json = (struct quire_slice){NULL, 0};
    health->healthy = status != HEALTH_UNHEALTHY;
    health->answered_ns = quire_monotonic_ns();
    json_writer_init(&writer, &health->arena, 2048, SIZE_MAX);
    json_begin(&writer, '{');
    json_name(&writer, QUIRE_SLICE_LITERAL("status"));
    json_string(&writer, quire_slice_of(status_texts[status]));
    json_name(&writer, QUIRE_SLICE_LITERAL("timestamp"));
    quire_time_text((int64_t)quire_wall_ms(), timestamp);
    json_string(&writer, quire_slice_of(timestamp));
    if (health->shard->gateway->limits_off) {
        json_name(&writer, QUIRE_SLICE_LITERAL("limits"));
        json_string(&writer, QUIRE_SLICE_LITERAL("off"));
    }
    json_name(&writer, QUIRE_SLICE_LITERAL("checks"));
    json_begin(&writer, '{');
    for (size_t i = 0; i < health->checks_count; i++)
        render_check(&writer, &health->checks[i]);
    json_end(&writer, '}');
    json_end(&writer, '}');
    if (!json_writer_end(&writer, &health->json))
        health->json = QUIRE_SLICE_LITERAL("{\"status\":\"unhealthy\"}");
}

static void judge_own(struct health *health) {
    const struct shard *shard = health->shard;
    struct health_check *gateway = &health->checks[GATEWAY_CHECK], *kafka = &health->checks[KAFKA_CHECK];
    double latency_ms = bus_latency_ms(shard->gateway->bus);
    gateway->latency_ms = 0;
    if (gateway_phase(shard->gateway) != GATEWAY_SERVING)
        merge(gateway, HEALTH_DEGRADED, 0, "stopping");
    else
        merge(gateway, HEALTH_HEALTHY, 0, "");
    if (latency_ms < 0 || !bus_port_ready(shard->port))
        merge(kafka, HEALTH_UNHEALTHY, -1, "no answer to the gateway's probes");
    else
        merge(kafka, HEALTH_HEALTHY, latency_ms, "");
}

static void finish(struct health *health) {
    for (size_t i = OWN_CHECKS; i < health->checks_count; i++)
        if (health->checks[i].status == HEALTH_UNKNOWN)
            set_detail(&health->checks[i], "nobody answered for it");
    render(health);
    while (health->asking != NULL) {
        struct exchange *exchange = health->asking;
        health->asking = exchange->next_asking;
        exchange->next_asking = NULL;
        exchange_receive_health(exchange, health->healthy, health->json);
    }
}

static bool put_question(struct health *health, struct health_question *question) {
    struct shard *shard = health->shard;
    uint8_t uuid[QUIRE_UUID_BYTES];
    char request_id[QUIRE_UUID_CHARACTERS + 1];
    question->asked_ns = quire_monotonic_ns();
    if (!inflight_add(shard->inflight, question, question->asked_ns + HEALTH_WAIT_NS, &question->id))
        return false;
    quire_uuid7(quire_wall_ms(), uuid);
    quire_uuid_text(uuid, request_id);
    const struct bus_request request = {
        .service = question->service,
        .lane = 0,
        .method = QUIRE_HEALTH_METHOD,
        .id = {question->id.slot, question->id.generation},
        .now_ns = question->asked_ns,
        .deadline_ms = quire_wall_ms() + HEALTH_WAIT_NS / 1000000u,
        .request_id = quire_slice_of(request_id),
    };
    if (bus_send(shard->port, &request) == BUS_SENT)
        return true;
    (void)inflight_take(shard->inflight, question->id); /* it is this question */
    return false;
}

static void begin(struct health *health) {
    for (size_t i = 0; i < health->checks_count; i++) {
        health->checks[i].status = HEALTH_UNKNOWN;
        health->checks[i].latency_ms = -1;
        health->checks[i].detail[0] = '\0';
    }
    judge_own(health);
    bool kafka_away = health->checks[KAFKA_CHECK].status == HEALTH_UNHEALTHY;
    for (size_t i = 0; i < health->questions_count; i++) {
        struct health_question *question = &health->questions[i];
        question->waits = !kafka_away && put_question(health, question);
        health->waiting_count += question->waits;
        if (!question->waits)
            merge(question->check, HEALTH_UNHEALTHY, -1, "it can't be asked: Kafka is away or the gateway is full");
    }
}

void health_ask(struct health *health, struct exchange *exchange) {
    bool fresh = health->json.size > 0 && quire_monotonic_ns() - health->answered_ns <= HEALTH_FRESH_NS;
    if (fresh && health->waiting_count == 0) {
        exchange_receive_health(exchange, health->healthy, health->json);
        return;
    }
    exchange->next_asking = health->asking;
    health->asking = exchange;
    if (health->waiting_count > 0)
        return;
    begin(health);
    if (health->waiting_count == 0)
        finish(health);
}

void health_forget(struct health *health, struct exchange *exchange) {
    struct exchange **link = &health->asking;
    while (*link != NULL && *link != exchange)
        link = &(*link)->next_asking;
    if (*link != NULL)
        *link = exchange->next_asking;
    exchange->next_asking = NULL;
}

static void settle(struct health *health, struct health_question *question) {
    assert(question->waits && health->waiting_count > 0);
    question->waits = false;
    if (--health->waiting_count == 0)
        finish(health);
}

static enum health_status status_of(const char *text) {
    return strcmp(text, "healthy") == 0    ? HEALTH_HEALTHY
           : strcmp(text, "degraded") == 0 ? HEALTH_DEGRADED
                                           : HEALTH_UNHEALTHY;
}

void health_receive(struct health *health, struct waiter *waiter, unsigned status, struct quire_slice value) {
    struct health_question *question = (struct health_question *)waiter;
    double latency_ms = (double)(quire_monotonic_ns() - question->asked_ns) / 1e6;
    Quire__HealthReply *reply =
        status != 0 && status != 200 ? NULL : quire__health_reply__unpack(NULL, value.size, value.bytes);
    if (reply == NULL) {
        merge(question->check, HEALTH_UNHEALTHY, latency_ms, "it gave no health answer");
    } else {
        /* The first check is the service's own, whatever it calls itself; its latency is what was measured here. */
        if (reply->n_checks == 0)
            merge(question->check, HEALTH_HEALTHY, latency_ms, "");
        for (size_t i = 0; i < reply->n_checks; i++) {
            const Quire__HealthCheck *one = reply->checks[i];
            struct health_check *check = i == 0 ? question->check : find_check(health, one->name);
            double one_ms = i == 0 ? latency_ms : one->has_latency_ms ? one->latency_ms : -1;
            if (check != NULL)
                merge(check, status_of(one->status), one_ms, one->detail == NULL ? "" : one->detail);
        }
        quire__health_reply__free_unpacked(reply, NULL);
    }
    settle(health, question);
}

void health_expire(struct health *health, struct waiter *waiter) {
    struct health_question *question = (struct health_question *)waiter;
    merge(question->check, HEALTH_UNHEALTHY, -1, "it gave no answer in time");
    settle(health, question);
}
