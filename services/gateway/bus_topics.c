/* What the bus must know of topics before it uses them: how many partitions a lane has, and where each ring's replies
 * begin. */
#include "gateway/bus_internal.h"

#include <assert.h>

#define BUS_QUESTION_MS 1000

static uint32_t bus_partitions_of(rd_kafka_t *client, rd_kafka_topic_t *topic) {
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(client, 0, topic, &metadata, BUS_QUESTION_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    uint32_t partitions = 0;
    if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR &&
        metadata->topics[0].partition_cnt > 0)
        partitions = (uint32_t)metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return partitions;
}

/* A count once known stays when the question fails: the producer knows better than we whether a broker is there. */
void bus_refresh_lanes(struct bus *bus) {
    const struct bus_road *road = &bus->roads[BUS_SMALL];
    for (size_t lane = 0; lane < bus->lanes_count && !atomic_load(&bus->stopping); lane++) {
        /* Asked through each, as a producer that doesn't know a topic keeps its first message for a second. */
        for (int index = 0; index < BUS_OUTLETS && road->outlets[index].producer != NULL; index++) {
            const struct bus_outlet *outlet = &road->outlets[index];
            uint32_t partitions = bus_partitions_of(outlet->producer, outlet->lane_topics[lane]);
            if (partitions > 0)
                atomic_store(&bus->lane_partitions[lane], partitions);
        }
    }
}

bool bus_brokers_answer(const struct bus *bus) {
    const struct bus_road *road = &bus->roads[BUS_SMALL];
    return bus_partitions_of(road->consumer, road->listen_topic) > 0;
}

bool bus_lanes_known(const struct bus *bus) {
    for (size_t lane = 0; lane < bus->lanes_count; lane++)
        if (atomic_load(&bus->lane_partitions[lane]) == 0)
            return false;
    return true;
}

/* The offset is asked for now and given as a number: "end", resolved at the first fetch, could pass over a reply that
 * came before it. The simple consumer does what assign() does, without a group and hence without a coordinator to look
 * for. */
static bool bus_port_listen(struct bus_road *road, struct bus_port *port, enum bus_road_index index) {
    int64_t low, high;
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(road->consumer, road->reply_topic, port->partition,
                                                                 &low, &high, BUS_QUESTION_MS);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_consume_start_queue(road->listen_topic, port->partition, high, port->queues[index]) != 0)
        error = rd_kafka_last_error();
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    QUIRE_LOG(road->bus->options.log, road->missed ? QUIRE_DEBUG : QUIRE_WARN, "kafka.replies_not_found",
              QUIRE_CTEXT("topic", road->reply_topic), QUIRE_INTEGER("partition", port->partition),
              QUIRE_CTEXT("reason", rd_kafka_err2str(error)), QUIRE_CTEXT("instead", "asked again until it is there"));
    road->missed = true;
    return false;
}

static void bus_ports_unlisten(struct bus_road *road, uint32_t ports) {
    for (uint32_t ring = 0; ring < ports;
         ring++) /* fails only for a partition that isn't fetched, which is what we want */
        (void)rd_kafka_consume_stop(road->listen_topic, road->bus->ports[ring].partition);
}

bool bus_road_listen(struct bus_road *road) {
    struct bus *bus = road->bus;
    assert(!road->listening);
    for (uint32_t ring = 0; ring < bus->options.rings; ring++) {
        if (atomic_load(&bus->stopping) ||
            !bus_port_listen(road, &bus->ports[ring], (enum bus_road_index)(road - bus->roads))) {
            bus_ports_unlisten(road, ring);
            return false;
        }
    }
    road->listening = true;
    road->missed = false;
    return true;
}

void bus_road_unlisten(struct bus_road *road) {
    if (road->listening)
        bus_ports_unlisten(road, road->bus->options.rings);
    road->listening = false;
}
