#include "random.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>

static uint64_t state;

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016. */
static uint32_t next(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * UINT64_C(2685821657736338717)) >> 32);
}

static void fill(void *const bytes, const size_t size) {
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)next();
}

static const char *name(void) {
    return "fuzz";
}

void fuzz_random_rewind(void) {
    state = 1;
}

void fuzz_random_install(void) {
    static randombytes_implementation source = {.implementation_name = name, .random = next, .buf = fill};
    fuzz_random_rewind();
    if (randombytes_set_implementation(&source) != 0 || sodium_init() < 0)
        abort();
}
