/* Brings a service's schema up to date: runtime's once.sql, then the service's own numbered files, as the owner role.
 *
 * Safe to run twice and by two at once (advisory lock). Each file is one transaction and is recorded in
 * <schema>.migrations with its SHA-256; a file that was applied and is different now is an error: write a new one
 * instead. Start-up thread; blocks, each wait within wait_ms. */
#ifndef QUIRE_RUNTIME_MIGRATE_H
#define QUIRE_RUNTIME_MIGRATE_H

#include "base/log.h"

struct quire_migrate_options {
    const char *conninfo; /* of the owner; libpq */
    const char *password; /* NULL: as conninfo says */
    const char *service;  /* "documents" */
    const char *schema;   /* made when it isn't there: a plain lower-case name */
    const char *folder;   /* holds NNN_name.sql; NULL: QUIRE_MIGRATIONS, else /usr/share/quire/<service>/migrations */
    uint32_t wait_ms;     /* for the database to come up, and for another one that migrates; 0: a minute */
    struct quire_log *log;
};

/* 0 when the schema is up to date; 1 after logging why it isn't. A process's exit status. */
QUIRE_MUSTCHECK int quire_migrate(const struct quire_migrate_options *options);
/* The whole of `quire-<service> migrate` and of `quire-migrate`: connection and password from QUIRE_POSTGRES_MIGRATE
 * and QUIRE_POSTGRES_PASSWORD (or its _FILE), wait and folder as they are by default. A process's exit status; 2:
 * misused, which was told on stderr. */
QUIRE_MUSTCHECK int quire_migrate_main(const char *service, const char *schema);

#endif
