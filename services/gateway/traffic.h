/* What one ring counts, kept as pointers to series so that counting costs an addition. The ring's thread; several rings
 * share a family. */
#ifndef QUIRE_GATEWAY_TRAFFIC_H
#define QUIRE_GATEWAY_TRAFFIC_H

#include "base/metrics.h"
#include "gateway/refusal.h"
#include "gateway/ring.h"
#include "gateway/route.h"

struct traffic;

QUIRE_MUSTCHECK struct traffic *traffic_create(struct quire_metrics *metrics, const struct router *router);
void traffic_destroy(struct traffic *traffic);

/* A request has its answer. `route` NULL: none was found. */
void traffic_count_request(struct traffic *traffic, const struct route *route, enum http_method method, unsigned status,
                           double seconds);
void traffic_count_connection(struct traffic *traffic, int change);
void traffic_count_late_reply(struct traffic *traffic);
void traffic_count_refusal(struct traffic *traffic, enum refusal refusal);
void traffic_count_paced(struct traffic *traffic);
/* `kind`: "idle", "head", "body", "write", "linger". */
void traffic_count_timeout(struct traffic *traffic, const char *kind);
/* Publishes what the ring did since the last call, and how many requests wait. */
void traffic_publish(struct traffic *traffic, const struct ring_counts *counts, uint32_t inflight);

#endif
