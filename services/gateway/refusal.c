#include "gateway/refusal.h"

const struct refusal_row refusal_rows[REFUSALS_COUNT] = {
#define REFUSAL_ROW(name, label, detail) [name] = {label, detail},
    REFUSALS(REFUSAL_ROW)
#undef REFUSAL_ROW
};
