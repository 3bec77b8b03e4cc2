/* Which requests' lines are logged: one decision for every process, so that a request that is logged by one is logged
 * by all that it passes. Requests that failed or were slow are logged always; of the others one in `one_in`, chosen by
 * the CRC-32 of the request id (which the proxy computes too, compose/proxy/haproxy.cfg). Any thread. */
#ifndef QUIRE_BASE_SAMPLE_H
#define QUIRE_BASE_SAMPLE_H

#include "base/slice.h"

struct quire_sample {
    uint64_t one_in;  /* QUIRE_LOG_REQUEST_SAMPLE; 1: all */
    uint64_t slow_us; /* QUIRE_LOG_SLOW_MS: from here on a request is slow */
};

bool quire_sample_takes(const struct quire_sample *sample, struct quire_slice request_id, bool failed,
                        uint64_t took_us);

#define QUIRE_CALL_CHARACTERS 8u
/* A correlation id's short name in log lines, NUL-terminated lower-case hexadecimal: it tells calls apart that came
 * with the same request id, and is the same in the gateway's line and the consumer's. */
void quire_call_text(struct quire_slice correlation, char ret_text[QUIRE_CALL_CHARACTERS + 1]);

#endif
