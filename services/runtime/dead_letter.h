/* Messages that can't be handled: kept on `<topic>-dlt` as they came, with the reason and where they stood in their
 * headers. Any thread. */
#ifndef QUIRE_RUNTIME_DEAD_LETTER_H
#define QUIRE_RUNTIME_DEAD_LETTER_H

#include "runtime/publisher.h"
#include "runtime/reason.h"

/* The message's own headers and those of a dead letter; the caller destroys them. */
QUIRE_MUSTCHECK rd_kafka_headers_t *quire_dead_letter_headers(const rd_kafka_headers_t *own, const char *topic,
                                                              int32_t partition, int64_t offset,
                                                              enum quire_reason reason);
/* Returns when Kafka has it. False: not yet known to be there, so the message's offset must not be stored. */
QUIRE_MUSTCHECK bool quire_dead_letter_send(struct quire_publisher *publisher, const rd_kafka_message_t *message,
                                            const char *topic, enum quire_reason reason);

#endif
