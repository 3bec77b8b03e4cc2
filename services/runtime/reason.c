#include "runtime/reason.h"

#include <assert.h>

static const struct {
    const char *name;
    unsigned status;
    const char *detail;
} reasons[] = {
#define ROW(identifier, name, status, detail) {name, status, detail},
    QUIRE_REASONS(ROW)
#undef ROW
};

const char *quire_reason_name(enum quire_reason reason) {
    assert(reason < QUIRE_REASONS_COUNT);
    return reasons[reason].name;
}

unsigned quire_reason_status(enum quire_reason reason) {
    assert(reason < QUIRE_REASONS_COUNT);
    return reasons[reason].status;
}

const char *quire_reason_detail(enum quire_reason reason) {
    assert(reason < QUIRE_REASONS_COUNT);
    return reasons[reason].detail;
}
