#include "gateway/spread.h"

#include <assert.h>

uint32_t spread_next(struct spread *spread, uint32_t partitions, uint32_t together_max, uint64_t now_ns) {
    assert(partitions > 0);
    assert(together_max > 0);
    if (spread->left == 0 || now_ns >= spread->until_ns) {
        spread->turn++;
        spread->left = together_max;
        spread->until_ns = now_ns + SPREAD_TOGETHER_NS;
    }
    spread->left--;
    return (spread->turn - 1) % partitions;
}
