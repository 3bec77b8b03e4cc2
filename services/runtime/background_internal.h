/* Background work as the main thread sees it. */
#ifndef QUIRE_RUNTIME_BACKGROUND_INTERNAL_H
#define QUIRE_RUNTIME_BACKGROUND_INTERNAL_H

#include "runtime/background.h"
#include "runtime/publisher.h"
#include "runtime/settings.h"

/* Starts the thread. The publisher is shared and outlives it. NULL after logging why. */
QUIRE_MUSTCHECK struct quire_background *quire_background_start(const struct quire_background_options *options,
                                                                const struct quire_service_options *service,
                                                                const struct quire_runtime_settings *settings,
                                                                struct quire_publisher *publisher,
                                                                struct quire_log *log, struct quire_metrics *metrics);
/* Connections commit asynchronously: makes what SQL has written so far durable. False: not yet. Background thread. */
QUIRE_MUSTCHECK bool quire_background_flush(struct quire_background *background);
/* The last statement failed because the primary couldn't be reached or didn't answer in time. Background thread. */
bool quire_background_away(const struct quire_background *background);
void quire_background_stop(struct quire_background *background);
/* Waits for the thread. Takes NULL. */
void quire_background_destroy(struct quire_background *background);

#endif
