/* A bus without Kafka: what is sent is answered by the test, through the functions that bus.h declares, so that bus.o
 * isn't linked. */
#ifndef QUIRE_UNIT_GATEWAY_FAKE_BUS_H
#define QUIRE_UNIT_GATEWAY_FAKE_BUS_H

#include "gateway/bus.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FAKE_SENT_MAX 256u

struct fake_sent {
    char method[64], request_id[160], client[64];
    uint32_t slot, generation;
    bool has_session;
    size_t value_bytes;
    bool answered;
};

struct bus_port {
    int event_fd;
    bool ready;
    enum bus_result result; /* of the next sends */
    struct fake_sent sent[FAKE_SENT_MAX];
    size_t sent_count;
    struct bus_reply replies[FAKE_SENT_MAX];
    size_t replies_count, replies_taken;
};

struct bus {
    struct bus_port port;
};

static struct bus fake_bus; /* set up by the suite */

static inline void fake_reply(size_t sent, unsigned status, struct quire_slice value) {
    struct bus_port *port = &fake_bus.port;
    uint64_t one = 1;
    port->sent[sent].answered = true;
    port->replies[port->replies_count++ % FAKE_SENT_MAX] = (struct bus_reply){
        .slot = port->sent[sent].slot, .generation = port->sent[sent].generation, .status = status, .value = value};
    (void)!write(port->event_fd, &one, sizeof one);
}

static inline void fake_reset(void) {
    struct bus_port *port = &fake_bus.port;
    port->sent_count = port->replies_count = port->replies_taken = 0;
    port->ready = true;
    port->result = BUS_SENT;
}

struct bus_port *bus_port_of(struct bus *bus, uint32_t ring) {
    (void)ring;
    return &bus->port;
}

int bus_port_event_fd(const struct bus_port *port) {
    return port->event_fd;
}

bool bus_port_ready(const struct bus_port *port) {
    return port->ready;
}

void bus_port_tick(struct bus_port *port, uint64_t now_ns) {
    (void)port;
    (void)now_ns;
}

static inline void fake_copy(char *to, size_t size, struct quire_slice from) {
    size_t length = from.size < size ? from.size : size - 1;
    if (length > 0)
        memcpy(to, from.bytes, length);
    to[length] = '\0';
}

enum bus_result bus_send(struct bus_port *port, const struct bus_request *request) {
    if (port->result != BUS_SENT || port->sent_count == FAKE_SENT_MAX)
        return port->result == BUS_SENT ? BUS_FULL : port->result;
    struct fake_sent *sent = &port->sent[port->sent_count++];
    *sent = (struct fake_sent){.slot = request->id.slot,
                               .generation = request->id.generation,
                               .has_session = request->session.size == 34,
                               .value_bytes = request->value.size};
    if (request->value_given)
        free((void *)(uintptr_t)request->value.bytes);
    fake_copy(sent->method, sizeof sent->method, quire_slice_of(request->method));
    fake_copy(sent->request_id, sizeof sent->request_id, request->request_id);
    fake_copy(sent->client, sizeof sent->client, request->client);
    return BUS_SENT;
}

void bus_correlation(const struct bus_port *port, uint32_t slot, uint32_t generation,
                     uint8_t ret_bytes[QUIRE_CORRELATION_BYTES]) {
    (void)port;
    const struct quire_correlation correlation = {.slot = slot, .generation = generation};
    quire_correlation_encode(&correlation, ret_bytes);
}

bool bus_poll(struct bus_port *port, struct bus_reply *ret_reply) {
    if (port->replies_taken == port->replies_count)
        return false;
    *ret_reply = port->replies[port->replies_taken++ % FAKE_SENT_MAX];
    return true;
}

/* The request that the reply names. */
struct quire_slice bus_reply_request_id(const struct bus_reply *reply) {
    const struct bus_port *port = &fake_bus.port;
    for (size_t i = 0; i < port->sent_count; i++)
        if (port->sent[i].slot == reply->slot && port->sent[i].generation == reply->generation)
            return quire_slice_of(port->sent[i].request_id);
    return quire_slice_of(NULL);
}

void bus_reply_release(struct bus_reply *reply) {
    (void)reply;
}

double bus_latency_ms(const struct bus *bus) {
    return bus->port.ready ? 1 : -1;
}

#endif
