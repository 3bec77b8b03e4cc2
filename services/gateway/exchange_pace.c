#include "gateway/exchange_pace.h"

#define NS_A_US 1000u

static bool can_be_paced(const struct exchange *exchange) {
    return exchange->has_session && exchange->match.route->call->access == QUIRE_SESSION;
}

static struct pacer_caller caller_of(const struct exchange *exchange) {
    return (struct pacer_caller){exchange->match.route->service, exchange->session};
}

/* Without memory a text is left out. */
static struct quire_slice copy(struct exchange *exchange, struct quire_slice text) {
    return quire_slice_of(quire_arena_text(&exchange->arena, text));
}

/* The texts are copied: the answer may leave later than the next refusal is learned. */
bool exchange_is_paced(struct exchange *exchange, struct problem *ret_problem) {
    struct shard *shard = exchange->shard;
    if (!can_be_paced(exchange))
        return false;
    const struct pacer_refusal *refusal = pacer_refuses(shard->pacer, caller_of(exchange), shard->now_ns);
    if (refusal == NULL)
        return false;
    *ret_problem = (struct problem){
        .status = 429,
        .retry_after_s = refusal->retry_after_s,
        .rate_limit = copy(exchange, refusal->rate_limit),
        .rate_limit_policy = copy(exchange, refusal->rate_limit_policy),
    };
    exchange->refused = true;
    traffic_count_paced(shard->traffic);
    return true;
}

void exchange_pace_passed(const struct exchange *exchange) {
    if (can_be_paced(exchange))
        pacer_pass(exchange->shard->pacer, caller_of(exchange), exchange->shard->now_ns);
}

void exchange_pace_learn(const struct exchange *exchange, const struct problem *problem) {
    const struct shard *shard = exchange->shard;
    if (!can_be_paced(exchange))
        return;
    const struct pacer_refusal refusal = {
        .pace_ns = (uint64_t)problem->pace_us * NS_A_US,
        .retry_after_s = problem->retry_after_s,
        .rate_limit = problem->rate_limit,
        .rate_limit_policy = problem->rate_limit_policy,
    };
    if (problem->status == 429)
        pacer_learn(shard->pacer, caller_of(exchange), &refusal, shard->now_ns);
    else if (problem->status == 401)
        pacer_forget(shard->pacer, caller_of(exchange), shard->now_ns);
}
