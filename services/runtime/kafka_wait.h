/* What a consumer waits for from its group's coordinator, with a bound: librdkafka's own calls for these wait for ever
 * where the coordinator is gone. The client's own thread only. */
#ifndef QUIRE_RUNTIME_KAFKA_WAIT_H
#define QUIRE_RUNTIME_KAFKA_WAIT_H

#include "base/slice.h"

#include <librdkafka/rdkafka.h>

/* As rd_kafka_conf_set_rebalance_cb() has it. */
typedef void quire_kafka_on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t kind,
                                      rd_kafka_topic_partition_list_t *list, void *context);

/* Commits and waits for the broker's word. RD_KAFKA_RESP_ERR__TIMED_OUT: none came in wait_ms, and whether the offsets
 * are committed is not known. The list stays the caller's. */
QUIRE_MUSTCHECK rd_kafka_resp_err_t quire_kafka_commit_within(rd_kafka_t *client,
                                                              const rd_kafka_topic_partition_list_t *offsets,
                                                              int wait_ms);
/* Leaves the group: `on_rebalance` gives up the partitions, and the coordinator is told; messages that were fetched are
 * dropped. False when that took longer than wait_ms: the group then notices by the session time-out. Destroy the client
 * with RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE in any case. */
bool quire_kafka_close_within(rd_kafka_t *client, int wait_ms, quire_kafka_on_rebalance *on_rebalance, void *context);

#endif
