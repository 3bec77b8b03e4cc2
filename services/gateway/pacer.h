/* Remembers for a moment whom a service refuses for asking too often, and answers in its place until it would let
 * one more in.
 *
 * A caller far beyond a limit costs everybody: each of its requests goes through Kafka, the service and Redis and back,
 * to hear 429. A service that refuses a session by a rate says that rate's period (quire.Problem, pace_us): at the
 * limit one request more is let in each period. The ring then lets that session's requests to that service through at
 * this pace, its first one at once; what pauses left unused is made up for, as the service has it (GCRA). So whoever
 * keeps asking still gets all that the limit gives, and the service alone says who is over it: a second after the last
 * refusal of its own the session goes as before. Requests let through that the service refuses all the same (others of
 * the account took their place) count here: with several rings an account may get less than its burst, never less than
 * its rate.
 *
 * Ring thread only. Times are the shard's now_ns: CLOCK_MONOTONIC, never going back. */
#ifndef QUIRE_GATEWAY_PACER_H
#define QUIRE_GATEWAY_PACER_H

#include "base/contract.h"

#define PACER_TEXT_MAX 95u /* characters of each of a refusal's texts */

struct pacer;

/* Who asks for what. A limit is a service's: another one may have others. */
struct pacer_caller {
    const struct quire_contract_service *service;
    const uint8_t *session; /* QUIRE_SESSION_BYTES */
};

/* What a service has said. */
struct pacer_refusal {
    uint64_t pace_ns; /* 0: none, and the refusal isn't remembered */
    unsigned retry_after_s;
    struct quire_slice rate_limit, rate_limit_policy;
};

/* callers_max: how many are remembered at least; where there is no room the one that is forgotten next makes it. 0: all
 * go. NULL without memory. */
QUIRE_MUSTCHECK struct pacer *pacer_create(uint32_t callers_max);
void pacer_destroy(struct pacer *pacer);

/* The service has refused the caller. A refusal with a text that has more than PACER_TEXT_MAX characters isn't
 * remembered. */
void pacer_learn(struct pacer *pacer, struct pacer_caller caller, const struct pacer_refusal *refusal, uint64_t now_ns);
/* The service knows the session no more: it is to say so itself. */
void pacer_forget(struct pacer *pacer, struct pacer_caller caller, uint64_t now_ns);
/* NULL: the caller may go now; else what to answer, valid until the next call of pacer_learn. */
const struct pacer_refusal *pacer_refuses(struct pacer *pacer, struct pacer_caller caller, uint64_t now_ns);
/* The caller's request has gone to the service. */
void pacer_pass(struct pacer *pacer, struct pacer_caller caller, uint64_t now_ns);

#endif
