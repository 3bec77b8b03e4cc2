#include "unit/suite.h"

#include "runtime/database_internal.h"

#include <stdio.h>
#include <unistd.h>

/* Else a password with a ';' in it would cut a replica's connection string in two. */
static void lists_are_split_outside_quotes(void) {
    char list[] = " host=a port=1 ;; host=b password='x;y' ;host=c password=p\\;q;\n";
    char *rest = list;
    CU_ASSERT_STRING_EQUAL(conninfo_next(&rest), "host=a port=1");
    CU_ASSERT_STRING_EQUAL(conninfo_next(&rest), "host=b password='x;y'");
    CU_ASSERT_STRING_EQUAL(conninfo_next(&rest), "host=c password=p\\;q");
    CU_ASSERT_PTR_NULL(conninfo_next(&rest));
    char quoted[] = "host=a password='it\\'s;'";
    rest = quoted;
    CU_ASSERT_STRING_EQUAL(conninfo_next(&rest), "host=a password='it\\'s;'");
    CU_ASSERT_PTR_NULL(conninfo_next(&rest));
    char empty[] = " ; ;";
    rest = empty;
    CU_ASSERT_PTR_NULL(conninfo_next(&rest));
}

/* A step above what is left would let a statement outlive its deadline; one far below would end it early. */
static void timeout_steps_are_coarse_and_never_above(void) {
    for (uint64_t ms = 20; ms < 70000; ms++) {
        uint32_t step = pipeline_timeout_step(ms);
        CU_ASSERT_FATAL(step <= ms && step >= ms - ms / 8 && pipeline_timeout_step(step) == step);
    }
    CU_ASSERT_EQUAL(pipeline_timeout_step(0), 20);
    CU_ASSERT_EQUAL(pipeline_timeout_step(19), 20);
    CU_ASSERT_TRUE(pipeline_timeout_step(UINT64_MAX) <= 3600000);
}

/* A replica that nobody asks would be left out for ever; one that follows another timeline may hold what the primary
 * never had. */
static void replicas_take_turns_within_their_epoch(void) {
    struct connection here[] = {
        {.epoch = "1/1", .position = 100}, {.epoch = "1/1", .position = 50}, {.epoch = "1/2", .position = 900}};
    struct quire_database database = {.servers_count = 4, .epoch = "1/1"};
    for (size_t i = 0; i < 3; i++)
        database.servers[i + 1].pipeline.connection = &here[i];
    struct quire_watermark watermark = {.known = true, .epoch = "1/1", .lsn = 80};
    bool ask;
    database.next_replica = 0;
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 0, false, 1, &ask), 1);
    CU_ASSERT_FALSE(ask);
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 0, false, 1, &ask), 2);
    CU_ASSERT_TRUE(ask);
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 0, false, 1, &ask), 1);
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 1u << 1, false, 1, &ask), 2);
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 1u << 1 | 1u << 2, false, 1, &ask), -1);
    database.servers[2].distrust_until_ns = 10;
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 1u << 1, false, 9, &ask), -1);
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 1u << 1, true, 9, &ask), 2);
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 1u << 1, false, 10, &ask), 2);
}

static void a_watermark_that_is_unknown_or_of_another_epoch_leads_to_no_replica(void) {
    struct connection here = {.epoch = "1/1", .position = 100};
    struct quire_database database = {.servers_count = 2, .epoch = "1/2"};
    database.servers[1].pipeline.connection = &here;
    struct quire_watermark watermark = {.known = true, .epoch = "1/1", .lsn = 80};
    bool ask;
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 0, true, 1, &ask), -1);
    database.epoch[0] = '\0'; /* no primary was ever seen: the replica's word must do */
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 0, false, 1, &ask), 1);
    watermark.known = false;
    CU_ASSERT_EQUAL(replica_choose(&database, &watermark, 0, true, 1, &ask), -1);
    CU_ASSERT_EQUAL(replica_choose(&database, NULL, 0, true, 1, &ask), -1);
}

/* Start-up must say what is wrong instead of trying for ever. */
static void a_bad_connection_string_is_refused(void) {
    struct quire_log *log = quire_log_create("test", "1", QUIRE_ERROR, STDERR_FILENO);
    struct quire_metrics *metrics = quire_metrics_create(50);
    struct quire_database_options options = {.primary = "host=x nonsense=1",
                                             .replicas = "",
                                             .connect_ms = 10,
                                             .retry_ms = 10,
                                             .log = log,
                                             .metrics = metrics};
    CU_ASSERT_PTR_NULL(quire_database_create(&options));
    options.primary = "host=x";
    options.replicas = "host=a;host=b;host=c;host=d;host=e;host=f;host=g;host=h;host=i";
    CU_ASSERT_PTR_NULL(quire_database_create(&options));
    options.replicas = "host=a;host=b";
    struct quire_database *database = quire_database_create(&options);
    CU_ASSERT_PTR_NOT_NULL(database);
    quire_database_destroy(database);
    quire_metrics_destroy(metrics);
    quire_log_destroy(log);
}

QUIRE_TEST_MAIN("database", NULL, NULL, {"lists_are_split_outside_quotes", lists_are_split_outside_quotes},
                {"timeout_steps_are_coarse_and_never_above", timeout_steps_are_coarse_and_never_above},
                {"replicas_take_turns_within_their_epoch", replicas_take_turns_within_their_epoch},
                {"a_watermark_that_is_unknown_or_of_another_epoch_leads_to_no_replica",
                 a_watermark_that_is_unknown_or_of_another_epoch_leads_to_no_replica},
                {"a_bad_connection_string_is_refused", a_bad_connection_string_is_refused})
