#include "runtime/subscription_internal.h"

#include "base/clock.h"
#include "base/sample.h"
#include "base/wire.h"
#include "runtime/background_internal.h"
#include "runtime/consumer.h"
#include "runtime/dead_letter.h"
#include "runtime/faults.h"
#include "runtime/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCH_MAX 64u   /* events whose offsets are stored together, after one flush */
#define WAIT_MS 100     /* for an event; also how soon a stop is noticed */
#define FAILURES_MAX 3u /* of one event, outages not counted */
#define RETRY_MS 200

struct quire_subscription {
    struct quire_subscription_options options;
    void *context; /* of the service */
    struct quire_sample sample;
    char group[256];
    struct quire_log *log;
    struct quire_publisher *publisher;
    struct quire_consumer *consumer;
    struct quire_background *background;
    struct quire_delivery deliveries[BATCH_MAX];
    struct quire_series *events, *seconds;
    struct quire_family *dead_letters;
};

struct event {
    const struct quire_delivery *delivery;
    uint64_t begun_ns, begun_ms;
    char request_id[129]; /* empty: the event tells none */
};

static void pause_for_retry(void) {
    (void)nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL); /* cut short: it is tried sooner */
}

static void read_request_id(struct event *event) {
    rd_kafka_headers_t *headers = NULL;
    const void *value;
    size_t size;

    event->request_id[0] = '\0';
    if (rd_kafka_message_headers(event->delivery->message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_header_get_last(headers, QUIRE_HEADER_REQUEST_ID, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR)
        (void)snprintf(event->request_id, sizeof(event->request_id), "%.*s", (int)size, (const char *)value);
}

static void log_event(const struct quire_subscription *subscription, const struct event *event,
                      enum quire_log_level level, const char *name, enum quire_reason reason) {
    const rd_kafka_message_t *message = event->delivery->message;
    rd_kafka_timestamp_type_t type;

    QUIRE_LOG(
        subscription->log, level, name, QUIRE_CTEXT("request_id", event->request_id),
        QUIRE_CTEXT("reason", quire_reason_name(reason)), QUIRE_INTEGER("attempt", event->delivery->attempt),
        QUIRE_NUMBER("topic_wait_ms", (double)((int64_t)event->begun_ms - rd_kafka_message_timestamp(message, &type))),
        QUIRE_NUMBER("total_ms", (double)(quire_monotonic_ns() - event->begun_ns) / 1e6),
        QUIRE_CTEXT("topic", subscription->options.topic), QUIRE_INTEGER("partition", message->partition),
        QUIRE_INTEGER("offset", message->offset));
}

/* Until it is done (NONE), can't be (a reason), or the process ends (*ret_stopped). */
static enum quire_reason try_event(struct quire_subscription *subscription, const ProtobufCMessage *message,
                                   bool *ret_stopped) {
    struct quire_background *background = subscription->background;
    unsigned failures = 0;

    while (!subscription->options.on_event(background, message, subscription->context)) {
        quire_arena_reset(quire_background_arena(background));
        if (!quire_background_away(background) && ++failures == FAILURES_MAX)
            return QUIRE_REASON_FAILED;
        if (quire_background_stopping(background)) {
            *ret_stopped = true;
            return QUIRE_REASON_NONE;
        }
        pause_for_retry();
    }
    return QUIRE_REASON_NONE;
}

/* False only when the process ends before Kafka has it: then the event comes again. */
static bool put_aside(struct quire_subscription *subscription, const struct event *event, enum quire_reason reason) {
    const char *const labels[] = {subscription->options.topic, quire_reason_name(reason)};

    while (!quire_dead_letter_send(subscription->publisher, event->delivery->message, subscription->options.topic,
                                   reason)) {
        if (quire_background_stopping(subscription->background))
            return false;
    }
    quire_series_add(quire_metrics_series(subscription->dead_letters, labels), 1);
    log_event(subscription, event, QUIRE_ERROR, "event.dead_letter", reason);
    return true;
}

/* False when the process ends before the event is done. */
static bool handle(struct quire_subscription *subscription, const struct quire_delivery *delivery) {
    struct event event = {
        .delivery = delivery, .begun_ns = quire_monotonic_ns(), .begun_ms = (uint64_t)quire_wall_ms()};
    enum quire_reason reason = QUIRE_REASON_CRASHED;
    bool stopped = false;

    read_request_id(&event);
    if (delivery->attempt > 1)
        quire_consumer_note_attempt(subscription->consumer, delivery);
    if (delivery->attempt <= QUIRE_ATTEMPTS_MAX) {
        ProtobufCMessage *message = protobuf_c_message_unpack(subscription->options.message, NULL,
                                                              delivery->message->len, delivery->message->payload);
        reason = message == NULL ? QUIRE_REASON_PAYLOAD : try_event(subscription, message, &stopped);
        if (message != NULL)
            protobuf_c_message_free_unpacked(message, NULL);
    }
    quire_arena_reset(quire_background_arena(subscription->background));
    if (stopped || (reason != QUIRE_REASON_NONE && !put_aside(subscription, &event, reason)))
        return false;
    quire_fault_strikes_event(event.request_id);
    quire_series_add(subscription->events, 1);
    quire_series_observe(subscription->seconds, (double)(quire_monotonic_ns() - event.begun_ns) / 1e9);
    if (reason == QUIRE_REASON_NONE && event.request_id[0] != '\0' &&
        quire_sample_takes(&subscription->sample, quire_slice_of(event.request_id), delivery->attempt > 1,
                           (quire_monotonic_ns() - event.begun_ns) / 1000))
        log_event(subscription, &event, QUIRE_INFO, "event.handled", reason);
    return true;
}

/* What was written must survive a crash before the broker is told that it was handled. A flush that fails may mean that
 * some of it has gone with its server, and says so once: then all is done again, as for events that come twice. */
static bool make_durable(struct quire_subscription *subscription, size_t handled) {
    while (!quire_background_flush(subscription->background)) {
        if (quire_background_stopping(subscription->background))
            return false;
        pause_for_retry();
        for (size_t i = 0; i < handled; i++) {
            if (!handle(subscription, &subscription->deliveries[i]))
                return false;
        }
    }
    return true;
}

static unsigned take_events(struct quire_background *background, void *context) {
    struct quire_subscription *subscription = context;
    size_t handled = 0;

    (void)background;
    const size_t count = quire_consumer_take(subscription->consumer, WAIT_MS, subscription->deliveries);
    while (handled < count && handle(subscription, &subscription->deliveries[handled]))
        handled++;
    if (handled > 0 && !make_durable(subscription, handled))
        handled = 0;
    quire_consumer_done(subscription->consumer, subscription->deliveries, handled, true);
    quire_consumer_done(subscription->consumer, subscription->deliveries + handled, count - handled, false);
    quire_consumer_tick(subscription->consumer, quire_monotonic_ns());
    return 0;
}

/* Life. */

static bool open_consumer(struct quire_subscription *subscription, const struct quire_service_options *service,
                          const struct quire_runtime_settings *settings, struct quire_metrics *metrics) {
    const struct quire_consumer_options options = {
        .kafka = &settings->kafka,
        .service = service->name,
        .group = subscription->group,
        .topic = subscription->options.topic,
        .batch_max = BATCH_MAX,
        .batch_bytes_max = (size_t)settings->batch_bytes_max,
        .heartbeat_ms = settings->heartbeat_ms,
        .fetch_wait_ms = settings->fetch_wait_ms,
        .log = subscription->log,
        .metrics = metrics,
    };
    (void)snprintf(subscription->group, sizeof(subscription->group), "quire.%s.%s", service->name, options.topic);
    subscription->consumer = quire_consumer_create(&options);
    return subscription->consumer != NULL;
}

static void init_metrics(struct quire_subscription *subscription, struct quire_metrics *metrics) {
    const char *topic = subscription->options.topic;
    subscription->events =
        quire_metrics_one(metrics, QUIRE_COUNTER, "quire_events_total", "Events handled or put aside.", "topic", topic);
    subscription->seconds = quire_metrics_one(metrics, QUIRE_HISTOGRAM, "quire_event_seconds",
                                              "From taking an event off its topic to its effect.", "topic", topic);
    subscription->dead_letters = quire_metrics_family(metrics, QUIRE_COUNTER, "quire_dead_letters_total",
                                                      "Messages put aside on the dead letter topic.", "topic,reason");
}

struct quire_subscription *quire_subscription_start(const struct quire_subscription_options *options,
                                                    const struct quire_service_options *service,
                                                    const struct quire_runtime_settings *settings,
                                                    struct quire_publisher *publisher, struct quire_log *log,
                                                    struct quire_metrics *metrics) {
    struct quire_subscription *subscription = calloc(1, sizeof(*subscription));

    if (subscription == NULL)
        return NULL;
    subscription->options = *options;
    subscription->context = service->context;
    subscription->sample = (struct quire_sample){.one_in = (uint64_t)settings->log_request_sample,
                                                 .slow_us = (uint64_t)settings->log_slow_ms * 1000};
    subscription->log = log;
    subscription->publisher = publisher;
    init_metrics(subscription, metrics);
    const struct quire_background_options work = {.name = options->topic, .run = take_events, .context = subscription};
    if (open_consumer(subscription, service, settings, metrics))
        subscription->background = quire_background_start(&work, service, settings, publisher, log, metrics);
    if (subscription->background != NULL)
        return subscription;
    QUIRE_LOG(log, QUIRE_ERROR, "subscription.start_failed", QUIRE_CTEXT("topic", options->topic));
    quire_subscription_destroy(subscription);
    return NULL;
}

void quire_subscription_stop(struct quire_subscription *subscription) {
    quire_background_stop(subscription->background);
}

bool quire_subscription_settled(const struct quire_subscription *subscription) {
    return quire_consumer_settled(subscription->consumer);
}

bool quire_subscription_failed(const struct quire_subscription *subscription) {
    return quire_consumer_failed(subscription->consumer);
}

void quire_subscription_destroy(struct quire_subscription *subscription) {
    if (subscription == NULL)
        return;
    quire_background_destroy(subscription->background); /* waits for the thread, which uses the consumer */
    if (subscription->consumer != NULL)
        quire_consumer_leave(subscription->consumer);
    quire_consumer_destroy(subscription->consumer);
    free(subscription);
}
