/* A request on its way out: which partition, which headers, and what the producer's answer means. Ring thread. */
#include "gateway/bus_internal.h"
#include "gateway/gathering.h"

#include <assert.h>

#define BUS_HEADERS_MAX 13u

void bus_correlation(const struct bus_port *port, uint32_t slot, uint32_t generation,
                     uint8_t ret_bytes[QUIRE_CORRELATION_BYTES]) {
    struct quire_correlation correlation = {.ring = (uint16_t)port->ring, .slot = slot, .generation = generation};
    memcpy(correlation.instance, port->bus->options.instance, QUIRE_INSTANCE_BYTES);
    quire_correlation_encode(&correlation, ret_bytes);
}

/* False without memory. */
static bool bus_add_header(rd_kafka_headers_t *headers, const char *name, const void *value, size_t size) {
    return rd_kafka_header_add(headers, name, -1, value, (ssize_t)size) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool bus_add_slice(rd_kafka_headers_t *headers, const char *name, struct quire_slice value) {
    return value.size == 0 || bus_add_header(headers, name, value.bytes, value.size);
}

static bool bus_add_text(rd_kafka_headers_t *headers, const char *name, const char *text) {
    return bus_add_slice(headers, name, quire_slice_of(text));
}

/* Where and to whom the reply goes. */
static bool bus_add_reply_headers(const struct bus_port *port, const struct bus_request *request,
                                  rd_kafka_headers_t *headers) {
    uint8_t correlation[QUIRE_CORRELATION_BYTES], partition[4];
    bus_correlation(port, request->id.slot, request->id.generation, correlation);
    quire_put_u32(partition, (uint32_t)port->partition);
    return bus_add_header(headers, QUIRE_HEADER_CORRELATION_ID, correlation, sizeof(correlation)) &&
           bus_add_text(headers, QUIRE_HEADER_REPLY_TOPIC, port->bus->options.reply_topic) &&
           bus_add_header(headers, QUIRE_HEADER_REPLY_PARTITION, partition, sizeof(partition)) &&
           bus_add_text(headers, QUIRE_HEADER_BULK_REPLY_TOPIC, port->bus->options.bulk_reply_topic);
}

static bool bus_add_request_headers(const struct bus_request *request, rd_kafka_headers_t *headers) {
    uint8_t deadline[8];
    quire_put_u64(deadline, request->deadline_ms);
    return bus_add_text(headers, QUIRE_HEADER_METHOD, request->method) &&
           bus_add_header(headers, QUIRE_HEADER_DEADLINE, deadline, sizeof(deadline)) &&
           bus_add_slice(headers, QUIRE_HEADER_REQUEST_ID, request->request_id) &&
           bus_add_slice(headers, QUIRE_HEADER_TRACEPARENT, request->traceparent) &&
           bus_add_slice(headers, QUIRE_HEADER_SESSION, request->session) &&
           bus_add_slice(headers, QUIRE_HEADER_CLIENT, request->client) &&
           bus_add_slice(headers, QUIRE_HEADER_IDEMPOTENCY_KEY, request->idempotency_key) &&
           bus_add_slice(headers, QUIRE_HEADER_FINGERPRINT, request->fingerprint);
}

/* Destroys the error. */
static enum bus_result bus_result_of(rd_kafka_error_t *error) {
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    switch (code) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return BUS_FULL;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return BUS_TOO_LARGE;
    default:
        return BUS_AWAY;
    }
}

/* Takes headers over: librdkafka owns them after a success only. */
static enum bus_result bus_produce(rd_kafka_t *producer, rd_kafka_topic_t *topic, int32_t partition,
                                   rd_kafka_headers_t *headers, const struct bus_request *request) {
    const struct quire_slice value = request->value;
    const int value_flag = request->value_given ? RD_KAFKA_MSG_F_FREE : RD_KAFKA_MSG_F_COPY; /* FREE: when sent only */
    rd_kafka_vu_t vus[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = value_flag},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {.ptr = (void *)(uintptr_t)value.bytes, .size = value.size}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer, vus, sizeof(vus) / sizeof(vus[0]));
    if (error == NULL)
        return BUS_SENT;
    rd_kafka_headers_destroy(headers);
    return bus_result_of(error);
}

static size_t bus_lane_index(const struct bus *bus, const struct bus_request *request) {
    size_t service = (size_t)(request->service - bus->options.contract->services);
    assert(service < bus->options.contract->services_count);
    assert(request->lane < request->service->lanes_count);
    return bus->service_lanes[service] + request->lane;
}

static const struct bus_outlet *bus_outlet_of(const struct bus_road *road, const struct bus_request *request) {
    const size_t index = gathering_choose(road->waits_ns, BUS_OUTLETS, request->waiting, request->reply_ns);
    if (index != BUS_AT_ONCE)
        quire_series_add(road->gathered, 1);
    return &road->outlets[index];
}

static enum bus_result bus_send_by(struct bus_port *port, const struct bus_road *road,
                                   const struct bus_request *request) {
    size_t lane = bus_lane_index(port->bus, request);
    uint32_t partitions = atomic_load_explicit(&port->bus->lane_partitions[lane], memory_order_relaxed);
    if (partitions == 0)
        return BUS_AWAY;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(BUS_HEADERS_MAX);
    if (!bus_add_reply_headers(port, request, headers) || !bus_add_request_headers(request, headers)) {
        rd_kafka_headers_destroy(headers);
        return BUS_FULL;
    }
    const uint32_t together_max = spread_together_max(request->service->lanes[request->lane].batch_max);
    const int32_t partition = (int32_t)spread_next(&port->spreads[lane], partitions, together_max, request->now_ns);
    const struct bus_outlet *outlet = bus_outlet_of(road, request);
    return bus_produce(outlet->producer, outlet->lane_topics[lane], partition, headers, request);
}

enum bus_result bus_send(struct bus_port *port, const struct bus_request *request) {
    const struct bus_road *road = &port->bus->roads[request->value.size > QUIRE_BULK_BYTES ? BUS_BULK : BUS_SMALL];
    if (request->value.size > port->bus->options.message_bytes_max) {
        quire_series_add(road->refused, 1);
        return BUS_TOO_LARGE;
    }
    enum bus_result result = bus_send_by(port, road, request);
    quire_series_add(result == BUS_SENT ? road->produced : road->refused, 1);
    return result;
}
