/* The session check of a batch: what each request asks of Redis, and what the answers mean. */
#include "runtime/sessions_internal.h"

#include "base/clock.h"
#include "base/id.h"
#include "runtime/keys.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* ---- What one check asks, in the order in which it asks it: its answers come in the same order. */

static bool wants_session(const struct quire_check *check) {
    return check->call->access == QUIRE_SESSION && check->session != NULL;
}

static bool wants_note(const struct quire_check *check) {
    return wants_session(check) && check->call->wants_session_note;
}

static bool append_session(struct quire_sessions *sessions, const struct quire_check *check) {
    struct quire_key key = quire_key_session(check->session);
    struct quire_slice name = quire_key_slice(&key);
    char deadline[NUMBER_CHARACTERS];
    snprintf(deadline, sizeof deadline, "%" PRIu64, check->deadline_ms);
    const struct quire_slice arguments[] = {check->request,
                                            quire_slice_of(deadline),
                                            quire_slice_of(sessions->limits.on ? "1" : "0"),
                                            quire_slice_of(sessions->account.period_us),
                                            quire_slice_of(sessions->account.burst),
                                            quire_slice_of(sessions->concurrent),
                                            QUIRE_SLICE_LITERAL("1")};
    return quire_sessions_append(sessions, "quire_check", &name, 1, arguments, wants_note(check) ? 7 : 6);
}

static bool append_rate(struct quire_sessions *sessions, const struct quire_key *key, const struct rate *rate) {
    struct quire_slice name = quire_key_slice(key);
    const struct quire_slice arguments[] = {quire_slice_of(rate->period_us), quire_slice_of(rate->burst)};
    return quire_sessions_append(sessions, "quire_limit", &name, 1, arguments, 2);
}

/* Log-ins have a rate of their own: each costs a password's work, and one address must not take all of that. */
static bool is_log_in(const struct quire_check *check) {
    return check->call->access == QUIRE_PUBLIC && check->call->throttle == QUIRE_THROTTLE_LOG_IN;
}

static const struct rate *address_rate(const struct quire_sessions *sessions, const struct quire_check *check) {
    return is_log_in(check) ? &sessions->log_ins : &sessions->address;
}

static bool append_address(struct quire_sessions *sessions, const struct quire_check *check) {
    struct quire_key key =
        quire_key_address(check->client, is_log_in(check) ? QUIRE_ADDRESS_LOG_INS : QUIRE_ADDRESS_REQUESTS);
    return append_rate(sessions, &key, address_rate(sessions, check));
}

/* The tag of the account whose password is tried: as told, or the session's. */
static const uint8_t *throttled_tag(const struct quire_check *check) {
    return check->account_tag != NULL ? check->account_tag : check->session;
}

static bool wants_throttle(const struct quire_check *check) {
    if (check->call->throttle == QUIRE_THROTTLE_LOG_IN)
        return throttled_tag(check) != NULL;
    return check->call->throttle == QUIRE_THROTTLE_REGISTRATION;
}

static bool append_throttle(struct quire_sessions *sessions, const struct quire_check *check) {
    if (check->call->throttle == QUIRE_THROTTLE_REGISTRATION) {
        struct quire_key key = quire_key_address(check->client, QUIRE_ADDRESS_REGISTRATIONS);
        return append_rate(sessions, &key, &sessions->registrations);
    }
    struct quire_key keys[QUIRE_LOG_IN_KEYS];
    quire_keys_log_in(check->client, throttled_tag(check), keys);
    const struct quire_slice names[QUIRE_LOG_IN_KEYS] = {quire_key_slice(&keys[0]), quire_key_slice(&keys[1])};
    const struct quire_slice arguments[] = {quire_slice_of(sessions->failures), quire_slice_of(sessions->window_s),
                                            quire_slice_of(sessions->failures_address)};
    return quire_sessions_append(sessions, "quire_log_in_attempt", names, QUIRE_LOG_IN_KEYS, arguments, 3);
}

/* ---- Answers. */

/* Adds `"name";r=..;t=..` and the policy to the check's fields; what has no room is left out. */
static void show_limit(struct quire_check *check, const char *name, const char *policy, long long remaining,
                       long long reset_s) {
    size_t limit_used = strlen(check->rate_limit), policy_used = strlen(check->rate_limit_policy);
    const char *comma = limit_used > 0 ? ", " : "";
    char limit[64];
    int size = snprintf(limit, sizeof limit, "\"%s\";r=%lld;t=%lld", name, remaining, reset_s);
    if (limit_used + (size_t)size + 3 > sizeof check->rate_limit ||
        policy_used + strlen(policy) + 3 > sizeof check->rate_limit_policy)
        return;
    snprintf(check->rate_limit + limit_used, sizeof check->rate_limit - limit_used, "%s%s", comma, limit);
    snprintf(check->rate_limit_policy + policy_used, sizeof check->rate_limit_policy - policy_used, "%s%s", comma,
             policy);
}

/* An array of `least` to `most` answers, or NULL: away. The caller frees it. */
static redisReply *take_array(struct quire_sessions *sessions, size_t least, size_t most, uint64_t deadline_ns) {
    redisReply *reply = quire_redis_reply(sessions->redis, deadline_ns);
    if (reply == NULL || (reply->type == REDIS_REPLY_ARRAY && reply->elements >= least && reply->elements <= most))
        return reply;
    if (quire_redis_unusable(reply))
        quire_redis_drop(sessions->redis, reply->str);
    freeReplyObject(reply);
    return NULL;
}

static void limit_check(struct quire_check *check, long long retry_s) {
    check->verdict = QUIRE_LIMITED;
    if (retry_s > (long long)check->retry_after_s)
        check->retry_after_s = (unsigned)retry_s;
}

/* A session may have none, and a library that is older than notes answers without its place. */
static void take_note(struct quire_check *check, const redisReply *reply) {
    if (reply->elements < 7 || reply->element[6]->type != REDIS_REPLY_STRING || reply->element[6]->len == 0)
        return;
    const struct quire_slice note = {(const uint8_t *)reply->element[6]->str, reply->element[6]->len};
    const char *copy = quire_arena_text(check->arena, note);
    if (copy != NULL)
        check->note = (struct quire_slice){(const uint8_t *)copy, note.size};
}

static void take_session(struct quire_sessions *sessions, struct quire_check *check, uint64_t deadline_ns) {
    redisReply *reply = take_array(sessions, 6, wants_note(check) ? 7 : 6, deadline_ns);
    check->verdict = QUIRE_SESSIONS_AWAY;
    if (reply == NULL)
        return;
    long long verdict = reply->element[0]->integer, remaining = reply->element[3]->integer;
    long long reset_s = reply->element[4]->integer, retry_s = reply->element[5]->integer;
    struct quire_slice account = {(const uint8_t *)reply->element[1]->str, reply->element[1]->len};
    struct quire_slice watermark = {(const uint8_t *)reply->element[2]->str, reply->element[2]->len};
    if (verdict == 0) {
        check->verdict = QUIRE_UNAUTHENTICATED;
    } else if (quire_uuid_parse(account, check->account)) {
        if (!quire_watermark_parse(watermark, &check->watermark))
            check->watermark.known = false; /* the primary is read */
        check->verdict = QUIRE_ADMITTED;
        check->holds_place = verdict == 1 && sessions->limits.on;
        if (verdict == 1)
            take_note(check, reply);
        else
            limit_check(check, retry_s);
        if (verdict == 2)
            check->pace_us = sessions->account.pace_us;
        char concurrent[64];
        snprintf(concurrent, sizeof concurrent, "\"concurrent\";q=%s;qu=\"concurrent-requests\"", sessions->concurrent);
        if (verdict == 3)
            show_limit(check, "concurrent", concurrent, 0, reset_s);
        else if (sessions->limits.on)
            show_limit(check, sessions->account.name, sessions->account.policy, remaining, reset_s);
    }
    freeReplyObject(reply);
}

/* What quire_limit and quire_log_in_attempt answer. A request that is refused already stays refused. */
static void apply_limit(struct quire_check *check, const char *name, const char *policy, const redisReply *reply) {
    if (reply->element[0]->integer == 0 && check->verdict != QUIRE_SESSIONS_AWAY)
        limit_check(check, reply->element[3]->integer);
    show_limit(check, name, policy, reply->element[1]->integer, reply->element[2]->integer);
}

static void take_limit(struct quire_sessions *sessions, struct quire_check *check, const char *name, const char *policy,
                       uint64_t deadline_ns) {
    redisReply *reply = take_array(sessions, 4, 4, deadline_ns);
    if (reply == NULL) {
        check->verdict = QUIRE_SESSIONS_AWAY;
        return;
    }
    apply_limit(check, name, policy, reply);
    freeReplyObject(reply);
}

static void take_address(struct quire_sessions *sessions, struct quire_check *check, uint64_t deadline_ns) {
    const struct rate *rate = address_rate(sessions, check);
    take_limit(sessions, check, rate->name, rate->policy, deadline_ns);
}

/* Which of the two limits is shown: the account's, unless the address' refuses. */
static void take_log_in(struct quire_sessions *sessions, struct quire_check *check, uint64_t deadline_ns) {
    redisReply *reply = take_array(sessions, 5, 5, deadline_ns);
    if (reply == NULL) {
        check->verdict = QUIRE_SESSIONS_AWAY;
        return;
    }
    const bool by_address = reply->element[4]->integer != 0;
    check->counts_as_failure = reply->element[0]->integer == 1;
    const char *name = by_address ? "log-in-address" : "log-in";
    char policy[80];
    snprintf(policy, sizeof policy, "\"%s\";q=%s;w=%s", name,
             by_address ? sessions->failures_address : sessions->failures, sessions->window_s);
    apply_limit(check, name, policy, reply);
    freeReplyObject(reply);
}

static void take_throttle(struct quire_sessions *sessions, struct quire_check *check, uint64_t deadline_ns) {
    if (check->call->throttle == QUIRE_THROTTLE_REGISTRATION)
        take_limit(sessions, check, sessions->registrations.name, sessions->registrations.policy, deadline_ns);
    else
        take_log_in(sessions, check, deadline_ns);
}

/* ---- The two pipelines of a batch. */

/* Sessions, and what is known to count against an address. Nothing is asked for a session while Redis is cold. */
static void first_pipeline(struct quire_sessions *sessions, struct quire_check *const *checks, size_t count,
                           uint64_t deadline_ns) {
    bool asked = false, sent = true, warm = sessions->warm;
    for (size_t i = 0; i < count && sent; i++) {
        if (wants_session(checks[i])) {
            sent = !warm || append_session(sessions, checks[i]);
            asked = asked || warm;
        } else if (sessions->limits.on) {
            sent = append_address(sessions, checks[i]);
            if (sent && checks[i]->call->access == QUIRE_PUBLIC && wants_throttle(checks[i]))
                sent = append_throttle(sessions, checks[i]);
        }
    }
    if (asked && sent)
        sent = quire_sessions_append_epoch(sessions);
    for (size_t i = 0; i < count; i++) {
        struct quire_check *check = checks[i];
        if (wants_session(check)) {
            check->verdict = QUIRE_SESSIONS_AWAY;
            if (warm)
                take_session(sessions, check, deadline_ns);
            continue;
        }
        check->verdict = check->call->access == QUIRE_PUBLIC ? QUIRE_ADMITTED : QUIRE_UNAUTHENTICATED;
        if (!sessions->limits.on)
            continue;
        take_address(sessions, check, deadline_ns);
        if (check->call->access == QUIRE_PUBLIC && wants_throttle(check))
            take_throttle(sessions, check, deadline_ns);
    }
    /* A server that was flushed, or is another than it was, in the midst of this knows no session: that is no 401. Nor
     * is what it did know to be believed. The question stands last because the pipeline is not atomic. */
    if (!asked || (sent && quire_sessions_read_epoch(sessions, deadline_ns)))
        return;
    for (size_t i = 0; i < count; i++) {
        if (wants_session(checks[i])) {
            checks[i]->verdict = QUIRE_SESSIONS_AWAY;
            checks[i]->note = (struct quire_slice){0};
            checks[i]->holds_place = false; /* it lapses by itself */
        }
    }
}

enum second_question { SECOND_NONE, SECOND_ADDRESS, SECOND_THROTTLE };

static enum second_question second_question(const struct quire_check *check) {
    if (!wants_session(check))
        return SECOND_NONE;
    if (check->verdict == QUIRE_UNAUTHENTICATED)
        return SECOND_ADDRESS;
    return check->verdict == QUIRE_ADMITTED && wants_throttle(check) ? SECOND_THROTTLE : SECOND_NONE;
}

/* What only the first answers tell: an unknown session counts against its address; a password is only tried in a
 * session that is valid. */
static void second_pipeline(struct quire_sessions *sessions, struct quire_check *const *checks, size_t count,
                            uint64_t deadline_ns) {
    bool sent = sessions->limits.on;
    for (size_t i = 0; i < count && sent; i++) {
        enum second_question question = second_question(checks[i]);
        if (question == SECOND_ADDRESS)
            sent = append_address(sessions, checks[i]);
        else if (question == SECOND_THROTTLE)
            sent = append_throttle(sessions, checks[i]);
    }
    for (size_t i = 0; i < count && sessions->limits.on; i++) {
        enum second_question question = second_question(checks[i]);
        if (question == SECOND_ADDRESS)
            take_address(sessions, checks[i], deadline_ns);
        else if (question == SECOND_THROTTLE)
            take_throttle(sessions, checks[i], deadline_ns);
    }
}

void quire_sessions_check(struct quire_sessions *sessions, struct quire_check *const *checks, size_t count,
                          uint64_t now_ms, uint64_t deadline_ns) {
    (void)now_ms; /* time is Redis' own */
    uint64_t begun_ns = quire_monotonic_ns();
    for (size_t i = 0; i < count; i++) {
        struct quire_check *check = checks[i];
        check->verdict = QUIRE_SESSIONS_AWAY;
        check->note = (struct quire_slice){0};
        check->watermark = (struct quire_watermark){0};
        check->retry_after_s = 0;
        check->pace_us = 0;
        check->rate_limit[0] = check->rate_limit_policy[0] = '\0';
        check->holds_place = false;
        memset(check->account, 0, sizeof check->account);
    }
    if (quire_sessions_ready(sessions, quire_sessions_bound(sessions, begun_ns, deadline_ns))) {
        uint64_t bound_ns = quire_sessions_bound(sessions, quire_monotonic_ns(), deadline_ns);
        first_pipeline(sessions, checks, count, bound_ns);
        second_pipeline(sessions, checks, count, bound_ns);
    }
    for (size_t i = 0; i < count; i++) {
        if (checks[i]->verdict == QUIRE_SESSIONS_AWAY && checks[i]->retry_after_s == 0)
            checks[i]->retry_after_s = 1;
        quire_series_add(sessions->verdicts[checks[i]->verdict], 1);
    }
    quire_series_observe(sessions->check_seconds, (double)(quire_monotonic_ns() - begun_ns) / 1e9);
}
