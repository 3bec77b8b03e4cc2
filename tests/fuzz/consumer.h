/* One request of a service, as anybody who may write to its topic can make it: decoded by runtime/, handled by the
 * service's own handler, and its statements answered as PostgreSQL would.
 *
 * What must hold, whatever the bytes: the request is answered, by a status that its handler may give, and is no dead
 * letter unless its bytes are no message; each statement is one of the service's own and gets as many parameters as it
 * has, each well formed for its type, texts in UTF-8 without NUL; the account is among the parameters of whatever
 * touches somebody's rows; and the gateway can read the answer.
 *
 * An input's first byte chooses the call, the second what the database says, the rest is the payload. */
#ifndef QUIRE_FUZZ_CONSUMER_H
#define QUIRE_FUZZ_CONSUMER_H

#include "runtime/batch.h"

/* A statement's parameters and columns, one letter each: b bytea, d float8, e an e-mail address, h a password's hash,
 * i int4, j JSON, k a state's stamp (bytea), l int8, o boolean, s a session's key (bytea), t text, u uuid, z
 * timestamptz; L, I, T, U arrays of what the small letter is; D and P documents and postings of two lexemes (bytea[]);
 * W the last parameter again, as lexemes are. A '?' behind it: may be null. */
struct consumer_statement {
    const struct quire_statement *statement;
    const char *parameters, *columns;
    bool owned;        /* the account must be among the parameters */
    unsigned rows_max; /* the database says 0 to so many */
    unsigned rows_min;
    unsigned rows_of; /* number of an array parameter, counted from 1: a row for each of its items; 0: as above */
};

struct consumer {
    const char *service;
    ProtobufCService *handlers;
    void *context;
    const struct consumer_statement *statements;
    size_t statements_count;
};

/* Once, from LLVMFuzzerInitialize. `consumer` stays the caller's. */
void consumer_begin(const struct consumer *consumer);
/* One input. */
int consumer_run(const uint8_t *data, size_t size);

#endif
