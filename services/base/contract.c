#include "base/contract.h"

const struct quire_contract_service *quire_contract_find(const struct quire_contract *contract, const char *name) {
    for (size_t i = 0; i < contract->services_count; i++) {
        if (strcmp(contract->services[i].name, name) == 0)
            return &contract->services[i];
    }
    return NULL;
}
