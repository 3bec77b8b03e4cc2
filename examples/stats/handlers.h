/* What the stats service does: answers GET /documents/{id}/stats from its own table, and keeps that table by the
 * documents' events. */
#ifndef STATS_HANDLERS_H
#define STATS_HANDLERS_H

#include "runtime/request.h"
#include "runtime/subscription.h"

#include <stats.pb-c.h>

/* Worker thread only (runtime/request.h). */
void stats_get(Stats__Stats_Service *service, const Stats__GetRequest *input, Stats__DocumentStats_Closure closure,
               void *closure_data);

/* The subscription's thread (runtime/subscription.h); `event` is a quire.DocumentEvent. */
bool stats_on_document_event(struct quire_background *background, const ProtobufCMessage *event, void *context);

extern const struct quire_statement stats_get_statement, stats_text_statement, stats_keep_statement,
    stats_forget_statement;

#endif
