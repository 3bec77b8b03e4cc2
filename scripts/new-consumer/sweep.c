#include "handlers.h"

#define SWEEP_MAX 1000
#define SWEEP_REST_MS 10000u

/* Index once_expires_at. */
const struct quire_statement @name@_sweep_statement = {
    .name = "@name@.sweep",
    .sql = "SELECT @name@.sweep_once($1::int)",
    .on_primary_only = true,
};

unsigned @name@_sweep_once(struct quire_background *background, void *context) {
    (void)context;
    struct quire_parameters parameters = {.arena = quire_background_arena(background)};
    quire_bind_int32(&parameters, SWEEP_MAX);
    PGresult *result = quire_background_sql(background, &@name@_sweep_statement, &parameters);
    const bool more = result != NULL && quire_column_int64(result, 0, 0) == SWEEP_MAX;
    PQclear(result);
    return more ? 100 : SWEEP_REST_MS;
}
