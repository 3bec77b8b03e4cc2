/* One ring thread's things: its ring, its share of Kafka, its connections. Nothing here is touched by another thread.
 */
#ifndef QUIRE_GATEWAY_SHARD_H
#define QUIRE_GATEWAY_SHARD_H

#include "base/log_buffer.h"
#include "gateway/admission.h"
#include "gateway/aside.h"
#include "gateway/crowd.h"
#include "gateway/gateway.h"
#include "gateway/inflight.h"
#include "gateway/pacer.h"
#include "gateway/response.h"
#include "gateway/ring.h"
#include "gateway/timers.h"
#include "gateway/traffic.h"

struct connection;
struct exchange;
struct health;

/* The places for connections; a place's generation tells its tenants apart. */
struct shard_slots {
    struct connection **tenants; /* slots_max */
    uint32_t *generations;
    uint32_t *free; /* a stack of free slots; free_count of them */
    uint32_t slots_max, free_count;
};

struct shard {
    struct gateway *gateway;
    uint32_t index;
    int listener_fd;
    struct ring *ring;
    struct bus_port *port;
    struct quire_log_buffer *lines; /* of requests: on their way before the answers of the turn are */
    struct inflight *inflight;
    struct crowd crowd;
    struct admission *admission;
    struct pacer *pacer;
    struct traffic *traffic;
    struct health *health;
    struct aside *aside;
    struct shard_slots slots;
    struct timers idle, head, body, write, linger;
    struct connection *touched; /* connections to look at when the turn's completions have been handled */
    struct exchange *spare;     /* exchanges for reuse, spare_count of them */
    uint32_t spare_count;
    uint64_t now_ns;    /* CLOCK_MONOTONIC, read once a turn */
    uint64_t ticked_ns; /* of the last tick */
    uint64_t date_s;    /* the second that `date` says */
    char date[RESPONSE_DATE_CHARACTERS + 1];
    uint32_t refused_logged; /* lines of that second about refused requests */
    bool listening;          /* connections are no longer refused; never false again */
    bool accepting;          /* the multishot accept is armed */
    bool accept_failing;
    bool counted_ready;
    bool replies_wait; /* or may: the bus has been heard of, or was left with some */
};

#endif
