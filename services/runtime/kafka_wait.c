#include "runtime/kafka_wait.h"

#include "base/clock.h"

#define MS_NS UINT64_C(1000000)
#define CLOSE_TURN_MS 20

struct answer {
    bool came;
    rd_kafka_resp_err_t error;
};

static void on_answer(rd_kafka_t *client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *offsets,
                      void *opaque) {
    struct answer *answer = opaque;
    (void)client;
    (void)offsets;
    *answer = (struct answer){.came = true, .error = error};
}

static int left_ms(uint64_t deadline_ns) {
    const uint64_t now_ns = quire_monotonic_ns();
    return now_ns >= deadline_ns ? 0 : (int)((deadline_ns - now_ns) / MS_NS) + 1;
}

/* The callback is served by this queue alone: an answer that comes after the queue's end meets nobody. */
rd_kafka_resp_err_t quire_kafka_commit_within(rd_kafka_t *client, const rd_kafka_topic_partition_list_t *offsets,
                                              int wait_ms) {
    const uint64_t deadline_ns = quire_monotonic_ns() + (uint64_t)wait_ms * MS_NS;
    struct answer answer = {.error = RD_KAFKA_RESP_ERR__TIMED_OUT};
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    const rd_kafka_resp_err_t refused = rd_kafka_commit_queue(client, offsets, queue, on_answer, &answer);

    for (int left = wait_ms; refused == RD_KAFKA_RESP_ERR_NO_ERROR && !answer.came && left > 0;
         left = left_ms(deadline_ns))
        (void)rd_kafka_queue_poll_callback(queue, left);
    rd_kafka_queue_destroy(queue);
    return refused == RD_KAFKA_RESP_ERR_NO_ERROR ? answer.error : refused;
}

/* By events, not by callbacks: fetched messages come through this queue too, and no callback takes them. */
static void close_turn(rd_kafka_t *client, rd_kafka_queue_t *queue, quire_kafka_on_rebalance *on_rebalance,
                       void *context) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CLOSE_TURN_MS);
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
        on_rebalance(client, rd_kafka_event_error(event), rd_kafka_event_topic_partition_list(event), context);
    rd_kafka_event_destroy(event); /* takes NULL */
}

bool quire_kafka_close_within(rd_kafka_t *client, int wait_ms, quire_kafka_on_rebalance *on_rebalance, void *context) {
    const uint64_t deadline_ns = quire_monotonic_ns() + (uint64_t)wait_ms * MS_NS;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_error_t *refused = rd_kafka_consumer_close_queue(client, queue);

    if (refused != NULL)
        rd_kafka_error_destroy(refused); /* closed already, or failed for good: there is no group to leave */
    else
        while (!rd_kafka_consumer_closed(client) && left_ms(deadline_ns) > 0)
            close_turn(client, queue, on_rebalance, context);
    const bool closed = refused != NULL || rd_kafka_consumer_closed(client);
    rd_kafka_queue_destroy(queue);
    return closed;
}
