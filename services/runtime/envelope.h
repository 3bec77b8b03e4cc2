/* A request message's headers (base/wire.h) as values, and what is wrong with them. Plain functions, any thread; slices
 * point into the headers, which must outlive the envelope. */
#ifndef QUIRE_RUNTIME_ENVELOPE_H
#define QUIRE_RUNTIME_ENVELOPE_H

#include "base/contract.h"
#include "runtime/reason.h"

#include <librdkafka/rdkafka.h>

/* The longest that a caller may ask for (docs: Request-Timeout); a deadline farther ahead than this and the bound on
 * skew comes from a clock that is wrong, or from no gateway. */
#define QUIRE_DEADLINE_MS_MAX 30000u

struct quire_envelope {
    const struct quire_call *call; /* NULL: unknown, or a question for health */
    unsigned method_index;         /* of the contract's descriptor; with a call */
    bool health;
    struct quire_slice correlation, reply_topic, bulk_reply_topic; /* reply_topic empty: nobody waits */
    int32_t reply_partition;                                       /* RD_KAFKA_PARTITION_UA: any */
    struct quire_slice request_id, traceparent, method, session, client, idempotency_key, fingerprint;
    struct quire_slice fault; /* fault injection; empty unless a build for chaos tests reads it */
    uint64_t deadline_ms;
};

/* Reads the headers of a message on lane `lane` of `service`. headers may be NULL. Whatever the result, the reply
 * address is filled in as far as it can be read, so that a refused message's caller is answered. */
QUIRE_MUSTCHECK enum quire_reason quire_envelope_decode(const struct quire_contract_service *service, uint32_t lane,
                                                        const rd_kafka_headers_t *headers,
                                                        struct quire_envelope *ret_envelope);

/* The deadline that is believed: at most QUIRE_DEADLINE_MS_MAX and the bound on skew from now. */
uint64_t quire_deadline_bounded(uint64_t deadline_ms, uint64_t now_ms, uint64_t skew_ms_max);
/* The same on the monotonic clock, now_ms and now_ns being one moment. */
uint64_t quire_deadline_monotonic(uint64_t deadline_ms, uint64_t now_ms, uint64_t now_ns);

#endif
