#include "gateway/traffic.h"

#include <stdio.h>
#include <stdlib.h>

#define STATUS_FIRST 100u
#define STATUSES 500u

/* The series of one route and method, by status; filled as statuses occur. */
struct traffic_pair {
    struct quire_series *total, *duration;
};

struct traffic {
    struct quire_metrics *metrics;
    const struct router *router;
    struct quire_family *requests, *durations, *timeouts;
    struct quire_series *connections, *late_replies, *inflight, *paced;
    struct quire_series *refusals[REFUSALS_COUNT];
    struct quire_series *enters, *submitted, *completed, *receives, *buffers_exhausted;
    struct ring_counts published;
    uint32_t published_inflight;
    struct traffic_pair **pairs; /* (routes + 1) * HTTP_METHODS; the last row is for no route */
};

struct traffic *traffic_create(struct quire_metrics *metrics, const struct router *router) {
    struct traffic *traffic = calloc(1, sizeof *traffic);
    if (traffic == NULL)
        return NULL;
    traffic->pairs = calloc((router_routes_count(router) + 1) * HTTP_METHODS, sizeof *traffic->pairs);
    if (traffic->pairs == NULL) {
        free(traffic);
        return NULL;
    }
    traffic->metrics = metrics;
    traffic->router = router;
    traffic->requests = quire_metrics_family(metrics, QUIRE_COUNTER, "http_requests_total", "Requests answered.",
                                             "route,method,status");
    traffic->durations =
        quire_metrics_family(metrics, QUIRE_HISTOGRAM, "http_request_duration_seconds",
                             "From a request's first byte to its answer being ready.", "route,method,status");
    traffic->timeouts =
        quire_metrics_family(metrics, QUIRE_COUNTER, "quire_gateway_timeouts_total",
                             "Connections ended by a time-out: idle, head, body, write, linger.", "kind");
    traffic->connections =
        quire_metrics_one(metrics, QUIRE_GAUGE, "active_connections", "Open client connections.", "", NULL);
    traffic->late_replies = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_gateway_late_replies_total",
                                              "Replies that met no waiting request.", "", NULL);
    traffic->inflight =
        quire_metrics_one(metrics, QUIRE_GAUGE, "quire_gateway_inflight", "Requests that wait for a reply.", "", NULL);
    traffic->paced = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_gateway_paced_total",
                                       "Requests of sessions over a rate limit that the gateway answered (429) in a "
                                       "service's place.",
                                       "", NULL);
    for (size_t i = 0; i < REFUSALS_COUNT; i++)
        traffic->refusals[i] = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_gateway_refused_total",
                                                 "Requests that met a bound of the gateway's, and a 503: lane, "
                                                 "inflight, bodies, producer, kafka, topic.",
                                                 "reason", refusal_rows[i].label);
    traffic->enters = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_gateway_ring_enters_total",
                                        "System calls io_uring_enter.", "", NULL);
    traffic->submitted = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_gateway_ring_submissions_total",
                                           "Operations submitted to io_uring.", "", NULL);
    traffic->completed = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_gateway_ring_completions_total",
                                           "Completions taken from io_uring.", "", NULL);
    traffic->receives = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_gateway_multishot_receives_total",
                                          "Completions of multishot receives.", "", NULL);
    traffic->buffers_exhausted =
        quire_metrics_one(metrics, QUIRE_COUNTER, "quire_gateway_receive_buffers_exhausted_total",
                          "Receives that found no buffer and were armed again.", "", NULL);
    return traffic;
}

void traffic_destroy(struct traffic *traffic) {
    if (traffic == NULL)
        return;
    for (size_t i = 0; i < (router_routes_count(traffic->router) + 1) * HTTP_METHODS; i++)
        free(traffic->pairs[i]);
    free(traffic->pairs);
    free(traffic);
}

static struct traffic_pair look_up(struct traffic *traffic, const char *route, enum http_method method,
                                   unsigned status) {
    char status_text[12];
    (void)snprintf(status_text, sizeof status_text, "%u", status);
    const char *values[] = {route, http_method_text(method), status_text};
    return (struct traffic_pair){quire_metrics_series(traffic->requests, values),
                                 quire_metrics_series(traffic->durations, values)};
}

void traffic_count_request(struct traffic *traffic, const struct route *route, enum http_method method, unsigned status,
                           double seconds) {
    size_t row = route == NULL ? router_routes_count(traffic->router) : route->index;
    const char *label = route == NULL ? "unmatched" : route->path;
    struct traffic_pair **slot = &traffic->pairs[row * HTTP_METHODS + method], pair;
    if (*slot == NULL)
        *slot = calloc(STATUSES, sizeof **slot);
    if (*slot == NULL || status < STATUS_FIRST || status >= STATUS_FIRST + STATUSES) {
        pair = look_up(traffic, label, method, status); /* slower, but counted */
    } else {
        if ((*slot)[status - STATUS_FIRST].total == NULL)
            (*slot)[status - STATUS_FIRST] = look_up(traffic, label, method, status);
        pair = (*slot)[status - STATUS_FIRST];
    }
    quire_series_add(pair.total, 1);
    quire_series_observe(pair.duration, seconds);
}

void traffic_count_connection(struct traffic *traffic, int change) {
    quire_series_add(traffic->connections, change);
}

void traffic_count_late_reply(struct traffic *traffic) {
    quire_series_add(traffic->late_replies, 1);
}

void traffic_count_refusal(struct traffic *traffic, enum refusal refusal) {
    quire_series_add(traffic->refusals[refusal], 1);
}

void traffic_count_paced(struct traffic *traffic) {
    quire_series_add(traffic->paced, 1);
}

void traffic_count_timeout(struct traffic *traffic, const char *kind) {
    quire_series_add(quire_metrics_series(traffic->timeouts, &kind), 1);
}

void traffic_publish(struct traffic *traffic, const struct ring_counts *counts, uint32_t inflight) {
    const struct ring_counts *before = &traffic->published;
    quire_series_add(traffic->enters, (double)(counts->enters - before->enters));
    quire_series_add(traffic->submitted, (double)(counts->submitted - before->submitted));
    quire_series_add(traffic->completed, (double)(counts->completed - before->completed));
    quire_series_add(traffic->receives, (double)(counts->receives - before->receives));
    quire_series_add(traffic->buffers_exhausted, (double)(counts->buffers_exhausted - before->buffers_exhausted));
    quire_series_add(traffic->inflight, (double)inflight - (double)traffic->published_inflight);
    traffic->published = *counts;
    traffic->published_inflight = inflight;
}
