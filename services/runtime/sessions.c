#include "runtime/sessions_internal.h"

#include "base/clock.h"
#include "runtime/keys.h"
#include "runtime/redis.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MS_NS UINT64_C(1000000)
#define TICK_NS UINT64_C(1000000000)
#define WORDS_MAX 1024u
static const char *const verdict_names[] = {"admitted", "unauthenticated", "limited", "away"};
static_assert(sizeof verdict_names / sizeof verdict_names[0] == QUIRE_SESSIONS_AWAY + 1, "one name each");

/* `count` in each `seconds`, `burst` at once. */
static struct rate rate_of(const char *name, int64_t count, int64_t seconds, int64_t burst) {
    int64_t period_us = seconds * 1000000 / (count < 1 ? 1 : count);
    if (period_us < 1)
        period_us = 1;
    if (burst < 1)
        burst = 1;
    int64_t window_s = (burst * period_us + 999999) / 1000000;
    struct rate rate = {.pace_us = (uint32_t)period_us}; /* an hour at most */
    snprintf(rate.name, sizeof rate.name, "%s", name);
    snprintf(rate.period_us, sizeof rate.period_us, "%" PRId64, period_us);
    snprintf(rate.burst, sizeof rate.burst, "%" PRId64, burst);
    snprintf(rate.policy, sizeof rate.policy, "\"%s\";q=%" PRId64 ";w=%" PRId64, name, burst,
             window_s < 1 ? 1 : window_s);
    return rate;
}

static void declare_metrics(struct quire_sessions *sessions, struct quire_metrics *metrics) {
    for (size_t i = 0; i <= QUIRE_SESSIONS_AWAY; i++)
        sessions->verdicts[i] = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_sessions_checks_total",
                                                  "Requests checked, by verdict.", "verdict", verdict_names[i]);
    sessions->check_seconds = quire_metrics_one(metrics, QUIRE_HISTOGRAM, "quire_sessions_check_seconds",
                                                "Time for the checks of a batch.", "", NULL);
    sessions->publish_failures = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_sessions_publish_failures_total",
                                                   "Publications that Redis didn't confirm.", "", NULL);
    sessions->warm_gauge = quire_metrics_one(metrics, QUIRE_GAUGE, "quire_sessions_warm",
                                             "1 when Redis holds all live sessions, as far as last seen.", "", NULL);
}

struct quire_sessions *quire_sessions_create(const struct quire_sessions_options *options) {
    struct quire_sessions *sessions = calloc(1, sizeof *sessions);
    if (sessions == NULL)
        return NULL;
    const struct quire_limits *limits = &options->limits;
    sessions->limits = *limits;
    sessions->log = options->log;
    sessions->command_ms = options->command_ms;
    sessions->account = rate_of("account", limits->account_rate, 1, limits->account_burst);
    sessions->address = rate_of("address", limits->address_rate, 1, limits->address_burst);
    sessions->log_ins = rate_of("log-ins", limits->log_in_rate, 1, limits->log_in_burst);
    sessions->registrations = rate_of("registrations", limits->registrations_hour, 3600, limits->registrations_burst);
    snprintf(sessions->concurrent, sizeof sessions->concurrent, "%" PRId64, limits->account_concurrent);
    snprintf(sessions->failures, sizeof sessions->failures, "%" PRId64, limits->log_in_failures);
    snprintf(sessions->failures_address, sizeof sessions->failures_address, "%" PRId64,
             limits->log_in_failures_address);
    snprintf(sessions->window_s, sizeof sessions->window_s, "%" PRId64, limits->log_in_window_s);
    declare_metrics(sessions, options->metrics);
    sessions->redis = quire_redis_create(&(struct quire_redis_options){
        .access = options->redis,
        .connect_ms = options->connect_ms,
        .retry_ms = options->retry_ms,
        .log = options->log,
        .metrics = options->metrics,
    });
    if (sessions->redis != NULL)
        return sessions;
    free(sessions);
    return NULL;
}

void quire_sessions_destroy(struct quire_sessions *sessions) {
    if (sessions == NULL)
        return;
    quire_redis_destroy(sessions->redis);
    free(sessions);
}

static void set_warm(struct quire_sessions *sessions, bool warm) {
    if (warm ? sessions->told_cold : sessions->warm || !sessions->told_cold) {
        QUIRE_LOG(sessions->log, warm ? QUIRE_INFO : QUIRE_WARN, warm ? "sessions.warm" : "sessions.cold");
        sessions->told_cold = !warm;
    }
    sessions->warm = warm;
    quire_series_set(sessions->warm_gauge, warm);
}

bool quire_sessions_read_epoch(struct quire_sessions *sessions, uint64_t deadline_ns) {
    redisReply *reply = quire_redis_reply(sessions->redis, deadline_ns);
    if (reply == NULL)
        return false;
    const char *run_id = quire_redis_run_id(sessions->redis);
    bool warm = reply->type == REDIS_REPLY_STRING && strcmp(reply->str, run_id) == 0;
    freeReplyObject(reply);
    set_warm(sessions, warm);
    return warm;
}

bool quire_sessions_append_epoch(struct quire_sessions *sessions) {
    return quire_redis_append(
        sessions->redis, (struct quire_slice[]){QUIRE_SLICE_LITERAL("GET"), QUIRE_SLICE_LITERAL(QUIRE_KEY_EPOCH)}, 2);
}

bool quire_sessions_ready(struct quire_sessions *sessions, uint64_t deadline_ns) {
    if (!quire_redis_ready(sessions->redis, deadline_ns))
        return false;
    if (quire_redis_serial(sessions->redis) != sessions->serial) {
        sessions->serial = quire_redis_serial(sessions->redis);
        sessions->warm = false;
    }
    if (sessions->warm)
        return true;
    if (quire_sessions_append_epoch(sessions))
        (void)quire_sessions_read_epoch(sessions, deadline_ns); /* cold is an answer too */
    return quire_redis_serial(sessions->redis) != 0;
}

bool quire_sessions_append(struct quire_sessions *sessions, const char *function, const struct quire_slice *keys,
                           size_t keys_count, const struct quire_slice *arguments, size_t arguments_count) {
    struct quire_slice words[WORDS_MAX];
    char number[NUMBER_CHARACTERS];
    if (3 + keys_count + arguments_count > WORDS_MAX)
        return false;
    snprintf(number, sizeof number, "%zu", keys_count);
    words[0] = QUIRE_SLICE_LITERAL("FCALL");
    words[1] = quire_slice_of(function);
    words[2] = quire_slice_of(number);
    if (keys_count > 0)
        memcpy(words + 3, keys, keys_count * sizeof *keys);
    if (arguments_count > 0)
        memcpy(words + 3 + keys_count, arguments, arguments_count * sizeof *arguments);
    return quire_redis_append(sessions->redis, words, 3 + keys_count + arguments_count);
}

uint64_t quire_sessions_bound(const struct quire_sessions *sessions, uint64_t now_ns, uint64_t deadline_ns) {
    uint64_t command_ns = now_ns + sessions->command_ms * MS_NS;
    return command_ns < deadline_ns ? command_ns : deadline_ns;
}

static bool append_raise(struct quire_sessions *sessions, const struct quire_publication *publication) {
    const struct quire_key key = quire_key_account(publication->tag, publication->account, QUIRE_ACCOUNT_WATERMARK);
    const struct quire_slice name = quire_key_slice(&key);
    char text[QUIRE_WATERMARK_CHARACTERS + 1];
    quire_watermark_text(publication->watermark, text);
    const struct quire_slice watermark = quire_slice_of(text);
    return quire_sessions_append(sessions, "quire_watermark_raise", &name, 1, &watermark, 1);
}

/* As the library's quire_release; one for each request that is limited, so without its detour. */
static bool append_release(struct quire_sessions *sessions, const struct quire_publication *publication) {
    const struct quire_key key = quire_key_account(publication->tag, publication->account, QUIRE_ACCOUNT_PLACES);
    const struct quire_slice words[] = {QUIRE_SLICE_LITERAL("ZREM"), quire_key_slice(&key), publication->request};
    return quire_redis_append(sessions->redis, words, 3);
}

static bool append_publication(struct quire_sessions *sessions, const struct quire_publication *publication) {
    switch (publication->kind) {
    case QUIRE_RAISE_WATERMARK:
        return append_raise(sessions, publication);
    case QUIRE_RELEASE_PLACE:
        return append_release(sessions, publication);
    case QUIRE_CALL_FUNCTION:
        break;
    }
    return quire_sessions_append(sessions, publication->function, publication->keys, publication->keys_count,
                                 publication->arguments, publication->arguments_count);
}

/* A raise that is refused (0) was by a primary that isn't the primary any more. */
static bool take_publication(struct quire_sessions *sessions, const struct quire_publication *publication,
                             uint64_t deadline_ns) {
    redisReply *reply = quire_redis_reply(sessions->redis, deadline_ns);
    if (reply == NULL)
        return false;
    bool good = reply->type != REDIS_REPLY_ERROR;
    if (publication->kind == QUIRE_RAISE_WATERMARK)
        good = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
    if (reply->type == REDIS_REPLY_ERROR)
        QUIRE_LOG(sessions->log, QUIRE_ERROR, "sessions.publication_refused",
                  QUIRE_CTEXT("function", publication->kind == QUIRE_CALL_FUNCTION ? publication->function : "quire"),
                  QUIRE_CTEXT("error", reply->str));
    if (quire_redis_unusable(reply))
        quire_redis_drop(sessions->redis, reply->str);
    freeReplyObject(reply);
    return good;
}

void quire_sessions_publish_begin(struct quire_sessions *sessions, struct quire_publication *const *publications,
                                  size_t count, uint64_t deadline_ns) {
    const uint64_t bound_ns = quire_sessions_bound(sessions, quire_monotonic_ns(), deadline_ns);
    const bool ready = count > 0 && quire_redis_ready(sessions->redis, bound_ns);
    for (size_t i = 0; i < count; i++)
        publications[i]->failed = !ready || !append_publication(sessions, publications[i]);
    if (ready)
        quire_redis_send(sessions->redis);
}

/* One that couldn't be sent owes no answer, and the others still have theirs. */
void quire_sessions_publish_end(struct quire_sessions *sessions, struct quire_publication *const *publications,
                                size_t count, uint64_t deadline_ns) {
    const uint64_t bound_ns = quire_sessions_bound(sessions, quire_monotonic_ns(), deadline_ns);
    for (size_t i = 0; i < count; i++) {
        if (!publications[i]->failed)
            publications[i]->failed = !take_publication(sessions, publications[i], bound_ns);
        if (publications[i]->failed)
            quire_series_add(sessions->publish_failures, 1);
    }
}

void quire_sessions_publish(struct quire_sessions *sessions, struct quire_publication *const *publications,
                            size_t count, uint64_t deadline_ns) {
    quire_sessions_publish_begin(sessions, publications, count, deadline_ns);
    quire_sessions_publish_end(sessions, publications, count, deadline_ns);
}

/* A server that has gone silent is found out by asking it, before a request has to wait for it. */
void quire_sessions_tick(struct quire_sessions *sessions) {
    const uint64_t now_ns = quire_monotonic_ns();
    quire_redis_tick(sessions->redis);
    if (quire_redis_serial(sessions->redis) == 0 || now_ns - sessions->ticked_ns < TICK_NS)
        return;
    sessions->ticked_ns = now_ns;
    sessions->serial = quire_redis_serial(sessions->redis);
    if (quire_sessions_append_epoch(sessions))
        (void)quire_sessions_read_epoch(sessions, now_ns + sessions->command_ms * MS_NS); /* cold is an answer too */
}

bool quire_sessions_settled(const struct quire_sessions *sessions) {
    return quire_redis_settled(sessions->redis);
}

bool quire_sessions_healthy(struct quire_sessions *sessions, uint32_t bound_ms, double *ret_ms,
                            const char **ret_detail) {
    uint64_t begun_ns = quire_monotonic_ns(), deadline_ns = begun_ns + bound_ms * MS_NS;
    *ret_ms = 0;
    *ret_detail = "away";
    if (!quire_redis_ready(sessions->redis, deadline_ns))
        return false;
    sessions->serial = quire_redis_serial(sessions->redis);
    bool warm = quire_sessions_append_epoch(sessions) && quire_sessions_read_epoch(sessions, deadline_ns);
    if (quire_redis_serial(sessions->redis) == 0)
        return false;
    *ret_ms = (double)(quire_monotonic_ns() - begun_ns) / 1e6;
    *ret_detail = warm ? NULL : "sessions are being loaded";
    return warm;
}
