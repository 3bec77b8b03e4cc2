/* GET /health: asks every service over its first lane how it is, and says what came back.
 *
 * One question a ring at a time, however many ask; its answer serves whoever asks within HEALTH_FRESH_NS after it.
 * Never takes longer than HEALTH_WAIT_NS: who hasn't answered by then is unhealthy. Ring thread only. */
#ifndef QUIRE_GATEWAY_HEALTH_H
#define QUIRE_GATEWAY_HEALTH_H

#include "gateway/exchange.h"

#define HEALTH_FRESH_NS 500000000u
#define HEALTH_WAIT_NS 800000000u

struct health;

/* NULL without memory. */
QUIRE_MUSTCHECK struct health *health_create(struct shard *shard);
void health_destroy(struct health *health);

/* A WAITING exchange is answered by exchange_receive_health, at once or when the question is. */
void health_ask(struct health *health, struct exchange *exchange);
/* The exchange doesn't wait any more. */
void health_forget(struct health *health, struct exchange *exchange);
/* A reply to, or the deadline of, what `waiter` (WAITER_HEALTH) waited for. */
void health_receive(struct health *health, struct waiter *waiter, unsigned status, struct quire_slice value);
void health_expire(struct health *health, struct waiter *waiter);

#endif
