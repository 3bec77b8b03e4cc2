/* A call of the contract by its name, as tests write it. */
#ifndef QUIRE_UNIT_GATEWAY_CALL_OF_H
#define QUIRE_UNIT_GATEWAY_CALL_OF_H

#include "base/contract.h"

#include <CUnit/CUnit.h>

#include <string.h>

/* `method` is "package.Service/Rpc". A name that the contract hasn't ends the test. */
static inline const struct quire_call *call_of(const char *method) {
    for (size_t s = 0; s < quire_contract.services_count; s++)
        for (size_t i = 0; i < quire_contract.services[s].calls_count; i++)
            if (strcmp(quire_contract.services[s].calls[i].method, method) == 0)
                return &quire_contract.services[s].calls[i];
    CU_FAIL_FATAL("no such call");
    return NULL;
}

#endif
