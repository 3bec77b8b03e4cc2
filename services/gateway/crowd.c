#include "gateway/crowd.h"

bool crowd_has_gone(struct crowd *crowd, uint32_t waiting, uint64_t now_ns) {
    if (waiting > crowd->most)
        crowd->most = waiting;
    if (crowd->most < CROWD_REQUESTS || waiting > crowd->most / 4 || now_ns < crowd->trimmed_ns + CROWD_INTERVAL_NS)
        return false;
    crowd->most = waiting;
    crowd->trimmed_ns = now_ns;
    return true;
}
