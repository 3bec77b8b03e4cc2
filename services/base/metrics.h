/* Counters, gauges and histograms in Prometheus' text format (version 0.0.4).
 *
 * A family is declared once (name, help, label names); a series is looked up by label values and then kept by the
 * caller: creating takes a lock, counting is one relaxed atomic addition, from any thread. A family's series are
 * bounded by series_max; beyond it all share one series labelled "other". */
#ifndef QUIRE_BASE_METRICS_H
#define QUIRE_BASE_METRICS_H

#include "base/slice.h"

#include <stdio.h>

struct quire_metrics;
struct quire_family;
struct quire_series;

enum quire_metric_type { QUIRE_COUNTER, QUIRE_GAUGE, QUIRE_HISTOGRAM };

QUIRE_MUSTCHECK struct quire_metrics *quire_metrics_create(size_t series_max);
void quire_metrics_destroy(struct quire_metrics *metrics);

/* `labels` is a comma-separated list of names, "" for none. The same name gives the same family. Buckets of a histogram
 * of seconds: 0.5 ms to 10 s; of sizes (QUIRE_HISTOGRAM with a name that ends in _size or _bytes): powers of 4 from 1.
 * Never NULL: aborts without memory, as this is start-up. */
struct quire_family *quire_metrics_family(struct quire_metrics *metrics, enum quire_metric_type type, const char *name,
                                          const char *help, const char *labels);
/* One value a label, in order. Never NULL. */
struct quire_series *quire_metrics_series(struct quire_family *family, const char *const *values);
/* The series of a family with one label, "" and NULL for none: declared and looked up in one call. Never NULL. */
struct quire_series *quire_metrics_one(struct quire_metrics *metrics, enum quire_metric_type type, const char *name,
                                       const char *help, const char *label, const char *value);
void quire_series_add(struct quire_series *series, double amount);
void quire_series_set(struct quire_series *series, double value);
void quire_series_observe(struct quire_series *series, double value);
double quire_series_value(const struct quire_series *series);

void quire_metrics_print(struct quire_metrics *metrics, FILE *out);
/* The families themselves, as a Markdown table in the order of their names: docs/OPERATING.md is made from it. */
void quire_metrics_describe(struct quire_metrics *metrics, FILE *out);

#endif
