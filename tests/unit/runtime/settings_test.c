#include "runtime/settings.h"
#include "unit/runtime/contract.h"
#include "unit/suite.h"

#include <stdlib.h>

static struct quire_runtime_settings settings;

static bool load(const char *lanes) {
    static struct quire_setting_table table;
    char *text = NULL;
    size_t size;
    FILE *errors = open_memstream(&text, &size);

    if (table.settings == NULL)
        CU_ASSERT_TRUE_FATAL(quire_runtime_setting_table(&test_service, &settings, &table));
    setenv("QUIRE_KAFKA_BROKERS", "localhost:1", 1);
    setenv("QUIRE_POSTGRES_PRIMARY", "host=localhost", 1);
    setenv("QUIRE_REDIS", "localhost:2", 1);
    setenv("QUIRE_LANES", lanes, 1);
    const bool loaded =
        quire_config_load(&table, 1, errors) && quire_runtime_settings_check(&test_service, &settings, errors);
    fclose(errors);
    free(text);
    return loaded;
}

static void each_lane_has_settings_of_its_own(void) {
    setenv("QUIRE_OTHER_WORKERS", "5", 1);
    CU_ASSERT_TRUE(load(""));
    CU_ASSERT_EQUAL(settings.lanes[TEST_LANE].workers, 1); /* the contract's */
    CU_ASSERT_EQUAL(settings.lanes[TEST_LANE].batch_max, 8);
    CU_ASSERT_EQUAL(settings.lanes[TEST_BULK_LANE].batch_max, 1);
    CU_ASSERT_EQUAL(settings.lanes[TEST_BULK_LANE].nice, 10);
    CU_ASSERT_EQUAL(settings.lanes[TEST_LANE].nice, 0);
    CU_ASSERT_EQUAL(settings.lanes[TEST_OTHER_LANE].workers, 5);
    unsetenv("QUIRE_OTHER_WORKERS");
}

static void without_names_all_lanes_are_served(void) {
    CU_ASSERT_TRUE(load(""));
    CU_ASSERT_TRUE(settings.lanes[TEST_LANE].served && settings.lanes[TEST_BULK_LANE].served &&
                   settings.lanes[TEST_OTHER_LANE].served);
}

static void named_lanes_are_served_and_no_others(void) {
    CU_ASSERT_TRUE(load("bulk,other"));
    CU_ASSERT_TRUE(!settings.lanes[TEST_LANE].served && settings.lanes[TEST_BULK_LANE].served &&
                   settings.lanes[TEST_OTHER_LANE].served);
}

/* A process that serves nothing for a typing error would look healthy. */
static void an_unknown_lane_is_refused(void) {
    CU_ASSERT_FALSE(load("bulk,otter"));
    CU_ASSERT_FALSE(load("bulk,,other"));
}

static void an_unknown_level_is_refused(void) {
    setenv("QUIRE_LOG_LEVEL", "loud", 1);
    CU_ASSERT_FALSE(load(""));
    setenv("QUIRE_LOG_LEVEL", "debug", 1);
    CU_ASSERT_TRUE(load(""));
    CU_ASSERT_EQUAL(settings.level, QUIRE_DEBUG);
    unsetenv("QUIRE_LOG_LEVEL");
}

QUIRE_TEST_MAIN("settings", NULL, NULL, {"each_lane_has_settings_of_its_own", each_lane_has_settings_of_its_own},
                {"without_names_all_lanes_are_served", without_names_all_lanes_are_served},
                {"named_lanes_are_served_and_no_others", named_lanes_are_served_and_no_others},
                {"an_unknown_lane_is_refused", an_unknown_lane_is_refused},
                {"an_unknown_level_is_refused", an_unknown_level_is_refused})
