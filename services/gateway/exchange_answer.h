/* How an exchange is answered: the answer's head and content, the log line, the count. Part of exchange.c; for it and
 * its sisters only. */
#ifndef QUIRE_GATEWAY_EXCHANGE_ANSWER_H
#define QUIRE_GATEWAY_EXCHANGE_ANSWER_H

#include "gateway/exchange.h"
#include "gateway/refusal.h"

/* An answer but for what every answer has. Texts and slices live as long as the exchange. */
struct answer {
    unsigned status;
    const char *content_type;
    struct quire_slice content;
    const char *allow, *accept, *accept_encoding, *cache_control, *security_policy;
    struct quire_slice etag_name, etag, location;
    const struct problem *problem; /* NULL: none */
};

/* -> ANSWERED. Without memory for it the connection is closed instead. */
void exchange_answer(struct exchange *exchange, const struct answer *answer);
void exchange_answer_problem(struct exchange *exchange, const struct problem *problem);
void exchange_answer_status(struct exchange *exchange, unsigned status, const char *detail);
/* The 503 of a bound that was met. It is counted. */
struct problem exchange_refusal(struct exchange *exchange, enum refusal refusal);
void exchange_answer_refusal(struct exchange *exchange, enum refusal refusal);
/* What the gateway answers by itself: OPTIONS, /livez, /readyz, /openapi.json, /docs. */
void exchange_answer_own(struct exchange *exchange);

#endif
