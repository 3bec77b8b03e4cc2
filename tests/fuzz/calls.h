/* The calls of the contract by number. */
#ifndef QUIRE_FUZZ_CALLS_H
#define QUIRE_FUZZ_CALLS_H

#include "base/contract.h"

#include <stdlib.h>

/* Numbers beyond the last begin again. */
static inline const struct quire_call *fuzz_call(size_t number) {
    size_t calls = 0;
    for (size_t i = 0; i < quire_contract.services_count; i++)
        calls += quire_contract.services[i].calls_count;
    if (calls == 0)
        abort();
    number %= calls;
    for (size_t i = 0;; i++) {
        if (number < quire_contract.services[i].calls_count)
            return &quire_contract.services[i].calls[number];
        number -= quire_contract.services[i].calls_count;
    }
}

#endif
