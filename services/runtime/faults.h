/* Faults on demand, for the tests that ask what is left after a crash. Compiled into builds with QUIRE_FAULTS only; in
 * all others these are nothing.
 *
 * A request names its fault in the header `quire-fault`, or, through the gateway, in a request id
 * "fault.<name>.<anything>":
 *
 * - `crash`: the process is killed when the request's turn comes, each time.
 *
 * - `fail`: the request counts as failed three times.
 *
 * - `crash-before-watermark`: killed after the commit, before it is flushed and its watermark published; on the first
 *   attempt only, as those below.
 *
 * - `crash-after-commit`: killed after commit and watermark, before reply and offset.
 *
 * - `pause-after-commit`: rests there for 3 s, so that somebody else can do the killing.
 *
 * - `replies-fail`, `publisher-fail`: that producer fails for good before the answer is sent; on the first attempt
 *   only.
 *
 * - `pause-before-flush`, of an event: rests for 3 s between its commit and its flush.
 */
#ifndef QUIRE_RUNTIME_FAULTS_H
#define QUIRE_RUNTIME_FAULTS_H

#include "runtime/request_internal.h"

enum quire_fault_point {
    QUIRE_FAULT_TURN,
    QUIRE_FAULT_COMMITTED,
    QUIRE_FAULT_PUBLISHED,
    QUIRE_FAULT_REPLIES,
    QUIRE_FAULT_PUBLISHER
};

#ifdef QUIRE_FAULTS
/* True when the request, or at the last two points that producer, is to fail. */
bool quire_fault_strikes(const struct quire_request *request, enum quire_fault_point point);
/* The same for an event that was handled, by its request id. */
void quire_fault_strikes_event(const char *request_id);
#else
static inline bool quire_fault_strikes(const struct quire_request *request, enum quire_fault_point point) {
    (void)request;
    (void)point;
    return false;
}
static inline void quire_fault_strikes_event(const char *request_id) {
    (void)request_id;
}
#endif

#endif
