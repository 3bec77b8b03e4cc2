/* A subscription as the main thread sees it. */
#ifndef QUIRE_RUNTIME_SUBSCRIPTION_INTERNAL_H
#define QUIRE_RUNTIME_SUBSCRIPTION_INTERNAL_H

#include "runtime/publisher.h"
#include "runtime/settings.h"
#include "runtime/subscription.h"

struct quire_subscription;

/* Starts the thread. The publisher is shared and outlives it. NULL after logging why. */
QUIRE_MUSTCHECK struct quire_subscription *
quire_subscription_start(const struct quire_subscription_options *options, const struct quire_service_options *service,
                         const struct quire_runtime_settings *settings, struct quire_publisher *publisher,
                         struct quire_log *log, struct quire_metrics *metrics);
/* Asks it to end after the event in hand. */
void quire_subscription_stop(struct quire_subscription *subscription);
/* As quire_worker_settled and quire_worker_failed. Any thread. */
bool quire_subscription_settled(const struct quire_subscription *subscription);
bool quire_subscription_failed(const struct quire_subscription *subscription);
/* Waits for the thread, then commits and leaves the group. Takes NULL. */
void quire_subscription_destroy(struct quire_subscription *subscription);

#endif
