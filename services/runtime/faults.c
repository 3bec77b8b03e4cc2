#include "runtime/faults.h"

#ifdef QUIRE_FAULTS

#include <signal.h>
#include <unistd.h>

#define PAUSE_S 3

static struct quire_slice fault_of_id(struct quire_slice id) {
    static const char prefix[] = "fault.";
    const size_t skip = sizeof(prefix) - 1;

    if (id.size <= skip || memcmp(id.bytes, prefix, skip) != 0)
        return (struct quire_slice){0};
    const uint8_t *end = memchr(id.bytes + skip, '.', id.size - skip);
    return (struct quire_slice){id.bytes + skip, end == NULL ? id.size - skip : (size_t)(end - id.bytes) - skip};
}

static struct quire_slice fault_of(const struct quire_request *request) {
    return request->envelope.fault.size != 0 ? request->envelope.fault : fault_of_id(request->envelope.request_id);
}

static bool named(struct quire_slice fault, const char *name) {
    return quire_slice_equal(fault, quire_slice_of(name));
}

bool quire_fault_strikes(const struct quire_request *request, enum quire_fault_point point) {
    const struct quire_slice fault = fault_of(request);
    const bool first = request->attempt <= 1;

    if (fault.size == 0)
        return false;
    if ((point == QUIRE_FAULT_TURN && named(fault, "crash")) ||
        (point == QUIRE_FAULT_COMMITTED && first && named(fault, "crash-before-watermark")) ||
        (point == QUIRE_FAULT_PUBLISHED && first && named(fault, "crash-after-commit")))
        (void)kill(getpid(), SIGKILL);
    if (point == QUIRE_FAULT_PUBLISHED && first && named(fault, "pause-after-commit"))
        (void)sleep(PAUSE_S);
    return (point == QUIRE_FAULT_TURN && named(fault, "fail")) ||
           (point == QUIRE_FAULT_REPLIES && first && named(fault, "replies-fail")) ||
           (point == QUIRE_FAULT_PUBLISHER && first && named(fault, "publisher-fail"));
}

void quire_fault_strikes_event(const char *request_id) {
    if (named(fault_of_id(quire_slice_of(request_id)), "pause-before-flush"))
        (void)sleep(PAUSE_S);
}

#else
typedef int quire_faults_are_compiled_out; /* ISO C has no empty file */
#endif
