/* Named statements, their parameters and their results. All in PostgreSQL's binary format, so that nothing is quoted or
 * parsed twice. Worker thread only; parameters live in the request's arena. */
#ifndef QUIRE_RUNTIME_SQL_H
#define QUIRE_RUNTIME_SQL_H

#include "base/arena.h"
#include "base/slice.h"

#include <libpq-fe.h>

#define QUIRE_PARAMETERS_MAX 24

/* Prepared under its name on every connection that may run it. */
struct quire_statement {
    const char *name; /* "documents.get" */
    const char *sql;
    bool on_primary_only; /* writes; not prepared on replicas */
};

struct quire_parameters {
    struct quire_arena *arena;
    int count;
    bool failed; /* no memory, or more than QUIRE_PARAMETERS_MAX: the request is answered 503 */
    const char *values[QUIRE_PARAMETERS_MAX];
    int lengths[QUIRE_PARAMETERS_MAX];
};

void quire_bind_null(struct quire_parameters *parameters);
void quire_bind_bytes(struct quire_parameters *parameters, struct quire_slice bytes); /* bytea, uuid: not copied */
void quire_bind_text(struct quire_parameters *parameters, struct quire_slice text);   /* text, json: not copied */
void quire_bind_ctext(struct quire_parameters *parameters, const char *text);         /* NULL binds null */
void quire_bind_uuid(struct quire_parameters *parameters, const uint8_t uuid[16]);
void quire_bind_int32(struct quire_parameters *parameters, int32_t value);
void quire_bind_int64(struct quire_parameters *parameters, int64_t value);
void quire_bind_double(struct quire_parameters *parameters, double value);
void quire_bind_bool(struct quire_parameters *parameters, bool value);
void quire_bind_time(struct quire_parameters *parameters, int64_t unix_ms); /* timestamptz */
void quire_bind_text_array(struct quire_parameters *parameters, const struct quire_slice *items,
                           size_t count); /* text[] */
void quire_bind_uuid_array(struct quire_parameters *parameters, const struct quire_slice *items,
                           size_t count); /* uuid[] */
void quire_bind_bytes_array(struct quire_parameters *parameters, const struct quire_slice *items,
                            size_t count);                                                            /* bytea[] */
void quire_bind_int32_array(struct quire_parameters *parameters, const int32_t *items, size_t count); /* int4[] */
void quire_bind_int64_array(struct quire_parameters *parameters, const int64_t *items, size_t count); /* int8[] */

/* Columns by number, of the type they are named for; an assertion when they are null (ask first) or of another width.
 * Slices point into the result. */
bool quire_column_null(const PGresult *result, int row, int column);
struct quire_slice quire_column_text(const PGresult *result, int row, int column); /* also bytea, json, uuid */
int32_t quire_column_int32(const PGresult *result, int row, int column);
int64_t quire_column_int64(const PGresult *result, int row, int column);
double quire_column_double(const PGresult *result, int row, int column);
bool quire_column_bool(const PGresult *result, int row, int column);
int64_t quire_column_time(const PGresult *result, int row, int column); /* milliseconds since 1970, rounded down */
/* Items of a one-dimensional array without nulls, in `arena`; false without memory. */
QUIRE_MUSTCHECK bool quire_column_text_array(const PGresult *result, int row, int column, struct quire_arena *arena,
                                             struct quire_slice **ret_items, size_t *ret_count);

#endif
