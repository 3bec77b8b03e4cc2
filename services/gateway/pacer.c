#include "gateway/pacer.h"

#include "base/token.h"

#include <stdlib.h>

/* A refusal holds for so long: a limit that was raised is felt after it, and a caller's drift from what the service
 * counts ends with it. The few requests that then go before the service has refused one again cost nothing. */
#define LEASE_NS 1000000000u
#define WAYS 4u /* places that a caller may have */

/* Lives while now_ns < end_ns. next_ns <= end_ns + pace_ns, and at most pace_ns ahead of any now_ns. */
struct paced {
    uint8_t session[QUIRE_SESSION_BYTES];
    const struct quire_contract_service *service;
    uint64_t next_ns; /* when the next request may go; what lies behind now_ns is owed */
    uint64_t end_ns;
    struct pacer_refusal refusal; /* its slices are the texts below */
    uint8_t rate_limit[PACER_TEXT_MAX], rate_limit_policy[PACER_TEXT_MAX];
};

struct pacer {
    struct paced *paced; /* sets of WAYS; a caller's is chosen by its session, a hash already */
    size_t sets;
    uint64_t end_ns; /* of all: nearly always nobody is paced, and nothing has to be looked up */
};

struct pacer *pacer_create(uint32_t callers_max) {
    struct pacer *pacer = calloc(1, sizeof *pacer);
    if (pacer == NULL || callers_max == 0)
        return pacer;
    pacer->sets = (callers_max + WAYS - 1) / WAYS;
    pacer->paced = calloc(pacer->sets * WAYS, sizeof *pacer->paced);
    if (pacer->paced != NULL)
        return pacer;
    free(pacer);
    return NULL;
}

void pacer_destroy(struct pacer *pacer) {
    if (pacer == NULL)
        return;
    free(pacer->paced);
    free(pacer);
}

static struct paced *set_of(const struct pacer *pacer, const uint8_t *session) {
    uint64_t hash;
    memcpy(&hash, session + QUIRE_SESSION_BYTES - sizeof hash, sizeof hash);
    return &pacer->paced[hash % pacer->sets * WAYS];
}

static struct paced *find(const struct pacer *pacer, struct pacer_caller caller, uint64_t now_ns) {
    if (now_ns >= pacer->end_ns)
        return NULL;
    struct paced *set = set_of(pacer, caller.session);
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].end_ns > now_ns && set[i].service == caller.service &&
            memcmp(set[i].session, caller.session, QUIRE_SESSION_BYTES) == 0)
            return &set[i];
    return NULL;
}

static struct paced *make_room(const struct pacer *pacer, struct pacer_caller caller, uint64_t now_ns) {
    struct paced *set = set_of(pacer, caller.session), *place = set;
    for (size_t i = 1; i < WAYS; i++)
        if (set[i].end_ns < place->end_ns)
            place = &set[i];
    *place = (struct paced){.service = caller.service, .next_ns = now_ns};
    memcpy(place->session, caller.session, QUIRE_SESSION_BYTES);
    return place;
}

static struct quire_slice keep(uint8_t *room, struct quire_slice text) {
    if (text.size > 0)
        memcpy(room, text.bytes, text.size);
    return (struct quire_slice){room, text.size};
}

void pacer_learn(struct pacer *pacer, struct pacer_caller caller, const struct pacer_refusal *refusal,
                 uint64_t now_ns) {
    if (pacer->sets == 0 || refusal->pace_ns == 0 || refusal->rate_limit.size > PACER_TEXT_MAX ||
        refusal->rate_limit_policy.size > PACER_TEXT_MAX)
        return;
    struct paced *paced = find(pacer, caller, now_ns);
    if (paced == NULL)
        paced = make_room(pacer, caller, now_ns);
    paced->end_ns = pacer->end_ns = now_ns + LEASE_NS;
    paced->refusal = *refusal;
    paced->refusal.rate_limit = keep(paced->rate_limit, refusal->rate_limit);
    paced->refusal.rate_limit_policy = keep(paced->rate_limit_policy, refusal->rate_limit_policy);
}

void pacer_forget(struct pacer *pacer, struct pacer_caller caller, uint64_t now_ns) {
    struct paced *paced = find(pacer, caller, now_ns);
    if (paced != NULL)
        paced->end_ns = 0;
}

const struct pacer_refusal *pacer_refuses(struct pacer *pacer, struct pacer_caller caller, uint64_t now_ns) {
    const struct paced *paced = find(pacer, caller, now_ns);
    return paced != NULL && now_ns < paced->next_ns ? &paced->refusal : NULL;
}

void pacer_pass(struct pacer *pacer, struct pacer_caller caller, uint64_t now_ns) {
    struct paced *paced = find(pacer, caller, now_ns);
    if (paced != NULL && now_ns >= paced->next_ns) /* several may have been let through before the first of them went */
        paced->next_ns += paced->refusal.pace_ns;
}
