/* Can this process use io_uring, and if not: why, and what mends it. Start-up thread. */
#ifndef QUIRE_GATEWAY_PROBE_H
#define QUIRE_GATEWAY_PROBE_H

#include "base/slice.h"

struct probe_facts {
    int error;       /* of the attempt: 0 or a positive errno */
    int disabled;    /* kernel.io_uring_disabled: 0, 1, 2; -1: the setting doesn't exist */
    int seccomp;     /* of /proc/self/status: 0 none, 2 a filter; -1: unknown */
    char kernel[64]; /* release, as uname has it */
};

struct probe_verdict {
    bool usable;
    const char *cause, *cure; /* one sentence each; NULL when usable */
};

/* Sets a ring up as the gateway does, with a receive buffer ring, and takes it down again. */
void probe_gather(struct probe_facts *ret_facts);
/* What the facts mean. Constant texts. */
struct probe_verdict probe_judge(const struct probe_facts *facts);

#endif
