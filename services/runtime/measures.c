#include "runtime/measures.h"

#include <stdio.h>
#include <stdlib.h>

bool quire_measures_init(struct quire_measures *measures, struct quire_metrics *metrics,
                         const struct quire_contract_service *service, const struct quire_lane *lane) {
    *measures = (struct quire_measures){
        .batch_size = quire_metrics_one(metrics, QUIRE_HISTOGRAM, "quire_batch_size",
                                        "Requests that a worker takes at once.", "lane", lane->name),
        .topic_wait = quire_metrics_one(metrics, QUIRE_HISTOGRAM, "quire_topic_wait_seconds",
                                        "How long a request lay in its topic, by the gateway's clock and ours.", "lane",
                                        lane->name),
        .expired = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_expired_total",
                                     "Requests dropped because their deadline had passed.", "topic", lane->topic),
        .folded = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_folded_total",
                                    "Reads answered by an equal one of the same batch.", "lane", lane->name),
        .retries = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_retries_total",
                                     "Statements tried again after a conflict or failure.", "lane", lane->name),
        .skew =
            quire_metrics_one(metrics, QUIRE_GAUGE, "quire_clock_skew_seconds",
                              "How far a sender's clock was ahead of ours, at least, in the last batch where one was.",
                              "lane", lane->name),
        .unclean =
            quire_metrics_one(metrics, QUIRE_COUNTER, "quire_suspects_total",
                              "Requests handled singly because they may have been in a crash.", "topic", lane->topic),
        .handler = calloc(service->calls_count, sizeof(struct quire_series *)),
        .replies = quire_metrics_family(metrics, QUIRE_COUNTER, "quire_replies_total", "Answers.", "method,status"),
        .replies_by = calloc(service->calls_count * (QUIRE_STATUS_MAX + 1), sizeof(struct quire_series *)),
        .service = service,
    };
    struct quire_family *dead_letters =
        quire_metrics_family(metrics, QUIRE_COUNTER, "quire_dead_letters_total",
                             "Messages put aside on the dead letter topic.", "topic,reason");
    for (unsigned reason = 0; reason < QUIRE_REASONS_COUNT; reason++) {
        const char *const values[] = {lane->topic, quire_reason_name((enum quire_reason)reason)};
        measures->dead_letters[reason] =
            reason == QUIRE_REASON_NONE ? NULL : quire_metrics_series(dead_letters, values);
    }
    if (measures->handler == NULL || measures->replies_by == NULL)
        return false;
    for (size_t i = 0; i < service->calls_count; i++)
        measures->handler[i] =
            quire_metrics_one(metrics, QUIRE_HISTOGRAM, "quire_handler_seconds",
                              "From taking a request off its topic to its answer.", "method", service->calls[i].method);
    return true;
}

void quire_measures_deinit(struct quire_measures *measures) {
    free(measures->handler);
    free(measures->replies_by);
}

void quire_measures_reply(struct quire_measures *measures, unsigned method_index, unsigned status, double seconds) {
    struct quire_series **series =
        &measures->replies_by[method_index * (QUIRE_STATUS_MAX + 1) + (status > QUIRE_STATUS_MAX ? 500 : status)];

    if (*series == NULL) {
        char text[12];
        (void)snprintf(text, sizeof(text), "%u", status);
        const char *const values[] = {measures->service->calls[method_index].method, text};
        *series = quire_metrics_series(measures->replies, values);
    }
    quire_series_add(*series, 1);
    quire_series_observe(measures->handler[method_index], seconds);
}
