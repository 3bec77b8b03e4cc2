/* A request and its session's pace (pacer.h): only a call that a session has to be known for is held to one. Ring
 * thread. */
#ifndef QUIRE_GATEWAY_EXCHANGE_PACE_H
#define QUIRE_GATEWAY_EXCHANGE_PACE_H

#include "gateway/exchange.h"

/* True when a service would only refuse it once more: ret_problem is what to answer, its texts are the exchange's. */
QUIRE_MUSTCHECK bool exchange_is_paced(struct exchange *exchange, struct problem *ret_problem);
/* It has been sent. */
void exchange_pace_passed(const struct exchange *exchange);
/* Its service's refusal. */
void exchange_pace_learn(const struct exchange *exchange, const struct problem *problem);

#endif
