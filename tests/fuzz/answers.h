/* PostgreSQL's part in consumer.h: is a parameter what its type's *_recv function takes, and what would an answer look
 * like. Types are the letters of struct consumer_statement. */
#ifndef QUIRE_FUZZ_ANSWERS_H
#define QUIRE_FUZZ_ANSWERS_H

#include "runtime/sql.h"

/* An assertion where one isn't well formed, or where there are more or fewer than `types`. */
void answers_check(const char *types, const struct quire_parameters *parameters);
/* Items of an array parameter that has been checked. */
size_t answers_items(const struct quire_parameters *parameters, unsigned index);
/* `rows` of plausible values; `dice` chooses among booleans and nulls. */
PGresult *answers_make(const char *types, const struct quire_parameters *parameters, unsigned rows, uint8_t dice);

#endif
