#include "runtime/fold.h"

static bool foldable(const struct quire_request *request) {
    return request->state == QUIRE_REQUEST_RECEIVED && request->envelope.call != NULL &&
           !request->envelope.call->write && request->envelope.call->access == QUIRE_SESSION &&
           request->check.watermark.known && request->envelope.fault.size == 0;
}

static bool same_question(const struct quire_request *a, const struct quire_request *b) {
    return a->envelope.call == b->envelope.call && quire_slice_equal(a->envelope.session, b->envelope.session) &&
           quire_slice_equal(a->payload, b->payload) && a->check.watermark.lsn == b->check.watermark.lsn &&
           strcmp(a->check.watermark.epoch, b->check.watermark.epoch) == 0;
}

static void follow(struct quire_request *request, struct quire_request *leader) {
    request->leader = leader;
    quire_request_move(request, QUIRE_REQUEST_FOLDED);
    if (leader->deadline_ns < request->deadline_ns)
        leader->deadline_ns = request->deadline_ns;
}

/* Quadratic in the batch, whose length is bounded; sessions differ in their first bytes, so a comparison that fails is
 * short. */
size_t quire_fold(struct quire_request *requests, size_t count) {
    size_t folded = 0;

    for (size_t i = 1; i < count; i++) {
        if (!foldable(&requests[i]))
            continue;
        for (size_t k = 0; k < i; k++) {
            if (foldable(&requests[k]) && same_question(&requests[k], &requests[i])) {
                follow(&requests[i], &requests[k]);
                folded++;
                break;
            }
        }
    }
    return folded;
}
