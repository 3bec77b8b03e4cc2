#include "runtime/membership.h"

#include "base/clock.h"

#include <assert.h>

#define NAME "quire"
#define JOINING_NS_MAX UINT64_C(3000000000)
#define JOIN_EACH_NS UINT64_C(1000000000) /* librdkafka's own; a member hears of it by a heartbeat */

/* https://kafka.apache.org/protocol#protocol_api_keys */
enum { JOIN_GROUP = 11, SYNC_GROUP = 14 };

static rd_kafka_resp_err_t on_request_sent(rd_kafka_t *client, int fd, const char *broker, int32_t broker_id,
                                           int16_t key, int16_t version, int32_t number, size_t size, void *opaque) {
    struct quire_membership *membership = opaque;
    (void)client, (void)fd, (void)broker, (void)broker_id, (void)version, (void)number, (void)size;
    if (key == JOIN_GROUP) {
        atomic_store(&membership->joined_ns, quire_monotonic_ns());
        atomic_store(&membership->joining, true);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* `error` is the connection's: what the coordinator refuses is followed by another JoinGroup. */
static rd_kafka_resp_err_t on_response_received(rd_kafka_t *client, int fd, const char *broker, int32_t broker_id,
                                                int16_t key, int16_t version, int32_t number, size_t size,
                                                int64_t round_trip, rd_kafka_resp_err_t error, void *opaque) {
    struct quire_membership *membership = opaque;
    (void)client, (void)fd, (void)broker, (void)broker_id, (void)version, (void)number, (void)size, (void)round_trip;
    if (key == SYNC_GROUP || (key == JOIN_GROUP && error != RD_KAFKA_RESP_ERR_NO_ERROR))
        atomic_store(&membership->joining, false);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *client, const rd_kafka_conf_t *conf, void *opaque, char *text,
                                  size_t text_size) {
    (void)conf, (void)text, (void)text_size;
    const rd_kafka_resp_err_t error = rd_kafka_interceptor_add_on_request_sent(client, NAME, on_request_sent, opaque);
    return error != RD_KAFKA_RESP_ERR_NO_ERROR
               ? error
               : rd_kafka_interceptor_add_on_response_received(client, NAME, on_response_received, opaque);
}

void quire_membership_watch(struct quire_membership *membership, rd_kafka_conf_t *conf, int64_t heartbeat_ms) {
    membership->join_each_ns = JOIN_EACH_NS + (uint64_t)heartbeat_ms * 1000000u;
    const rd_kafka_resp_err_t error = rd_kafka_conf_interceptor_add_on_new(conf, NAME, on_new, membership);
    assert(error == RD_KAFKA_RESP_ERR_NO_ERROR); /* fails only for a name that is there already */
}

bool quire_membership_joining(const struct quire_membership *membership, uint64_t now_ns) {
    return atomic_load(&membership->joining) && now_ns < atomic_load(&membership->joined_ns) + JOINING_NS_MAX;
}

bool quire_membership_may_leave(const struct quire_membership *membership, uint64_t now_ns) {
    const uint64_t joined_ns = atomic_load(&membership->joined_ns);
    return joined_ns == 0 ||
           (now_ns >= joined_ns + membership->join_each_ns && !quire_membership_joining(membership, now_ns));
}
