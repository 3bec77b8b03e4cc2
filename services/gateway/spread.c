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

uint32_t spread_together_max(uint32_t batch_max) {
    const uint32_t half = batch_max / 2, share = batch_max / 8;
    const uint32_t together = share > SPREAD_TOGETHER_LEAST ? share : SPREAD_TOGETHER_LEAST;
    if (half == 0)
        return 1;
    return together < half ? together : half;
}
