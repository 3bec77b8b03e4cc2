/* The main() of a unit test program: one suite of CUnit.
 *
 *     QUIRE_TEST_MAIN("inflight", set_up, tear_down, {"late_reply_meets_no_later_request",
 * late_reply_meets_no_later_request}, ...)
 *
 * set_up and tear_down are `int (void)`, 0 for success, once for the suite; NULL for none. The program fails when a
 * test fails or the suite could not be set up: CUnit keeps a record of either, whereas its count of failed asserts
 * misses the second. */
#ifndef QUIRE_UNIT_SUITE_H
#define QUIRE_UNIT_SUITE_H

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>

#include <stdbool.h>
#include <stddef.h>

struct quire_test {
    const char *name;
    void (*run)(void);
};

static inline int quire_run_suite(const char *suite_name, int (*init)(void), int (*cleanup)(void),
                                  const struct quire_test *tests, size_t tests_count) {
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite suite = CU_add_suite(suite_name, init, cleanup);
    bool added = suite != NULL;
    for (size_t i = 0; added && i < tests_count; i++)
        added = CU_add_test(suite, tests[i].name, tests[i].run) != NULL;
    if (added) {
        CU_basic_set_mode(CU_BRM_VERBOSE);
        added = CU_basic_run_tests() == CUE_SUCCESS;
    }
    bool good = added && CU_get_number_of_failure_records() == 0 && CU_get_number_of_tests_run() == tests_count;
    CU_cleanup_registry();
    return good ? 0 : 1;
}

#define QUIRE_TEST_MAIN(suite_name, init, cleanup, ...)                                                                \
    int main(void) {                                                                                                   \
        static const struct quire_test quire_tests_[] = {__VA_ARGS__};                                                 \
        return quire_run_suite(suite_name, init, cleanup, quire_tests_,                                                \
                               sizeof(quire_tests_) / sizeof(quire_tests_[0]));                                        \
    }

#endif
