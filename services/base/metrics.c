#include "base/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LABELS_MAX 8u
#define BUCKETS 14u

static const double second_buckets[BUCKETS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                               0.1,    0.25,  0.5,    1,     2.5,  5,     10};
static const double size_buckets[BUCKETS] = {1,     4,     16,     64,      256,     1024,     4096,
                                             16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};

/* Everything but the atomics is constant once the series stands in its family's list. */
struct quire_series {
    struct quire_series *next;
    const struct quire_family *family;
    char *values[LABELS_MAX];
    _Atomic uint64_t value_bits;           /* a double: the value, or a histogram's sum */
    _Atomic uint64_t buckets[BUCKETS + 1]; /* of a histogram: not cumulated; the last is beyond all bounds */
};

struct quire_family {
    struct quire_family *next;
    struct quire_metrics *metrics;
    enum quire_metric_type type;
    char *name, *help, *labels;
    const char *label_names[LABELS_MAX]; /* in `labels`, NUL-terminated */
    size_t labels_count;
    const double *bounds;
    struct quire_series *first, **last; /* under the lock */
    struct quire_series *other;         /* under the lock; NULL until the family is full */
    size_t series_count;                /* under the lock */
};

struct quire_metrics {
    size_t series_max;
    pthread_mutex_t lock; /* the lists; never held while counting */
    struct quire_family *first, **last;
};

static void *must(void *memory) {
    if (memory == NULL)
        abort(); /* metrics are made at start-up, and few later: nothing sensible goes on without memory for them */
    return memory;
}

struct quire_metrics *quire_metrics_create(size_t series_max) {
    struct quire_metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics == NULL)
        return NULL;
    metrics->series_max = series_max;
    metrics->last = &metrics->first;
    pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

static void destroy_series(struct quire_series *series) {
    for (size_t i = 0; i < LABELS_MAX; i++)
        free(series->values[i]);
    free(series);
}

static void destroy_family(struct quire_family *family) {
    while (family->first != NULL) {
        struct quire_series *series = family->first;
        family->first = series->next;
        destroy_series(series);
    }
    free(family->name);
    free(family->help);
    free(family->labels);
    free(family);
}

void quire_metrics_destroy(struct quire_metrics *metrics) {
    if (metrics == NULL)
        return;
    while (metrics->first != NULL) {
        struct quire_family *family = metrics->first;
        metrics->first = family->next;
        destroy_family(family);
    }
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

static bool ends_in(const char *text, const char *ending) {
    size_t size = strlen(text), ending_size = strlen(ending);
    return size >= ending_size && strcmp(text + size - ending_size, ending) == 0;
}

static struct quire_family *new_family(struct quire_metrics *metrics, enum quire_metric_type type, const char *name,
                                       const char *help, const char *labels) {
    struct quire_family *family = must(calloc(1, sizeof(*family)));
    family->metrics = metrics;
    family->type = type;
    family->name = must(strdup(name));
    family->help = must(strdup(help));
    family->labels = must(strdup(labels));
    family->bounds = ends_in(name, "_size") || ends_in(name, "_bytes") ? size_buckets : second_buckets;
    family->last = &family->first;
    char *rest = family->labels;
    while (rest != NULL && *rest != '\0') {
        assert(family->labels_count < LABELS_MAX);
        family->label_names[family->labels_count++] = strsep(&rest, ",");
    }
    return family;
}

struct quire_family *quire_metrics_family(struct quire_metrics *metrics, enum quire_metric_type type, const char *name,
                                          const char *help, const char *labels) {
    pthread_mutex_lock(&metrics->lock);
    struct quire_family *family = metrics->first;
    while (family != NULL && strcmp(family->name, name) != 0)
        family = family->next;
    if (family == NULL) {
        family = new_family(metrics, type, name, help, labels);
        *metrics->last = family;
        metrics->last = &family->next;
    }
    pthread_mutex_unlock(&metrics->lock);
    assert(family->type == type); /* two modules mean different things by one name */
    return family;
}

static struct quire_series *append_series(struct quire_family *family, const char *const *values) {
    struct quire_series *series = must(calloc(1, sizeof(*series)));
    series->family = family;
    for (size_t i = 0; i < family->labels_count; i++)
        series->values[i] = must(strdup(values == NULL ? "other" : values[i]));
    *family->last = series;
    family->last = &series->next;
    return series;
}

static bool has_values(const struct quire_series *series, const char *const *values) {
    for (size_t i = 0; i < series->family->labels_count; i++) {
        if (strcmp(series->values[i], values[i]) != 0)
            return false;
    }
    return true;
}

struct quire_series *quire_metrics_series(struct quire_family *family, const char *const *values) {
    pthread_mutex_lock(&family->metrics->lock);
    struct quire_series *series = family->first;
    while (series != NULL && !has_values(series, values))
        series = series->next;
    if (series == NULL && family->series_count < family->metrics->series_max) {
        series = append_series(family, values);
        family->series_count++;
    } else if (series == NULL) {
        if (family->other == NULL)
            family->other = append_series(family, NULL);
        series = family->other;
    }
    pthread_mutex_unlock(&family->metrics->lock);
    return series;
}

struct quire_series *quire_metrics_one(struct quire_metrics *metrics, enum quire_metric_type type, const char *name,
                                       const char *help, const char *label, const char *value) {
    return quire_metrics_series(quire_metrics_family(metrics, type, name, help, label), (const char *const[]){value});
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* C11 adds no doubles atomically; uncontended the loop costs what an addition does. */
static void add_to(_Atomic uint64_t *bits, double amount) {
    uint64_t before = atomic_load_explicit(bits, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(bits, &before, bits_of(double_of(before) + amount),
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

void quire_series_add(struct quire_series *series, double amount) {
    add_to(&series->value_bits, amount);
}

void quire_series_set(struct quire_series *series, double value) {
    atomic_store_explicit(&series->value_bits, bits_of(value), memory_order_relaxed);
}

void quire_series_observe(struct quire_series *series, double value) {
    size_t bucket = 0;
    while (bucket < BUCKETS && value > series->family->bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
    add_to(&series->value_bits, value);
}

double quire_series_value(const struct quire_series *series) {
    if (series->family->type != QUIRE_HISTOGRAM)
        return double_of(atomic_load_explicit(&series->value_bits, memory_order_relaxed));
    uint64_t count = 0;
    for (size_t i = 0; i <= BUCKETS; i++)
        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
    return (double)count;
}

static void print_escaped(FILE *out, const char *text, bool quoted) {
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            fputs("\\n", out);
        else if (*text == '\\' || (quoted && *text == '"'))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

/* Name and labels; `le` is a histogram's further label, NULL for none. */
static void print_name(FILE *out, const struct quire_series *series, const char *suffix, const char *le) {
    const struct quire_family *family = series->family;
    fprintf(out, "%s%s", family->name, suffix);
    if (family->labels_count > 0 || le != NULL) {
        const char *before = "{";
        for (size_t i = 0; i < family->labels_count; i++) {
            fprintf(out, "%s%s=\"", before, family->label_names[i]);
            print_escaped(out, series->values[i], true);
            fputc('"', out);
            before = ",";
        }
        if (le != NULL)
            fprintf(out, "%sle=\"%s\"", before, le);
        fputc('}', out);
    }
    fputc(' ', out);
}

static void print_histogram(FILE *out, const struct quire_series *series) {
    uint64_t count = 0;
    char bound[32];
    for (size_t i = 0; i <= BUCKETS; i++) {
        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        if (i < BUCKETS)
            (void)snprintf(bound, sizeof(bound), "%.15g", series->family->bounds[i]);
        print_name(out, series, "_bucket", i < BUCKETS ? bound : "+Inf");
        fprintf(out, "%llu\n", (unsigned long long)count);
    }
    print_name(out, series, "_sum", NULL);
    fprintf(out, "%.15g\n", double_of(atomic_load_explicit(&series->value_bits, memory_order_relaxed)));
    print_name(out, series, "_count", NULL);
    fprintf(out, "%llu\n", (unsigned long long)count);
}

static const char *const types[] = {"counter", "gauge", "histogram"};

void quire_metrics_print(struct quire_metrics *metrics, FILE *out) {
    pthread_mutex_lock(&metrics->lock);
    for (const struct quire_family *family = metrics->first; family != NULL; family = family->next) {
        fprintf(out, "# HELP %s ", family->name);
        print_escaped(out, family->help, false);
        fprintf(out, "\n# TYPE %s %s\n", family->name, types[family->type]);
        for (const struct quire_series *series = family->first; series != NULL; series = series->next) {
            if (family->type == QUIRE_HISTOGRAM) {
                print_histogram(out, series);
                continue;
            }
            print_name(out, series, "", NULL);
            fprintf(out, "%.15g\n", quire_series_value(series));
        }
    }
    pthread_mutex_unlock(&metrics->lock);
}

static void print_description(FILE *out, const struct quire_family *family) {
    fprintf(out, "| `%s` | %s |", family->name, types[family->type]);
    for (size_t i = 0; i < family->labels_count; i++)
        fprintf(out, "%s `%s`", i == 0 ? "" : ",", family->label_names[i]);
    fprintf(out, " | %s |\n", family->help);
}

/* The family whose name comes next after `name`; NULL after the last. A family is looked for among all each time: there
 * are dozens, and only people ask. */
static const struct quire_family *next_by_name(const struct quire_metrics *metrics, const char *name) {
    const struct quire_family *next = NULL;
    for (const struct quire_family *family = metrics->first; family != NULL; family = family->next) {
        if (strcmp(family->name, name) > 0 && (next == NULL || strcmp(family->name, next->name) < 0))
            next = family;
    }
    return next;
}

void quire_metrics_describe(struct quire_metrics *metrics, FILE *out) {
    fputs("| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n", out);
    pthread_mutex_lock(&metrics->lock);
    const struct quire_family *family = next_by_name(metrics, "");
    for (; family != NULL; family = next_by_name(metrics, family->name))
        print_description(out, family);
    pthread_mutex_unlock(&metrics->lock);
}
