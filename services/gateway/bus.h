/* The gateway's side of Kafka: two roads a process, small and bulk, each with producers and a reply consumer of its own
 * (so that 15 MiB stands before nobody); a partition of each reply topic and one eventfd a ring.
 *
 * bus_create/destroy: main thread. A bus_port belongs to one ring; its functions are called on that ring's thread only.
 * Knows no HTTP and no io_uring: a port gives a file descriptor that becomes readable, and takes plain calls. */
#ifndef QUIRE_GATEWAY_BUS_H
#define QUIRE_GATEWAY_BUS_H

#include "base/contract.h"
#include "base/kafka_access.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/wire.h"

struct bus;
struct bus_port;

struct bus_options {
    const struct quire_kafka_access *kafka;
    const char *reply_topic, *bulk_reply_topic;
    uint32_t reply_partitions; /* of each */
    uint32_t rings;
    const uint8_t *instance;                    /* QUIRE_INSTANCE_BYTES */
    size_t queue_messages_max, queue_bytes_max; /* of each producer: beyond, BUS_FULL */
    size_t message_bytes_max;                   /* of a value: beyond, BUS_TOO_LARGE */
    const struct quire_contract *contract;      /* whose topics' partition counts are kept up to date */
    struct quire_log *log;
    struct quire_metrics *metrics;
    unsigned gather_us, crowd_us; /* how long a small message may wait for others (gathering.h); 0: never */
    /* 0 in any of these: the default in brackets. */
    unsigned
        message_timeout_ms; /* [30000] the longest deadline a caller may set: what waited longer is of use to nobody */
    unsigned probe_interval_ms; /* [1000] */
    unsigned probe_lost_ms;     /* [3000] without a probe for this long a port isn't ready */
    unsigned stuck_ms;          /* [15000] brokers answer and no port is ready for this long: the process is ended */
};

/* Starts a thread; never waits for Kafka (brokers and topics may come later: ports aren't ready until then). `options`'
 * texts, contract, instance, log and metrics outlive the bus. When a client has failed for good, or brokers answer and
 * yet no probe comes back for stuck_ms (reply topics made anew), the bus sends its own process SIGTERM, to be started
 * again. NULL after logging why: a setting that librdkafka refuses, no memory, more rings than reply partitions. */
QUIRE_MUSTCHECK struct bus *bus_create(const struct bus_options *options);
/* After every ring has stopped. Flushes for at most flush_ms. */
void bus_destroy(struct bus *bus, unsigned flush_ms);

struct bus_port *bus_port_of(struct bus *bus, uint32_t ring);
/* An eventfd, blocking (a ring's read waits for it). Becomes readable when replies wait: read 8 bytes from it first,
 * then bus_poll until false: librdkafka writes only when a queue was empty, so what is left unpolled wakes nobody. */
int bus_port_event_fd(const struct bus_port *port);
/* True once this ring's own probe has come back through each of its partitions, until a broker is lost or probes stop
 * coming back. */
bool bus_port_ready(const struct bus_port *port);
/* Call at least every 100 ms: sends probes, notices lost ones, keeps partition counts. */
void bus_port_tick(struct bus_port *port, uint64_t now_ns);

struct bus_request {
    const struct quire_contract_service *service;
    uint32_t lane;
    uint32_t waiting;   /* requests of this ring whose replies are awaited */
    uint64_t reply_ns;  /* how long the lane's replies take of late; 0: nobody knows */
    const char *method; /* quire-method */
    struct inflight_id_wire {
        uint32_t slot, generation;
    } id;
    uint64_t now_ns;                                                                           /* CLOCK_MONOTONIC */
    uint64_t deadline_ms;                                                                      /* wall clock */
    struct quire_slice request_id, traceparent, client, idempotency_key, fingerprint, session; /* empty: no header */
    struct quire_slice value;
    bool value_given; /* from malloc(), and taken over by BUS_SENT; else the value is copied */
};

enum bus_result { BUS_SENT, BUS_FULL, BUS_TOO_LARGE, BUS_AWAY };
/* Requests are spread over the lane's partitions (spread.h); those with a value above QUIRE_BULK_BYTES go by the bulk
 * road. BUS_FULL: the queue is full. BUS_AWAY: the lane's topic isn't known (yet), or the producer has failed for good
 * (it then asks the process to end by SIGTERM). BUS_SENT is no promise of delivery: what isn't delivered before its
 * time is counted and logged, and meets its deadline. */
QUIRE_MUSTCHECK enum bus_result bus_send(struct bus_port *port, const struct bus_request *request);
/* What correlation id bus_send will put on a message with this slot and generation (sealing needs it beforehand). */
void bus_correlation(const struct bus_port *port, uint32_t slot, uint32_t generation,
                     uint8_t ret_bytes[QUIRE_CORRELATION_BYTES]);

struct bus_reply {
    uint32_t slot, generation;
    unsigned status;          /* 0: the header is absent */
    struct quire_slice value; /* valid until bus_reply_release */
    void *message;
};
/* The next reply for this ring; others' and probes are dropped inside. False: none waits. */
QUIRE_MUSTCHECK bool bus_poll(struct bus_port *port, struct bus_reply *ret_reply);
/* The id of the request that it answers; empty when it doesn't say. Valid until bus_reply_release. */
struct quire_slice bus_reply_request_id(const struct bus_reply *reply);
void bus_reply_release(struct bus_reply *reply);

/* Of the last broker round trip by probe, milliseconds; negative when Kafka is away. Any thread. */
double bus_latency_ms(const struct bus *bus);

#endif
