/* The gateway's side of Kafka: one producer and one reply consumer a process, one pair of reply partitions (small, bulk) and one eventfd a ring.
 *
 * bus_create/destroy: main thread. A bus_port belongs to one ring; its functions are called on that ring's thread only. Knows no HTTP and no io_uring:
 * a port gives a file descriptor that becomes readable, and takes plain calls. */
#ifndef QUIRE_GATEWAY_BUS_H
#define QUIRE_GATEWAY_BUS_H

#include "base/contract.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/wire.h"

struct bus;
struct bus_port;

struct bus_options {
    const char *brokers;
    const char *reply_topic, *bulk_reply_topic;
    uint32_t reply_partitions; /* of each */
    uint32_t rings;
    const uint8_t *instance; /* QUIRE_INSTANCE_BYTES */
    size_t queue_messages_max, queue_bytes_max;
    size_t message_bytes_max;
    const struct quire_contract *contract; /* whose topics' partition counts are kept up to date */
    struct quire_log *log;
    struct quire_metrics *metrics;
};

QUIRE_MUSTCHECK struct bus *bus_create(const struct bus_options *options);
/* After every ring has stopped. Flushes for at most flush_ms. */
void bus_destroy(struct bus *bus, unsigned flush_ms);

struct bus_port *bus_port_of(struct bus *bus, uint32_t ring);
/* Becomes readable when replies wait: read 8 bytes from it first, then poll until false. */
int bus_port_event_fd(const struct bus_port *port);
/* True once this ring's own probe has come back through each of its partitions, until a broker is lost or probes stop coming back. */
bool bus_port_ready(const struct bus_port *port);
/* Call at least every 100 ms: sends probes, notices lost ones, keeps partition counts. */
void bus_port_tick(struct bus_port *port, uint64_t now_ns);

struct bus_request {
    const struct quire_contract_service *service;
    uint32_t lane;
    const char *method; /* quire-method */
    struct inflight_id_wire { uint32_t slot, generation; } id;
    uint64_t deadline_ms; /* wall clock */
    struct quire_slice request_id, traceparent, client, idempotency_key, fingerprint, session; /* empty: no header */
    struct quire_slice value; /* copied */
};

enum bus_result { BUS_SENT, BUS_FULL, BUS_TOO_LARGE, BUS_AWAY };
QUIRE_MUSTCHECK enum bus_result bus_send(struct bus_port *port, const struct bus_request *request);
/* What correlation id bus_send will put on a message with this slot and generation (sealing needs it beforehand). */
void bus_correlation(const struct bus_port *port, uint32_t slot, uint32_t generation, uint8_t ret_bytes[QUIRE_CORRELATION_BYTES]);

struct bus_reply {
    uint32_t slot, generation;
    unsigned status; /* 0: the header is absent */
    struct quire_slice value; /* valid until bus_reply_release */
    void *message;
};
/* The next reply for this ring; others' and probes are dropped inside. False: none waits. */
QUIRE_MUSTCHECK bool bus_poll(struct bus_port *port, struct bus_reply *ret_reply);
void bus_reply_release(struct bus_reply *reply);

/* Of the last broker round trip by probe, milliseconds; negative when Kafka is away. Any thread. */
double bus_latency_ms(const struct bus *bus);

#endif
