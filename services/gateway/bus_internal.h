/* What the files of the bus share: bus.c (life, thread), bus_client.c (librdkafka's settings and callbacks),
 * bus_topics.c (partition counts, where replies start), bus_send.c, bus_receive.c, bus_probe.c. Nobody else includes
 * it. */
#ifndef QUIRE_GATEWAY_BUS_INTERNAL_H
#define QUIRE_GATEWAY_BUS_INTERNAL_H

#include "gateway/bus.h"
#include "gateway/spread.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

/* In a probe, beside the correlation id: 0..7 when it was sent, CLOCK_MONOTONIC ns | 8..11 losses known then
 * (big-endian). */
#define BUS_HEADER_PROBE "quire-probe"
#define BUS_PROBE_BYTES 12u

enum bus_road_index { BUS_SMALL, BUS_BULK, BUS_ROADS };
/* A message on its own leaves at once; one among others waits a moment for them (gathering.h). librdkafka's linger.ms
 * can't be changed while a producer runs, so there is one for each. */
enum bus_outlet_index { BUS_AT_ONCE, BUS_GATHERING, BUS_CROWDED, BUS_OUTLETS };

struct bus_outlet {
    rd_kafka_t *producer;           /* NULL: the road has no such outlet */
    rd_kafka_topic_t **lane_topics; /* lanes_count of them */
};

/* One pair of Kafka clients. Everything but the metrics is set before the thread starts, and constant. */
struct bus_road {
    struct bus *bus;
    const char *name; /* "small", "bulk": label of metrics and logs */
    const char *reply_topic;
    struct bus_outlet
        outlets[BUS_OUTLETS];       /* BUS_AT_ONCE on each road, the others on the small one unless they are off */
    uint64_t waits_ns[BUS_OUTLETS]; /* of each outlet; UINT64_MAX: there is none */
    rd_kafka_t *consumer;
    rd_kafka_topic_t *probe_topic;  /* reply_topic of BUS_AT_ONCE */
    rd_kafka_topic_t *listen_topic; /* the consumer's reply_topic */
    bool listening;                 /* bus thread: every ring's partition is being fetched */
    bool missed;                    /* bus thread: that a reply partition isn't there has been logged */
    struct quire_series *produced, *gathered, *refused, *undelivered, *replies, *queued;
};

/* A probe's coming and going on one road. Ring thread. */
struct bus_probe {
    uint64_t sent_ns;     /* 0: none yet */
    uint64_t returned_ns; /* 0: none yet */
    uint32_t returned_losses;
};

struct bus_port {
    struct bus *bus;
    uint32_t ring;
    int32_t partition; /* of both reply topics */
    int event_fd;
    rd_kafka_queue_t *queues[BUS_ROADS];
    /* Ring thread from here on. */
    struct spread *spreads; /* one a lane */
    struct bus_probe probes[BUS_ROADS];
    bool ready; /* and bus->losses as it was then */
};

struct bus {
    struct bus_options options;
    struct bus_road roads[BUS_ROADS];
    struct bus_port *ports; /* options.rings of them */
    size_t lanes_count;     /* of all services */
    size_t *service_lanes;  /* services[i]'s lane 0 in the arrays a lane */
    const char **lane_topic_names;
    _Atomic uint32_t *lane_partitions; /* 0: not known. Written by the bus thread, read by rings */
    pthread_t thread;
    bool thread_started;
    atomic_bool stopping;
    atomic_bool listening;   /* all roads: probes may be sent */
    _Atomic uint32_t losses; /* how often all brokers were lost; a probe from before a loss makes no port ready */
    _Atomic uint32_t ready_ports;
    _Atomic int64_t probe_ns;                          /* of the last probe that came back */
    _Atomic uint64_t log_next_ms, log_dropped;         /* librdkafka's own lines: one a second */
    uint64_t undelivered_log_ms, undelivered_unlogged; /* bus thread (delivery reports) */
    uint64_t lost_ns; /* bus thread: the last loss of an outage that has been logged, its end not yet; else 0 */
    struct quire_series *foreign, *probe_seconds, *losses_total;
};

/* bus_client.c */
QUIRE_MUSTCHECK bool bus_road_open(struct bus *bus, enum bus_road_index index);
void bus_road_close(struct bus_road *road);
/* For what only a fresh process mends: rings hold the clients, so they can't be replaced under them. SIGTERM is how a
 * process is asked to go in good order. */
void bus_ask_for_restart(struct bus *bus, const char *road, const char *reason);

/* bus_topics.c; bus thread. Each waits at most about a second a question. */
void bus_refresh_lanes(struct bus *bus);
bool bus_brokers_answer(const struct bus *bus);
uint64_t bus_ns(unsigned ms);
bool bus_lanes_known(const struct bus *bus);
/* True once every ring's partition is being fetched from where its end was before. */
bool bus_road_listen(struct bus_road *road);
void bus_road_unlisten(struct bus_road *road);

/* bus_probe.c: a probe of this ring's has come back. */
void bus_probe_returned(struct bus_port *port, enum bus_road_index index, struct quire_slice header);

#endif
