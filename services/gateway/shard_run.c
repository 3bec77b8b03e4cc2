#define _GNU_SOURCE /* accept4 */
#include "gateway/shard_run.h"

#include "base/clock.h"
#include "base/sample.h"
#include "gateway/connection.h"
#include "gateway/exchange.h"
#include "gateway/health.h"
#include "gateway/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_NS 100000000u
#define REPLIES_A_TURN_MAX 64u
/* Large bodies and values that may be under way at once: the last of them waits a few hundred milliseconds. */
#define ASIDE_JOBS_MAX 16u
#define NS_PER_MS 1000000u

static const struct ring_key own_key = {0, 0}; /* of what a shard has one of */

static void init_timers(struct shard *shard) {
    const struct gateway_config *config = shard->gateway->config;
    timers_init(&shard->idle, (uint64_t)config->idle_ms * NS_PER_MS);
    timers_init(&shard->head, (uint64_t)config->head_ms * NS_PER_MS);
    timers_init(&shard->body, (uint64_t)config->body_ms * NS_PER_MS);
    timers_init(&shard->write, (uint64_t)config->write_ms * NS_PER_MS);
    timers_init(&shard->linger, (uint64_t)config->linger_ms * NS_PER_MS);
}

static bool create_parts(struct shard *shard) {
    const struct gateway_config *config = shard->gateway->config;
    shard->lines = quire_log_buffer_create(shard->gateway->log);
    shard->inflight = inflight_create((uint32_t)config->inflight_max);
    shard->admission = admission_create(shard->gateway->contract, (uint64_t)config->queue_ms * NS_PER_MS);
    shard->pacer = pacer_create((uint32_t)config->paced_max);
    shard->traffic = traffic_create(shard->gateway->metrics, shard->gateway->router);
    shard->health = health_create(shard);
    shard->aside = aside_create(ASIDE_JOBS_MAX, bus_port_event_fd(shard->port));
    return connections_init(shard, (uint32_t)config->connections_max) && shard->lines != NULL &&
           shard->inflight != NULL && shard->admission != NULL && shard->pacer != NULL && shard->traffic != NULL &&
           shard->health != NULL && shard->aside != NULL;
}

static void flush_lines(void *context) {
    const struct shard *shard = context;
    quire_log_buffer_flush(shard->lines);
}

bool shard_init(struct shard *shard) {
    const struct gateway_config *config = shard->gateway->config;
    const struct ring_options options = {
        .entries = (unsigned)config->ring_entries,
        .buffers = (unsigned)config->receive_buffers,
        .buffer_bytes = (unsigned)config->receive_buffer_bytes,
        .before_submit = flush_lines, /* who has an answer finds its line in the log */
        .context = shard,
    };
    shard->port = bus_port_of(shard->gateway->bus, shard->index);
    init_timers(shard);
    int error = ring_create(&options, &shard->ring);
    if (error != 0 || !create_parts(shard)) {
        QUIRE_LOG(shard->gateway->log, QUIRE_ERROR, "ring.failed", QUIRE_INTEGER("ring", shard->index),
                  QUIRE_CTEXT("reason", strerror(error == 0 ? ENOMEM : -error)));
        return false;
    }
    return true;
}

/* What the thread beside the ring is done with. */
static void take_back(struct shard *shard) {
    struct aside_job *job;
    while (shard->aside != NULL && (job = aside_take(shard->aside)) != NULL)
        job->done(job);
}

void shard_deinit(struct shard *shard) {
    if (shard->listener_fd >= 0)
        (void)close(shard->listener_fd); /* nothing to be done about an error */
    shard->listener_fd = -1;
    ring_destroy(shard->ring); /* first: operations point into connections */
    connections_deinit(shard);
    if (shard->aside != NULL)
        aside_stop(shard->aside);
    take_back(shard);
    aside_destroy(shard->aside);
    exchange_pool_clear(shard);
    health_destroy(shard->health);
    traffic_destroy(shard->traffic);
    pacer_destroy(shard->pacer);
    admission_destroy(shard->admission);
    inflight_destroy(shard->inflight);
    quire_log_buffer_destroy(shard->lines);
    if (shard->counted_ready)
        atomic_fetch_sub(&shard->gateway->rings_ready, 1);
}

/* True once connections are let in. A listen that fails (another process took the port alone) is tried again with the
 * next tick. */
static bool begin_listening(struct shard *shard) {
    const struct gateway_config *config = shard->gateway->config;
    if (!shard->listening && (!config->listen_when_ready || gateway_ready(shard->gateway)))
        shard->listening = listener_begin(shard->listener_fd, (int)config->backlog) == 0;
    return shard->listening;
}

static void arm_accept(struct shard *shard) {
    ring_add_accept(shard->ring, shard->listener_fd, own_key);
    shard->accepting = true;
}

/* Out of descriptors or memory: accepting begins again with the next tick, as at once would only fail again, and again.
 * Logged when it begins and when it ends. */
static void handle_accept(struct shard *shard, const struct ring_event *event) {
    bool failed = event->result < 0;
    shard->accepting = event->more;
    if (failed && !shard->accept_failing)
        QUIRE_LOG(shard->gateway->log, QUIRE_WARN, "accept.failed", QUIRE_CTEXT("reason", strerror(-event->result)),
                  QUIRE_CTEXT("instead", "again every 100 ms"));
    else if (!failed && shard->accept_failing)
        QUIRE_LOG(shard->gateway->log, QUIRE_INFO, "accept.resumed",
                  QUIRE_INTEGER("connections", connections_count(shard)));
    shard->accept_failing = failed;
    if (failed)
        return;
    if (!connection_open(shard, event->result))
        QUIRE_LOG(shard->gateway->log, QUIRE_DEBUG, "connection.refused",
                  QUIRE_INTEGER("connections", connections_count(shard)));
    if (!event->more)
        arm_accept(shard);
}

/* Its request was answered already: at the deadline, or by an earlier reply where a message was handled twice. */
static void drop_reply(struct shard *shard, const struct bus_reply *reply) {
    uint8_t correlation[QUIRE_CORRELATION_BYTES];
    char call[QUIRE_CALL_CHARACTERS + 1];
    traffic_count_late_reply(shard->traffic);
    bus_correlation(shard->port, reply->slot, reply->generation, correlation);
    quire_call_text((struct quire_slice){correlation, sizeof correlation}, call);
    QUIRE_LOG(shard->gateway->log, QUIRE_INFO, "reply.late", QUIRE_TEXT("request_id", bus_reply_request_id(reply)),
              QUIRE_CTEXT("call", call), QUIRE_INTEGER("status", reply->status));
}

static void give_reply(struct shard *shard, struct bus_reply *reply) {
    struct waiter *waiter = inflight_take(shard->inflight, (struct inflight_id){reply->slot, reply->generation});
    if (waiter == NULL)
        drop_reply(shard, reply);
    else if (waiter->kind == WAITER_HEALTH)
        health_receive(shard->health, waiter, reply->status, reply->value);
    else
        exchange_receive((struct exchange *)waiter, reply);
}

/* A crowd's replies come thousands at a time: who asks meanwhile would wait for all of them. */
static void poll_replies(struct shard *shard) {
    struct bus_reply reply;
    for (unsigned i = 0; i < REPLIES_A_TURN_MAX; i++) {
        shard->replies_wait = bus_poll(shard->port, &reply);
        if (!shard->replies_wait)
            return;
        give_reply(shard, &reply);
        bus_reply_release(&reply);
    }
}

static void expire_requests(struct shard *shard) {
    struct waiter *waiter;
    while ((waiter = inflight_expire(shard->inflight, shard->now_ns)) != NULL) {
        if (waiter->kind == WAITER_HEALTH)
            health_expire(shard->health, waiter);
        else
            exchange_expire((struct exchange *)waiter);
    }
}

static void handle(void *context, const struct ring_event *event) {
    struct shard *shard = context;
    shard->now_ns = quire_monotonic_ns();
    switch (event->op) {
    case RING_ACCEPT:
        handle_accept(shard, event);
        break;
    case RING_RECEIVE:
    case RING_SEND:
        connection_handle(shard, event);
        break;
    case RING_READ:
        shard->replies_wait = true;
        take_back(shard);
        ring_add_read(shard->ring, bus_port_event_fd(shard->port), own_key);
        break;
    case RING_CANCEL:
    case RING_CLOSE:
        break;
    }
}

static void keep_date(struct shard *shard) {
    uint64_t second = quire_wall_ms() / 1000;
    if (second == shard->date_s)
        return;
    shard->date_s = second;
    shard->refused_logged = 0;
    response_date(second, shard->date);
}

static void keep_ready(struct shard *shard) {
    bool ready = bus_port_ready(shard->port);
    if (ready == shard->counted_ready)
        return;
    shard->counted_ready = ready;
    if (ready)
        atomic_fetch_add(&shard->gateway->rings_ready, 1);
    else
        atomic_fetch_sub(&shard->gateway->rings_ready, 1);
}

/* One line when a lane begins to refuse, one when it has ended: the refusals between are counted. */
static void tell_admission(struct shard *shard) {
    struct admission_news news;
    while (admission_next_news(shard->admission, shard->now_ns, &news)) {
        if (news.ended)
            QUIRE_LOG(shard->gateway->log, QUIRE_INFO, "lane.has_room", QUIRE_CTEXT("topic", news.topic),
                      QUIRE_INTEGER("ring", shard->index), QUIRE_INTEGER("refused", news.refused),
                      QUIRE_INTEGER("seconds", news.seconds));
        else
            QUIRE_LOG(shard->gateway->log, QUIRE_WARN, "lane.full", QUIRE_CTEXT("topic", news.topic),
                      QUIRE_INTEGER("ring", shard->index), QUIRE_CTEXT("instead", "503 for what would wait too long"));
    }
}

static void tick(struct shard *shard) {
    shard->ticked_ns = shard->now_ns;
    bus_port_tick(shard->port, shard->now_ns);
    poll_replies(shard); /* belt and braces, should a wake-up have been missed */
    take_back(shard);
    connections_expire(shard);
    if (!shard->accepting && begin_listening(shard))
        arm_accept(shard);
    if (gateway_phase(shard->gateway) >= GATEWAY_CLOSING)
        connections_close(shard);
    tell_admission(shard);
    if (crowd_has_gone(&shard->crowd, inflight_count(shard->inflight), shard->now_ns))
        (void)malloc_trim(0);
    traffic_publish(shard->traffic, ring_counts_of(shard->ring), inflight_count(shard->inflight));
}

static uint64_t wait_ns(const struct shard *shard) {
    if (shard->replies_wait) /* nothing wakes us for those that were left */
        return 0;
    uint64_t due_ns = shard->ticked_ns + TICK_NS, next_ns = inflight_next_ns(shard->inflight);
    if (next_ns < due_ns)
        due_ns = next_ns;
    return due_ns > shard->now_ns ? due_ns - shard->now_ns : 0;
}

/* Nobody is owed anything; who waits in the accept queue is let in first, or closing the listener would reset them. */
static bool has_finished(struct shard *shard) {
    enum gateway_phase phase = gateway_phase(shard->gateway);
    if (phase < GATEWAY_CLOSING || (phase == GATEWAY_CLOSING && connections_count(shard) > 0))
        return false;
    if (phase == GATEWAY_ENDING)
        return true;
    int flags = fcntl(shard->listener_fd, F_GETFL);
    if (flags < 0 || fcntl(shard->listener_fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return true;
    int fd = accept4(shard->listener_fd, NULL, NULL, SOCK_CLOEXEC);
    return fd < 0 || !connection_open(shard, fd);
}

void shard_begin(struct shard *shard) {
    ring_add_read(shard->ring, bus_port_event_fd(shard->port), own_key);
    shard->now_ns = quire_monotonic_ns();
    keep_date(shard);
    tick(shard);
}

bool shard_turn(struct shard *shard) {
    if (has_finished(shard))
        return false;
    ring_wait(shard->ring, wait_ns(shard), handle, shard);
    shard->now_ns = quire_monotonic_ns();
    keep_date(shard);
    keep_ready(shard);
    if (shard->replies_wait)
        poll_replies(shard);
    expire_requests(shard);
    if (shard->now_ns - shard->ticked_ns >= TICK_NS)
        tick(shard);
    connections_settle(shard);
    return true;
}
