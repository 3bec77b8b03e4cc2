#include "gateway/gathering.h"

#define WEIGHT 8u

size_t gathering_choose(const uint64_t *waits_ns, size_t count, uint32_t under_way, uint64_t reply_ns) {
    if (under_way < GATHERING_FROM)
        return 0;
    for (size_t index = count - 1; index > 0; index--)
        if (waits_ns[index] <= reply_ns / GATHERING_PART)
            return index;
    return 0;
}

uint64_t gathering_average(uint64_t reply_ns, uint64_t took_ns) {
    if (reply_ns == 0)
        return took_ns;
    return took_ns > reply_ns ? reply_ns + (took_ns - reply_ns) / WEIGHT : reply_ns - (reply_ns - took_ns) / WEIGHT;
}
