#include "runtime/migrate.h"

#include "base/clock.h"
#include "base/config.h"

#include <dirent.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STATUS_FAILED 1
#define STATUS_MISUSED 2
#define MS_NS UINT64_C(1000000)
#define WAIT_MS_DEFAULT 60000u
#define RETRY_MS 200
#define FILE_BYTES_MAX (16u << 20)
#define PATH_CHARACTERS 4096u
#define CHECKSUM_CHARACTERS (2u * crypto_hash_sha256_BYTES)
#define ONCE_NAME "once.sql"

extern const char quire_once_sql[];

struct migration {
    const struct quire_migrate_options *options;
    char folder[PATH_CHARACTERS];
    uint32_t wait_ms;
    PGconn *pg;
};

static bool fail(const struct migration *migration, const char *what, const char *why) {
    QUIRE_LOG(migration->options->log, QUIRE_ERROR, "migrate.failed", QUIRE_CTEXT("schema", migration->options->schema),
              QUIRE_CTEXT("at", what), QUIRE_CTEXT("error", why));
    return false;
}

/* NULL after logging why. The caller clears the result. */
static PGresult *query(const struct migration *migration, const char *what, const char *sql, int count,
                       const char *const *values) {
    /* Without parameters by the simple protocol, which takes many statements at once. */
    PGresult *result =
        count == 0 ? PQexec(migration->pg, sql) : PQexecParams(migration->pg, sql, count, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
        return result;
    (void)fail(migration, what, PQresultErrorMessage(result));
    PQclear(result);
    return NULL;
}

static bool run(const struct migration *migration, const char *what, const char *sql, int count,
                const char *const *values) {
    PGresult *result = query(migration, what, sql, count, values);
    PQclear(result);
    return result != NULL;
}

static bool plain_name(const char *name) {
    return name[0] >= 'a' && name[0] <= 'z' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name) &&
           strlen(name) < 40;
}

static void ignore_notice(void *context, const PGresult *result) {
    (void)context; /* "already exists, skipping" */
    (void)result;
}

/* Tries until the server lets us in. */
static bool connect_to(struct migration *migration) {
    const char *keywords[] = {
        "connect_timeout", "dbname", "application_name", "target_session_attrs", "client_encoding", "password", NULL};
    const char *values[] = {
        "2", migration->options->conninfo, "quire-migrate", "read-write", "UTF8", migration->options->password, NULL};
    if (migration->options->password == NULL)
        keywords[5] = NULL;
    uint64_t until_ns = quire_monotonic_ns() + migration->wait_ms * MS_NS;
    for (bool told = false;; told = true) {
        migration->pg = PQconnectdbParams(keywords, values, 1);
        if (PQstatus(migration->pg) == CONNECTION_OK) {
            PQsetNoticeReceiver(migration->pg, ignore_notice, NULL);
            return true;
        }
        if (quire_monotonic_ns() >= until_ns)
            return fail(migration, "connecting", PQerrorMessage(migration->pg));
        if (!told)
            QUIRE_LOG(migration->options->log, QUIRE_INFO, "migrate.waiting",
                      QUIRE_CTEXT("error", PQerrorMessage(migration->pg)));
        PQfinish(migration->pg);
        migration->pg = NULL;
        nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * (long)MS_NS}, NULL);
    }
}

/* One migrates at a time; the lock goes with the connection. */
static bool prepare(const struct migration *migration) {
    char sql[1024], name[64];
    snprintf(name, sizeof name, "quire.migrate.%s", migration->options->schema);
    snprintf(sql, sizeof sql, "SET statement_timeout = %" PRIu32, migration->wait_ms);
    if (!run(migration, "setting up", sql, 0, NULL) ||
        !run(migration, "waiting for another migration", "SELECT pg_advisory_lock(hashtextextended($1, 0))", 1,
             (const char *const[]){name}))
        return false;
    snprintf(sql, sizeof sql,
             "SET statement_timeout = '15min'; SET lock_timeout = '30s';"
             "CREATE SCHEMA IF NOT EXISTS %1$s; SET search_path = %1$s, public;"
             "CREATE TABLE IF NOT EXISTS migrations ("
             " name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
             migration->options->schema);
    return run(migration, "the schema", sql, 0, NULL);
}

static void checksum_of(const char *text, char ret_checksum[CHECKSUM_CHARACTERS + 1]) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(ret_checksum, CHECKSUM_CHARACTERS + 1, hash, sizeof hash);
}

/* Applies one text in one transaction, unless that was done before. `changes`: it may differ from what was applied, and
 * is then applied again. */
static bool apply(const struct migration *migration, const char *name, const char *text, bool changes) {
    char checksum[CHECKSUM_CHARACTERS + 1];
    checksum_of(text, checksum);
    PGresult *result =
        query(migration, name, "SELECT checksum FROM migrations WHERE name = $1", 1, (const char *const[]){name});
    if (result == NULL)
        return false;
    bool applied = PQntuples(result) == 1, same = applied && strcmp(PQgetvalue(result, 0, 0), checksum) == 0;
    PQclear(result);
    if (same)
        return true;
    if (applied && !changes)
        return fail(
            migration, name,
            "the file was applied before and has changed since: undo the change, and put it in a file of its own");
    uint64_t begun_ns = quire_monotonic_ns();
    if (!run(migration, name, "BEGIN", 0, NULL) || !run(migration, name, text, 0, NULL) ||
        !run(migration, name,
             "INSERT INTO migrations (name, checksum) VALUES ($1, $2)"
             " ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = now()",
             2, (const char *const[]){name, checksum}) ||
        !run(migration, name, "COMMIT", 0, NULL))
        return false; /* the connection is closed, and with it the transaction */
    QUIRE_LOG(migration->options->log, QUIRE_INFO, "migrate.applied", QUIRE_CTEXT("schema", migration->options->schema),
              QUIRE_CTEXT("name", name), QUIRE_INTEGER("ms", (quire_monotonic_ns() - begun_ns) / MS_NS));
    return true;
}

/* "NNN_name.sql" */
static int is_migration(const struct dirent *entry) {
    const char *name = entry->d_name;
    size_t size = strlen(name);
    return size > 8 && strspn(name, "0123456789") == 3 && name[3] == '_' && strcmp(name + size - 4, ".sql") == 0;
}

/* The file as text; NULL after logging why. The caller frees it. */
static char *read_file(const struct migration *migration, const char *name) {
    char path[PATH_CHARACTERS + 256];
    snprintf(path, sizeof path, "%s/%s", migration->folder, name);
    FILE *file = fopen(path, "rb");
    char *text = file == NULL ? NULL : malloc(FILE_BYTES_MAX + 1);
    size_t size = text == NULL ? 0 : fread(text, 1, FILE_BYTES_MAX + 1, file);
    bool good = text != NULL && ferror(file) == 0 && size <= FILE_BYTES_MAX && memchr(text, '\0', size) == NULL;
    if (file != NULL)
        fclose(file);
    if (good) {
        text[size] = '\0';
        return text;
    }
    free(text);
    (void)fail(migration, path, "the file can't be read, is larger than 16 MiB or no text");
    return NULL;
}

/* Two files of one number would have no order. */
static bool numbers_differ(const struct migration *migration, struct dirent *const *entries, int count) {
    for (int i = 1; i < count; i++)
        if (strncmp(entries[i - 1]->d_name, entries[i]->d_name, 3) == 0)
            return fail(migration, entries[i]->d_name, "another file has the same number");
    return true;
}

static bool apply_folder(const struct migration *migration) {
    struct dirent **entries = NULL;
    int count = scandir(migration->folder, &entries, is_migration, alphasort);
    if (count < 0)
        return fail(migration, migration->folder, "the folder can't be read: set QUIRE_MIGRATIONS");
    bool good = numbers_differ(migration, entries, count);
    for (int i = 0; i < count && good; i++) {
        char *text = read_file(migration, entries[i]->d_name);
        good = text != NULL && apply(migration, entries[i]->d_name, text, false);
        free(text);
    }
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return good;
}

int quire_migrate(const struct quire_migrate_options *options) {
    struct migration migration = {.options = options,
                                  .wait_ms = options->wait_ms == 0 ? WAIT_MS_DEFAULT : options->wait_ms};
    const char *folder = options->folder != NULL ? options->folder : getenv("QUIRE_MIGRATIONS");
    if (folder != NULL)
        snprintf(migration.folder, sizeof migration.folder, "%s", folder);
    else
        snprintf(migration.folder, sizeof migration.folder, "/usr/share/quire/%s/migrations", options->service);
    bool good = plain_name(options->schema) ? connect_to(&migration)
                                            : fail(&migration, "the schema's name", "no plain lower-case name");
    good =
        good && prepare(&migration) && apply(&migration, ONCE_NAME, quire_once_sql, true) && apply_folder(&migration);
    PQfinish(migration.pg);
    if (good)
        QUIRE_LOG(options->log, QUIRE_INFO, "migrate.up_to_date", QUIRE_CTEXT("schema", options->schema));
    return good ? 0 : 1;
}

int quire_migrate_main(const char *service, const char *schema) {
    static struct {
        const char *conninfo, *password;
    } settings; /* as long as the process */
    static const struct quire_setting rows[] = {
        {.name = "QUIRE_POSTGRES_MIGRATE",
         .type = QUIRE_SETTING_TEXT,
         .offset = offsetof(__typeof__(settings), conninfo),
         .secret = true,
         .unit = "",
         .about = "The database to migrate, as its owner's libpq connection string."},
        {.name = "QUIRE_POSTGRES_PASSWORD",
         .type = QUIRE_SETTING_TEXT,
         .offset = offsetof(__typeof__(settings), password),
         .fallback = "",
         .secret = true,
         .unit = "",
         .about = "The owner's password, where the connection string has none."},
    };
    const struct quire_setting_table table = {rows, sizeof(rows) / sizeof(rows[0]), &settings};

    if (!quire_config_load(&table, 1, stderr))
        return STATUS_MISUSED;
    struct quire_log *log = quire_log_create(service, "migrate", QUIRE_INFO, STDOUT_FILENO);
    if (log == NULL)
        return STATUS_FAILED;
    const int status = quire_migrate(&(struct quire_migrate_options){
        .conninfo = settings.conninfo,
        .password = settings.password[0] == '\0' ? NULL : settings.password,
        .service = service,
        .schema = schema,
        .log = log,
    });
    quire_log_destroy(log);
    return status;
}
