/* Replies on their way in: whose they are, and what of them the gateway needs. Ring thread. */
#include "gateway/bus_internal.h"

static struct quire_slice bus_header(const rd_kafka_headers_t *headers, const char *name) {
    const void *value;
    size_t size;
    if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR || value == NULL)
        return (struct quire_slice){NULL, 0};
    return (struct quire_slice){value, size};
}

/* Three decimal digits; 0 for anything else, as for an absent header. */
static unsigned bus_status_of(struct quire_slice text) {
    unsigned status = 0;
    if (text.size != 3)
        return 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return 0;
        status = status * 10 + (unsigned)(text.bytes[i] - '0');
    }
    return status;
}

static bool bus_is_ours(const struct bus_port *port, const struct quire_correlation *correlation) {
    return correlation->ring == port->ring &&
           memcmp(correlation->instance, port->bus->options.instance, QUIRE_INSTANCE_BYTES) == 0;
}

/* Fills all but `message` and says true for a reply to this ring; probes of ours are noted, everything else is dropped.
 */
static bool bus_accept(struct bus_port *port, enum bus_road_index index, const rd_kafka_message_t *message,
                       struct bus_reply *reply) {
    rd_kafka_headers_t *headers;
    struct quire_correlation correlation;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) /* librdkafka goes on by itself; probes tell when it doesn't */
        return false;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        !quire_correlation_decode(bus_header(headers, QUIRE_HEADER_CORRELATION_ID), &correlation) ||
        !bus_is_ours(port, &correlation)) {
        quire_series_add(port->bus->foreign, 1);
        return false;
    }
    struct quire_slice probe = bus_header(headers, BUS_HEADER_PROBE);
    if (probe.size > 0) {
        bus_probe_returned(port, index, probe);
        return false;
    }
    reply->slot = correlation.slot;
    reply->generation = correlation.generation;
    reply->status = bus_status_of(bus_header(headers, QUIRE_HEADER_STATUS));
    reply->value = (struct quire_slice){message->payload, message->payload == NULL ? 0 : message->len};
    return true;
}

static bool bus_poll_road(struct bus_port *port, enum bus_road_index index, struct bus_reply *ret_reply) {
    rd_kafka_message_t *message;
    while ((message = rd_kafka_consume_queue(port->queues[index], 0)) != NULL) {
        struct bus_reply reply = {.message = message};
        if (bus_accept(port, index, message, &reply)) {
            quire_series_add(port->bus->roads[index].replies, 1);
            *ret_reply = reply;
            return true;
        }
        rd_kafka_message_destroy(message);
    }
    return false;
}

bool bus_poll(struct bus_port *port, struct bus_reply *ret_reply) {
    return bus_poll_road(port, BUS_SMALL, ret_reply) || bus_poll_road(port, BUS_BULK, ret_reply);
}

struct quire_slice bus_reply_request_id(const struct bus_reply *reply) {
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(reply->message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return (struct quire_slice){NULL, 0};
    return bus_header(headers, QUIRE_HEADER_REQUEST_ID);
}

void bus_reply_release(struct bus_reply *reply) {
    if (reply->message != NULL)
        rd_kafka_message_destroy(reply->message);
    *reply = (struct bus_reply){0};
}
