/* The bounds at which the gateway itself says 503, and what is told of each. Constant data, any thread. */
#ifndef QUIRE_GATEWAY_REFUSAL_H
#define QUIRE_GATEWAY_REFUSAL_H

/* enum, label of the metric, detail of the problem. */
#define REFUSALS(X)                                                                                                    \
    X(REFUSAL_LANE, "lane", "More is asked of this part than it can answer in time just now.")                         \
    X(REFUSAL_INFLIGHT, "inflight", "As many requests as possible are waiting already.")                               \
    X(REFUSAL_BODIES, "bodies", "The gateway holds as many bodies as it can, or as it does of one address.")           \
    X(REFUSAL_PRODUCER, "producer", "As many messages as possible are on their way already.")                          \
    X(REFUSAL_KAFKA, "kafka", "The gateway can't reach the services right now.")                                       \
    X(REFUSAL_TOPIC, "topic", "The gateway can't reach the service right now.")

enum refusal {
#define REFUSAL_ENUM(name, label, detail) name,
    REFUSALS(REFUSAL_ENUM)
#undef REFUSAL_ENUM
};

#define REFUSAL_COUNT(name, label, detail) +1
enum { REFUSALS_COUNT = 0 REFUSALS(REFUSAL_COUNT) };
#undef REFUSAL_COUNT

struct refusal_row {
    const char *label, *detail;
};
extern const struct refusal_row refusal_rows[REFUSALS_COUNT];

#endif
