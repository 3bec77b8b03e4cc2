/* The gateway's settings. */
#ifndef QUIRE_GATEWAY_CONFIG_H
#define QUIRE_GATEWAY_CONFIG_H

#include "base/kafka_access.h"

struct gateway_config {
    struct quire_kafka_access kafka; /* by a table of its own */
    const char *http_address, *http_hosts, *admin_address, *reply_topic, *bulk_reply_topic, *seal_keys_file,
        *trusted_proxies, *log_level, *limits;
    bool listen_when_ready;
    int64_t http_port, admin_port, rings, reply_partitions, backlog;
    int64_t connections_max, inflight_max, queue_ms, paced_max, gather_us, crowd_us, body_bytes_max,
        body_bytes_an_address, pipeline_max;
    int64_t producer_messages_max, producer_bytes_max, message_bytes_max;
    int64_t idle_ms, head_ms, body_ms, body_slow_ms, body_slow_bytes, write_ms, linger_ms;
    int64_t ring_entries, receive_buffers, receive_buffer_bytes;
    int64_t stuck_ms, drain_ms, stop_ms, log_request_sample, log_slow_ms, log_refused_max;
};

/* The table that fills `config`. */
struct quire_setting_table gateway_settings(struct gateway_config *config);

#endif
