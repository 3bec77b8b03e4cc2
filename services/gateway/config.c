#include "gateway/config.h"

#define TEXT(name_, member, fallback_, about_)                                                                         \
    {.name = (name_),                                                                                                  \
     .type = QUIRE_SETTING_TEXT,                                                                                       \
     .offset = offsetof(struct gateway_config, member),                                                                \
     .fallback = (fallback_),                                                                                          \
     .unit = "",                                                                                                       \
     .about = (about_)}
#define NUMBER(name_, member, fallback_, min_, max_, unit_, about_)                                                    \
    {.name = (name_),                                                                                                  \
     .type = QUIRE_SETTING_INTEGER,                                                                                    \
     .offset = offsetof(struct gateway_config, member),                                                                \
     .fallback = (fallback_),                                                                                          \
     .min = (min_),                                                                                                    \
     .max = (max_),                                                                                                    \
     .unit = (unit_),                                                                                                  \
     .about = (about_)}

#define MIB (1024 * 1024LL)

static const struct quire_setting settings[] = {
    TEXT("QUIRE_HTTP_ADDRESS", http_address, "0.0.0.0", "Address that HTTP is served on; `::` takes IPv4 and IPv6."),
    NUMBER("QUIRE_HTTP_PORT", http_port, "8080", 0, 65535, "", "Port that HTTP is served on."),
    {.name = "QUIRE_HTTP_LISTEN_WHEN_READY",
     .type = QUIRE_SETTING_BOOLEAN,
     .offset = offsetof(struct gateway_config, listen_when_ready),
     .fallback = "off",
     .unit = "",
     .about =
         "`on`: connections are refused until the gateway is ready for the first time, so that a proxy, which takes a "
         "new "
         "address for a good one until its first check, tries another. `off`: it listens at once and answers 503."},
    TEXT("QUIRE_HTTP_HOSTS", http_hosts, "",
         "Host names that are served, separated by commas; others get a 421. Empty: all."),
    TEXT("QUIRE_ADMIN_ADDRESS", admin_address, "127.0.0.1",
         "Address of the admin port (metrics, liveness, readiness)."),
    NUMBER("QUIRE_ADMIN_PORT", admin_port, "0", 0, 65535, "",
           "The admin port; 0: the system chooses, and the log says which."),
    TEXT("QUIRE_REPLY_TOPIC", reply_topic, "quire.replies", "Topic that replies come back on."),
    TEXT("QUIRE_BULK_REPLY_TOPIC", bulk_reply_topic, "quire.replies.bulk", "Topic that large replies come back on."),
    NUMBER("QUIRE_REPLY_PARTITIONS", reply_partitions, "64", 1, 1024, "", "Partitions of each reply topic."),
    TEXT("QUIRE_SEAL_KEYS_FILE", seal_keys_file, "",
         "File with the public keys that secrets are sealed with, the current one first."),
    TEXT("QUIRE_TRUSTED_PROXIES", trusted_proxies, "",
         "Networks (CIDR, separated by commas) whose X-Forwarded-For is believed."),
    TEXT("QUIRE_LIMITS", limits, "on", "`off`: no rate limits anywhere, for load tests; /health says so."),
    TEXT("QUIRE_LOG_LEVEL", log_level, "info", "`debug`, `info`, `warn` or `error`."),
    NUMBER("QUIRE_LOG_REQUEST_SAMPLE", log_request_sample, "1", 1, 1000000, "",
           "One request in this many is logged, chosen by its id; failed and slow ones always are."),
    NUMBER("QUIRE_LOG_SLOW_MS", log_slow_ms, "1000", 1, 3600000, "ms", "A request that took so long is slow."),
    NUMBER("QUIRE_LOG_REFUSED_MAX", log_refused_max, "20", 0, 1000000, "/s",
           "Lines that a ring writes in a second about requests that it refused itself (503 at one of its bounds, 429 "
           "in a "
           "service's place); the rest are counted."),
    NUMBER("QUIRE_RINGS", rings, "0", 0, 64, "", "Threads, each with a ring of its own; 0: one a core."),
    NUMBER("QUIRE_RING_ENTRIES", ring_entries, "1024", 64, 32768, "",
           "Submission entries of a ring, a power of two; completions are eight times as many."),
    NUMBER("QUIRE_RECEIVE_BUFFERS", receive_buffers, "256", 8, 32768, "", "Receive buffers of a ring, a power of two."),
    NUMBER("QUIRE_RECEIVE_BUFFER_BYTES", receive_buffer_bytes, "16384", 1024, MIB, "bytes",
           "Size of a receive buffer."),
    NUMBER("QUIRE_HTTP_BACKLOG", backlog, "4096", 1, 65535, "",
           "Connections that may wait for being accepted, a ring; net.core.somaxconn bounds it."),
    NUMBER("QUIRE_GATEWAY_CONNECTIONS_MAX", connections_max, "16384", 1, 1000000, "",
           "Connections of a ring; more are closed at once."),
    NUMBER("QUIRE_GATEWAY_PIPELINE_MAX", pipeline_max, "100", 1, 1000, "",
           "Unanswered requests of a connection; beyond, reading stops."),
    NUMBER("QUIRE_GATEWAY_INFLIGHT_MAX", inflight_max, "4096", 1, 1000000, "",
           "Requests of a ring that wait for a reply; more get a 503."),
    NUMBER("QUIRE_GATEWAY_QUEUE_MS", queue_ms, "2000", 0, 60000, "ms",
           "How long a request may be expected to wait for its reply, by what its lane has answered of late; one that "
           "would wait longer gets a 503. 0: no such bound."),
    NUMBER("QUIRE_GATEWAY_PACED_MAX", paced_max, "1024", 0, 1000000, "",
           "Sessions over a rate limit that a ring remembers for a second after a service has refused them, to answer "
           "429 in its place. 0: each request goes to the service."),
    NUMBER("QUIRE_GATEWAY_GATHER_US", gather_us, "1000", 0, 100000, "µs",
           "How long a small message waits in the producer for others while a ring awaits 4 replies or more and they "
           "take twice as long: together they cost less. 0: never."),
    NUMBER("QUIRE_GATEWAY_CROWD_US", crowd_us, "5000", 0, 100000, "µs",
           "The same, longer, for when replies take twice as long as this. Not above QUIRE_GATEWAY_GATHER_US: "
           "never."),
    NUMBER("QUIRE_GATEWAY_BODY_BYTES_MAX", body_bytes_max, "536870912", MIB, 1024 * 1024 * MIB, "bytes",
           "Bodies that the process holds at once, every copy counted; beyond, requests get a 503."),
    NUMBER("QUIRE_GATEWAY_BODY_BYTES_AN_ADDRESS", body_bytes_an_address, "268435456", MIB, 1024 * 1024 * MIB, "bytes",
           "Of these, those of one address or IPv6 network of 64 bits; beyond, its requests get a 503."),
    NUMBER("QUIRE_GATEWAY_PRODUCER_MESSAGES_MAX", producer_messages_max, "100000", 1, 10000000, "",
           "Messages that may wait for Kafka in each producer; more get a 503."),
    NUMBER("QUIRE_GATEWAY_PRODUCER_BYTES_MAX", producer_bytes_max, "268435456", MIB, 2047 * MIB, "bytes",
           "The same in bytes."),
    NUMBER("QUIRE_GATEWAY_MESSAGE_BYTES_MAX", message_bytes_max, "17825792", MIB, 1000 * MIB, "bytes",
           "The largest message; brokers and topics must take it."),
    NUMBER("QUIRE_GATEWAY_IDLE_MS", idle_ms, "75000", 10, 3600000, "ms",
           "How long a connection may stay open without a request."),
    NUMBER("QUIRE_GATEWAY_HEAD_MS", head_ms, "10000", 10, 3600000, "ms",
           "How long a request's head may take; then 408."),
    NUMBER("QUIRE_GATEWAY_BODY_MS", body_ms, "15000", 10, 3600000, "ms", "How long a body may stall; then 408."),
    NUMBER("QUIRE_GATEWAY_BODY_SLOW_MS", body_slow_ms, "60000", 10, 3600000, "ms",
           "In this time a body must end, or bring as much as QUIRE_GATEWAY_BODY_SLOW_BYTES; then 408."),
    NUMBER("QUIRE_GATEWAY_BODY_SLOW_BYTES", body_slow_bytes, "32768", 0, 16 * MIB, "bytes",
           "Each time again. 0: a byte now and then keeps a body going."),
    NUMBER("QUIRE_GATEWAY_WRITE_MS", write_ms, "30000", 10, 3600000, "ms",
           "How long an answer may go unread; then the connection is closed."),
    NUMBER("QUIRE_GATEWAY_LINGER_MS", linger_ms, "5000", 10, 60000, "ms",
           "How long a connection that is being closed is still read, so that its last answer arrives."),
    NUMBER("QUIRE_GATEWAY_STUCK_MS", stuck_ms, "15000", 1000, 3600000, "ms",
           "How long brokers may answer without one reply of the gateway's own probes coming back; then it ends, to be "
           "started again."),
    NUMBER("QUIRE_GATEWAY_DRAIN_MS", drain_ms, "2000", 0, 600000, "ms",
           "After SIGTERM: how long requests are served as before while /readyz says 503."),
    NUMBER("QUIRE_GATEWAY_STOP_MS", stop_ms, "10000", 0, 600000, "ms",
           "After that: how long answers that are owed are waited for."),
};

struct quire_setting_table gateway_settings(struct gateway_config *config) {
    return (struct quire_setting_table){
        .settings = settings, .count = sizeof settings / sizeof settings[0], .target = config};
}
