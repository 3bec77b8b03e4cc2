/* Whether replies really arrive: an empty message to oneself through each reply partition, each second. Only what has
 * made the whole way back makes a port ready; a broker's word that it is there does not. Ring thread but for
 * bus_latency_ms. */
#include "gateway/bus_internal.h"

#include "base/clock.h"

/* While a port isn't ready it asks this many times as often: a returned broker is met within a quarter of the interval.
 */
#define BUS_PROBE_HASTE 4u
/* Names no slot that inflight has. */
#define BUS_PROBE_SLOT UINT32_MAX

uint64_t bus_ns(unsigned ms) {
    return (uint64_t)ms * 1000000u;
}

static void bus_probe_send(struct bus_port *port, enum bus_road_index index, uint64_t now_ns) {
    const struct bus_road *road = &port->bus->roads[index];
    uint8_t correlation[QUIRE_CORRELATION_BYTES], probe[BUS_PROBE_BYTES];
    bus_correlation(port, BUS_PROBE_SLOT, 0, correlation);
    quire_put_u64(probe, quire_monotonic_ns());
    quire_put_u32(probe + 8, atomic_load(&port->bus->losses));
    /* Headers of our own, not RD_KAFKA_VTYPE_HEADER units: librdkafka (2.8) destroys those twice when the partition
     * doesn't exist, as on a topic with fewer than we were told. */
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
    (void)rd_kafka_header_add(headers, QUIRE_HEADER_CORRELATION_ID, -1, correlation, (ssize_t)sizeof(correlation));
    (void)rd_kafka_header_add(headers, BUS_HEADER_PROBE, -1, probe,
                              (ssize_t)sizeof(probe)); /* fail for read-only ones */
    rd_kafka_vu_t vus[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = road->probe_topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = port->partition},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error =
        rd_kafka_produceva(road->outlets[BUS_AT_ONCE].producer, vus, sizeof(vus) / sizeof(vus[0]));
    if (error != NULL) {
        /* full, or not known yet: the next tick asks again, and a probe that stays away speaks for itself */
        rd_kafka_error_destroy(error);
        rd_kafka_headers_destroy(headers);
    }
    port->probes[index].sent_ns = now_ns;
}

void bus_probe_returned(struct bus_port *port, enum bus_road_index index, struct quire_slice header) {
    struct bus *bus = port->bus;
    if (header.size != BUS_PROBE_BYTES)
        return;
    uint64_t now_ns = quire_monotonic_ns(), sent_ns = quire_get_u64(header.bytes);
    if (sent_ns > now_ns || now_ns - sent_ns > bus_ns(bus->options.probe_lost_ms))
        return; /* lay in a queue through an outage: says nothing about now */
    port->probes[index].returned_ns = now_ns;
    port->probes[index].returned_losses = quire_get_u32(header.bytes + 8);
    atomic_store(&bus->probe_ns, (int64_t)(now_ns - sent_ns));
    quire_series_observe(bus->probe_seconds, (double)(now_ns - sent_ns) / 1e9);
}

static bool bus_probe_fresh(const struct bus_port *port, enum bus_road_index index, uint64_t now_ns) {
    const struct bus_probe *probe = &port->probes[index];
    return probe->returned_ns != 0 && probe->returned_losses == atomic_load(&port->bus->losses) &&
           now_ns < probe->returned_ns + bus_ns(port->bus->options.probe_lost_ms);
}

/* The one place that changes port->ready. */
static void bus_port_set_ready(struct bus_port *port, bool ready) {
    struct bus *bus = port->bus;
    if (port->ready == ready)
        return;
    port->ready = ready;
    if (ready)
        atomic_fetch_add(&bus->ready_ports, 1);
    else
        atomic_fetch_sub(&bus->ready_ports, 1);
    QUIRE_LOG(bus->options.log, ready ? QUIRE_INFO : QUIRE_WARN, ready ? "kafka.port_ready" : "kafka.port_not_ready",
              QUIRE_INTEGER("ring", port->ring), QUIRE_INTEGER("partition", port->partition));
}

bool bus_port_ready(const struct bus_port *port) {
    uint32_t losses = atomic_load_explicit(&port->bus->losses, memory_order_relaxed);
    return port->ready && port->probes[BUS_SMALL].returned_losses == losses &&
           port->probes[BUS_BULK].returned_losses == losses;
}

void bus_port_tick(struct bus_port *port, uint64_t now_ns) {
    struct bus *bus = port->bus;
    bool ready = true;
    for (int index = 0; index < BUS_ROADS; index++)
        ready = bus_probe_fresh(port, (enum bus_road_index)index, now_ns) && ready;
    bus_port_set_ready(port, ready);
    if (!atomic_load(&bus->listening))
        return;
    uint64_t interval_ns = bus_ns(bus->options.probe_interval_ms) / (ready ? 1 : BUS_PROBE_HASTE);
    for (int index = 0; index < BUS_ROADS; index++)
        if (port->probes[index].sent_ns == 0 || now_ns >= port->probes[index].sent_ns + interval_ns)
            bus_probe_send(port, (enum bus_road_index)index, now_ns);
}

double bus_latency_ms(const struct bus *bus) {
    if (atomic_load(&bus->ready_ports) < bus->options.rings)
        return -1;
    return (double)atomic_load(&bus->probe_ns) / 1e6;
}
