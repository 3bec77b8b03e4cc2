#include "gateway/bus_internal.h"

#include "base/clock.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BUS_POLL_MS 20
#define BUS_QUESTION_INTERVAL_NS 500000000u  /* while something isn't known */
#define BUS_REFRESH_INTERVAL_NS 30000000000u /* a lane that was given more partitions is noticed within this */
#define BUS_BROKERS_BACK_NS 5000000000u
#define BUS_TURN_NS_MAX 2000000000u /* a turn with its questions */
#define BUS_BACK_NS 1000000000u     /* ticks come every 100 ms */

/* Bus thread: librdkafka's callbacks, and questions that wait for a broker, so that no ring ever does. */
struct bus_turn {
    uint64_t ask_ns, refresh_ns;
    uint64_t last_ns, unready_ns; /* how long no port has been ready though all partitions are fetched */
};

static void bus_serve(struct bus *bus) {
    (void)rd_kafka_poll(bus->roads[BUS_SMALL].outlets[BUS_AT_ONCE].producer, BUS_POLL_MS);
    for (int index = 0; index < BUS_ROADS; index++) {
        const struct bus_road *road = &bus->roads[index];
        int queued = 0;
        for (int each = 0; each < BUS_OUTLETS && road->outlets[each].producer != NULL; each++) {
            (void)rd_kafka_poll(road->outlets[each].producer, 0);
            queued += rd_kafka_outq_len(road->outlets[each].producer);
        }
        (void)rd_kafka_poll(road->consumer, 0);
        quire_series_set(road->queued, queued);
    }
}

static void bus_listen(struct bus *bus) {
    bool all = true;
    for (int index = 0; index < BUS_ROADS; index++)
        all = (bus->roads[index].listening || bus_road_listen(&bus->roads[index])) && all;
    atomic_store(&bus->listening, all);
}

/* Where brokers answer and still no probe comes back, librdkafka holds on to something that is gone: reply topics that
 * were deleted and made anew (seen once in two trials: its clients did not find them again, a fresh process did within
 * a second), or a partition without a leader (a fresh process draws others). While brokers are away, and five seconds
 * longer, there is nothing to mend. */
static void bus_mend(struct bus *bus, struct bus_turn *turn) {
    const uint64_t stuck_ns = bus_ns(bus->options.stuck_ms);
    if (turn->unready_ns < stuck_ns)
        return;
    if (!bus_brokers_answer(bus)) {
        turn->unready_ns = stuck_ns > BUS_BROKERS_BACK_NS ? stuck_ns - BUS_BROKERS_BACK_NS : 0;
        return;
    }
    turn->unready_ns = 0;
    bus_ask_for_restart(bus, "small", "brokers answer, but no probe comes back");
}

/* Time counts in small pieces, so that a process that was paused is not taken for one that is stuck. */
static void bus_count_unready(struct bus *bus, struct bus_turn *turn, uint64_t now_ns) {
    uint64_t elapsed_ns = now_ns - turn->last_ns;
    turn->last_ns = now_ns;
    if (atomic_load(&bus->ready_ports) > 0 || !atomic_load(&bus->listening))
        turn->unready_ns = 0;
    else
        turn->unready_ns += elapsed_ns < BUS_TURN_NS_MAX ? elapsed_ns : BUS_TURN_NS_MAX;
}

/* Ports look at losses in their ticks, so just after one they may still be counted as ready. */
static void bus_tell_back(struct bus *bus, uint64_t now_ns) {
    if (bus->lost_ns == 0 || now_ns < bus->lost_ns + BUS_BACK_NS || atomic_load(&bus->ready_ports) < bus->options.rings)
        return;
    bus->lost_ns = 0;
    QUIRE_LOG(bus->options.log, QUIRE_INFO, "kafka.back", QUIRE_INTEGER("losses", atomic_load(&bus->losses)));
}

static void bus_turn_once(struct bus *bus, struct bus_turn *turn) {
    bus_serve(bus);
    uint64_t now_ns = quire_monotonic_ns();
    bus_count_unready(bus, turn, now_ns);
    bus_tell_back(bus, now_ns);
    if (now_ns < turn->ask_ns)
        return;
    turn->ask_ns = now_ns + BUS_QUESTION_INTERVAL_NS;
    if (!bus_lanes_known(bus) || now_ns >= turn->refresh_ns) {
        bus_refresh_lanes(bus);
        turn->refresh_ns = now_ns + BUS_REFRESH_INTERVAL_NS;
    }
    if (!atomic_load(&bus->listening))
        bus_listen(bus);
    else
        bus_mend(bus, turn);
}

static void *bus_main(void *context) {
    struct bus *bus = context;
    struct bus_turn turn = {0};
    while (!atomic_load(&bus->stopping))
        bus_turn_once(bus, &turn);
    return NULL;
}

static bool bus_lanes_init(struct bus *bus) {
    const struct quire_contract *contract = bus->options.contract;
    for (size_t i = 0; i < contract->services_count; i++)
        bus->lanes_count += contract->services[i].lanes_count;
    bus->service_lanes = calloc(contract->services_count + 1, sizeof(*bus->service_lanes));
    bus->lane_topic_names = calloc(bus->lanes_count + 1, sizeof(*bus->lane_topic_names));
    bus->lane_partitions = calloc(bus->lanes_count + 1, sizeof(*bus->lane_partitions));
    if (bus->service_lanes == NULL || bus->lane_topic_names == NULL || bus->lane_partitions == NULL)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < contract->services_count; i++) {
        bus->service_lanes[i] = at;
        for (size_t lane = 0; lane < contract->services[i].lanes_count; lane++)
            bus->lane_topic_names[at++] = contract->services[i].lanes[lane].topic;
    }
    return true;
}

/* Which partition a process' first ring takes: spread by the instance's random bits. */
static uint32_t bus_first_partition(const struct bus *bus) {
    return quire_get_u32(bus->options.instance) % bus->options.reply_partitions;
}

static bool bus_port_init(struct bus *bus, uint32_t ring) {
    struct bus_port *port = &bus->ports[ring];
    port->bus = bus;
    port->ring = ring;
    port->partition = (int32_t)((bus_first_partition(bus) + ring) % bus->options.reply_partitions);
    port->event_fd = eventfd(0, EFD_CLOEXEC);
    port->spreads = calloc(bus->lanes_count + 1, sizeof(*port->spreads));
    if (port->event_fd < 0 || port->spreads == NULL)
        return false;
    for (size_t lane = 0; lane < bus->lanes_count; lane++)
        port->spreads[lane].turn = bus_first_partition(bus) + ring; /* rings and gateways don't march in step */
    const uint64_t one = 1;
    for (int index = 0; index < BUS_ROADS; index++) {
        port->queues[index] = rd_kafka_queue_new(bus->roads[index].consumer);
        rd_kafka_queue_io_event_enable(port->queues[index], port->event_fd, &one, sizeof(one));
    }
    return true;
}

static void bus_port_deinit(struct bus_port *port) {
    for (int index = 0; index < BUS_ROADS; index++) {
        if (port->queues[index] == NULL)
            continue;
        rd_kafka_queue_io_event_enable(port->queues[index], -1, NULL, 0);
        rd_kafka_queue_destroy(port->queues[index]);
    }
    free(port->spreads);
    if (port->event_fd >= 0)
        (void)close(port->event_fd);
}

static bool bus_ports_init(struct bus *bus) {
    bus->ports = calloc(bus->options.rings, sizeof(*bus->ports));
    if (bus->ports == NULL)
        return false;
    for (uint32_t ring = 0; ring < bus->options.rings; ring++)
        bus->ports[ring].event_fd = -1;
    for (uint32_t ring = 0; ring < bus->options.rings; ring++)
        if (!bus_port_init(bus, ring))
            return false;
    return true;
}

static void bus_metrics(struct bus *bus) {
    struct quire_metrics *metrics = bus->options.metrics;
    bus->foreign = quire_metrics_one(
        metrics, QUIRE_COUNTER, "quire_kafka_replies_foreign_total",
        "Messages in this process' reply partitions that were for another process, and dropped.", "", NULL);
    bus->probe_seconds =
        quire_metrics_one(metrics, QUIRE_HISTOGRAM, "quire_kafka_probe_seconds",
                          "From the sending of a probe to its return through a reply partition.", "", NULL);
    bus->losses_total = quire_metrics_one(metrics, QUIRE_COUNTER, "quire_kafka_losses_total",
                                          "How often a client lost all brokers.", "", NULL);
}

static unsigned bus_default(unsigned value, unsigned fallback) {
    return value == 0 ? fallback : value;
}

static void bus_options_init(struct bus *bus, const struct bus_options *options) {
    bus->options = *options;
    bus->options.message_timeout_ms = bus_default(options->message_timeout_ms, 30000);
    bus->options.probe_interval_ms = bus_default(options->probe_interval_ms, 1000);
    bus->options.probe_lost_ms = bus_default(options->probe_lost_ms, 3000);
    bus->options.stuck_ms = bus_default(options->stuck_ms, 15000);
}

static bool bus_start(struct bus *bus) {
    bus_metrics(bus);
    if (!bus_lanes_init(bus))
        return false;
    for (int index = 0; index < BUS_ROADS; index++)
        if (!bus_road_open(bus, (enum bus_road_index)index))
            return false;
    if (!bus_ports_init(bus))
        return false;
    bus->thread_started = pthread_create(&bus->thread, NULL, bus_main, bus) == 0;
    return bus->thread_started;
}

struct bus *bus_create(const struct bus_options *options) {
    if (options->rings == 0 || options->rings > options->reply_partitions || options->rings > UINT16_MAX) {
        QUIRE_LOG(options->log, QUIRE_ERROR, "kafka.too_many_rings", QUIRE_INTEGER("rings", options->rings),
                  QUIRE_INTEGER("reply_partitions", options->reply_partitions));
        return NULL;
    }
    struct bus *bus = calloc(1, sizeof(*bus));
    if (bus == NULL)
        return NULL;
    bus_options_init(bus, options);
    if (bus_start(bus))
        return bus;
    QUIRE_LOG(options->log, QUIRE_ERROR, "kafka.bus_not_started");
    bus_destroy(bus, 0);
    return NULL;
}

struct bus_port *bus_port_of(struct bus *bus, uint32_t ring) {
    return ring < bus->options.rings ? &bus->ports[ring] : NULL;
}

int bus_port_event_fd(const struct bus_port *port) {
    return port->event_fd;
}

/* What is left is of no use to anyone who still waits. */
static void bus_flush(struct bus *bus, unsigned flush_ms) {
    const uint64_t end_ns = quire_monotonic_ns() + bus_ns(flush_ms);
    for (int index = 0; index < BUS_ROADS; index++) {
        for (int each = 0; each < BUS_OUTLETS && bus->roads[index].outlets[each].producer != NULL; each++) {
            const uint64_t now_ns = quire_monotonic_ns();
            if (now_ns < end_ns)
                (void)rd_kafka_flush(bus->roads[index].outlets[each].producer, (int)((end_ns - now_ns) / 1000000u));
        }
    }
}

/* The queues must be gone before their client, and fetching must have ended before the queues go. */
void bus_destroy(struct bus *bus, unsigned flush_ms) {
    if (bus == NULL)
        return;
    atomic_store(&bus->stopping, true);
    if (bus->thread_started)
        (void)pthread_join(bus->thread, NULL);
    bus_flush(bus, flush_ms);
    for (int index = 0; index < BUS_ROADS; index++)
        bus_road_unlisten(&bus->roads[index]);
    for (uint32_t ring = 0; bus->ports != NULL && ring < bus->options.rings; ring++)
        bus_port_deinit(&bus->ports[ring]);
    for (int index = 0; index < BUS_ROADS; index++)
        bus_road_close(&bus->roads[index]);
    free(bus->ports);
    free(bus->service_lanes);
    free(bus->lane_topic_names);
    free(bus->lane_partitions);
    free(bus);
}
