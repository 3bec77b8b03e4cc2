#include "base/metrics.h"

#include "unit/suite.h"

#include <pthread.h>
#include <stdlib.h>

static struct {
    struct quire_metrics *metrics;
    char *text;
} f;

static int set_up(void) {
    f.metrics = quire_metrics_create(3);
    return f.metrics == NULL;
}

static int tear_down(void) {
    quire_metrics_destroy(f.metrics);
    quire_metrics_destroy(NULL);
    free(f.text);
    return 0;
}

static bool writes(void (*print)(struct quire_metrics *metrics, FILE *out), const char *expected) {
    size_t size = 0;
    free(f.text);
    FILE *out = open_memstream(&f.text, &size);
    print(f.metrics, out);
    fclose(out);
    return strstr(f.text, expected) != NULL;
}

static bool prints(const char *expected) {
    return writes(quire_metrics_print, expected);
}

static struct quire_series *series_of(struct quire_family *family, const char *a, const char *b) {
    return quire_metrics_series(family, (const char *const[]){a, b});
}

static void counter_is_printed_with_help_and_labels(void) {
    struct quire_family *family =
        quire_metrics_family(f.metrics, QUIRE_COUNTER, "requests_total", "Requests\nby \\ route.", "route,status");
    quire_series_add(series_of(family, "/documents/{id}", "200"), 1);
    quire_series_add(series_of(family, "/documents/{id}", "200"), 2);
    quire_series_add(series_of(family, "a\"b\\c\nd", "404"), 0.5);
    CU_ASSERT_TRUE(prints("# HELP requests_total Requests\\nby \\\\ route.\n# TYPE requests_total counter\n"
                          "requests_total{route=\"/documents/{id}\",status=\"200\"} 3\n"
                          "requests_total{route=\"a\\\"b\\\\c\\nd\",status=\"404\"} 0.5\n"));
}

static void same_name_and_labels_are_the_same_series(void) {
    struct quire_family *family = quire_metrics_family(f.metrics, QUIRE_COUNTER, "same_total", "Same.", "a,b");
    CU_ASSERT_PTR_EQUAL(family, quire_metrics_family(f.metrics, QUIRE_COUNTER, "same_total", "Same.", "a,b"));
    CU_ASSERT_PTR_EQUAL(series_of(family, "x", "y"), series_of(family, "x", "y"));
    CU_ASSERT_PTR_NOT_EQUAL(series_of(family, "x", "y"), series_of(family, "xy", ""));
}

/* A label from a caller must not let a scrape grow without end. */
static void series_beyond_the_bound_are_counted_as_other(void) {
    struct quire_family *family = quire_metrics_family(f.metrics, QUIRE_COUNTER, "bounded_total", "Bounded.", "a,b");
    struct quire_series *third = NULL;
    char name[16];
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof(name), "n%u", i);
        third = series_of(family, name, "");
        quire_series_add(third, 1);
    }
    for (unsigned i = 3; i < 10; i++) {
        (void)snprintf(name, sizeof(name), "n%u", i);
        quire_series_add(series_of(family, name, ""), 1);
    }
    CU_ASSERT_PTR_EQUAL(series_of(family, "n2", ""), third); /* known ones are still found */
    CU_ASSERT_EQUAL(quire_series_value(third), 1);
    CU_ASSERT_TRUE(prints("bounded_total{a=\"n2\",b=\"\"} 1\nbounded_total{a=\"other\",b=\"other\"} 7\n"));
}

static void gauge_is_what_it_was_set_to(void) {
    struct quire_series *series =
        quire_metrics_series(quire_metrics_family(f.metrics, QUIRE_GAUGE, "lag", "Lag.", ""), NULL);
    quire_series_set(series, 12);
    quire_series_set(series, -2.25);
    quire_series_add(series, 0.25);
    CU_ASSERT_EQUAL(quire_series_value(series), -2);
    CU_ASSERT_TRUE(prints("# TYPE lag gauge\nlag -2\n"));
}

/* Prometheus reads buckets as "at most": a value on a bound belongs to it. */
static void histogram_of_seconds_counts_on_and_beside_its_bounds(void) {
    struct quire_family *family = quire_metrics_family(f.metrics, QUIRE_HISTOGRAM, "took_seconds", "Time.", "route");
    struct quire_series *series = quire_metrics_series(family, (const char *const[]){"/x"});
    quire_series_observe(series, 0.0005);
    quire_series_observe(series, 0.00051);
    quire_series_observe(series, 10);
    quire_series_observe(series, 11);
    CU_ASSERT_EQUAL(quire_series_value(series), 4);
    CU_ASSERT_TRUE(prints(
        "took_seconds_bucket{route=\"/x\",le=\"0.0005\"} 1\ntook_seconds_bucket{route=\"/x\",le=\"0.001\"} 2\n"));
    CU_ASSERT_TRUE(
        prints("took_seconds_bucket{route=\"/x\",le=\"10\"} 3\ntook_seconds_bucket{route=\"/x\",le=\"+Inf\"} 4\n"
               "took_seconds_sum{route=\"/x\"} 21.00101\ntook_seconds_count{route=\"/x\"} 4\n"));
}

static void histogram_of_sizes_has_powers_of_four(void) {
    struct quire_series *series =
        quire_metrics_series(quire_metrics_family(f.metrics, QUIRE_HISTOGRAM, "batch_size", "Size.", ""), NULL);
    quire_series_observe(series, 1);
    quire_series_observe(series, 64);
    CU_ASSERT_TRUE(
        prints("batch_size_bucket{le=\"1\"} 1\nbatch_size_bucket{le=\"4\"} 1\nbatch_size_bucket{le=\"16\"} 1\n"
               "batch_size_bucket{le=\"64\"} 2\n"));
    CU_ASSERT_TRUE(prints("batch_size_bucket{le=\"67108864\"} 2\n"));
}

#define ADDITIONS 100000u
static void *add_many(void *series) {
    for (unsigned i = 0; i < ADDITIONS; i++)
        quire_series_add(series, 1);
    return NULL;
}

static void additions_of_two_threads_are_all_counted(void) {
    struct quire_series *series =
        quire_metrics_series(quire_metrics_family(f.metrics, QUIRE_COUNTER, "both_total", "Both.", ""), NULL);
    pthread_t threads[2];
    for (unsigned i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, add_many, series), 0);
    CU_ASSERT_TRUE(prints("both_total")); /* printing meanwhile is allowed */
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(quire_series_value(series), 2 * ADDITIONS);
}

/* The page of docs is made from this: it must not depend on what was declared first. */
static void families_are_described_in_the_order_of_their_names(void) {
    (void)quire_metrics_family(f.metrics, QUIRE_GAUGE, "zz_second", "Second.", "");
    (void)quire_metrics_family(f.metrics, QUIRE_HISTOGRAM, "zz_first_seconds", "First.", "a,b");
    CU_ASSERT_TRUE(writes(quire_metrics_describe, "| `zz_first_seconds` | histogram | `a`, `b` | First. |\n"
                                                  "| `zz_second` | gauge | | Second. |\n"));
}

QUIRE_TEST_MAIN(
    "metrics", set_up, tear_down, {"counter_is_printed_with_help_and_labels", counter_is_printed_with_help_and_labels},
    {"same_name_and_labels_are_the_same_series", same_name_and_labels_are_the_same_series},
    {"series_beyond_the_bound_are_counted_as_other", series_beyond_the_bound_are_counted_as_other},
    {"gauge_is_what_it_was_set_to", gauge_is_what_it_was_set_to},
    {"histogram_of_seconds_counts_on_and_beside_its_bounds", histogram_of_seconds_counts_on_and_beside_its_bounds},
    {"histogram_of_sizes_has_powers_of_four", histogram_of_sizes_has_powers_of_four},
    {"families_are_described_in_the_order_of_their_names", families_are_described_in_the_order_of_their_names},
    {"additions_of_two_threads_are_all_counted", additions_of_two_threads_are_all_counted})
