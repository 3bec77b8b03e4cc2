/* runtime/'s database and sessions behind a prompt, for tests with real servers: one command a line on standard input,
 * one answer a line.
 *
 *     read <watermark|none> [ms]     -> <outcome> <replica> <milliseconds> [value]
 *     primary                        -> as read, on the primary
 *     slow <seconds> <ms>            -> as read: pg_sleep under a deadline
 *     write <text> | big <bytes>     -> <outcome> <replica> <milliseconds> [value]
 *     mixed <n>                      -> a read, a refused write, a write, n times in one run: outcomes, one letter each
 *     flush | position               -> <watermark> or "no"
 *     check <session hex> [ms]       -> <verdict> <account> <watermark or -> <retry> <rate limit>
 *     note <session hex>             -> <verdict> <note or ->
 *     public <none|log_in|registration> <client> <tag hex> -> <verdict> <retry> <rate limit>
 *     raise <tag hex> <account> <watermark> | release <tag hex> <account> <request> -> ok or failed
 *     call <function> <keys> <word>...  -> ok or failed
 *     health | healthy | tick
 *
 * Called as `runtime_trial migrate <schema> <folder>` it migrates TRIAL_OWNER's database and ends. */
#include "base/clock.h"
#include "base/id.h"
#include "runtime/database.h"
#include "runtime/migrate.h"
#include "runtime/sessions.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MS_NS UINT64_C(1000000)
#define MIXED_MAX 200

static const struct quire_statement statement_read = {"trial.read", "SELECT coalesce(max(text), '') FROM trial", false};
static const struct quire_statement statement_slow = {"trial.slow", "SELECT pg_sleep($1)::text", false};
static const struct quire_statement statement_write = {
    "trial.write", "INSERT INTO trial (text) VALUES ($1) RETURNING length(text)::text", true};
static const struct quire_statement statement_refuse = {"trial.refuse", "SELECT trial_refuse()::text", true};
static const struct quire_statement *const statements[] = {&statement_read, &statement_slow, &statement_write,
                                                           &statement_refuse};

struct trial {
    struct quire_database *database;
    struct quire_sessions *sessions;
    struct quire_arena arena;
    uint64_t requests;
};

static unsigned hex(const char *text, uint8_t *ret_bytes, size_t bytes_max) {
    size_t count = strlen(text) / 2;
    for (size_t i = 0; i < count && i < bytes_max; i++) {
        unsigned value;
        if (sscanf(text + 2 * i, "%2x", &value) != 1)
            return 0;
        ret_bytes[i] = (uint8_t)value;
    }
    return count < bytes_max ? (unsigned)count : (unsigned)bytes_max;
}

static void run_one(struct trial *trial, struct quire_query *query) {
    static const char *const names[] = {"done", "refused", "conflict", "late", "away", "failed"};
    uint64_t begun_ns = quire_monotonic_ns();
    query->request_id = "trial";
    quire_database_run(trial->database, &query, 1);
    printf("%s %d %" PRIu64, names[query->outcome], query->replica, (quire_monotonic_ns() - begun_ns) / MS_NS);
    if (query->result != NULL && PQntuples(query->result) == 1) {
        struct quire_slice value = quire_column_text(query->result, 0, 0);
        printf(" %.*s", (int)(value.size > 40 ? 40 : value.size), (const char *)value.bytes);
    }
    printf("\n");
    PQclear(query->result);
}

static void do_read(struct trial *trial, const char *watermark_text, unsigned ms, enum quire_query_kind kind) {
    struct quire_parameters parameters = {.arena = &trial->arena};
    struct quire_watermark watermark = {0};
    if (watermark_text != NULL && !quire_watermark_parse(quire_slice_of(watermark_text), &watermark))
        watermark.known = false;
    struct quire_query query = {.statement = &statement_read,
                                .parameters = &parameters,
                                .kind = kind,
                                .watermark = &watermark,
                                .deadline_ns = quire_monotonic_ns() + ms * MS_NS};
    run_one(trial, &query);
}

static void do_slow(struct trial *trial, double seconds, unsigned ms) {
    struct quire_parameters parameters = {.arena = &trial->arena};
    quire_bind_double(&parameters, seconds);
    struct quire_query query = {.statement = &statement_slow,
                                .parameters = &parameters,
                                .kind = QUIRE_READ_PRIMARY,
                                .deadline_ns = quire_monotonic_ns() + ms * MS_NS};
    run_one(trial, &query);
}

static void do_write(struct trial *trial, struct quire_slice text) {
    struct quire_parameters parameters = {.arena = &trial->arena};
    quire_bind_text(&parameters, text);
    struct quire_query query = {.statement = &statement_write,
                                .parameters = &parameters,
                                .kind = QUIRE_WRITE,
                                .deadline_ns = quire_monotonic_ns() + 5000 * MS_NS};
    run_one(trial, &query);
}

static void do_big(struct trial *trial, size_t bytes) {
    uint8_t *text = malloc(bytes);
    memset(text, 'x', bytes);
    struct quire_query queries[8], *pointers[8]; /* several at once: more than any socket buffer holds */
    struct quire_parameters parameters = {.arena = &trial->arena};
    quire_bind_text(&parameters, (struct quire_slice){text, bytes});
    for (size_t i = 0; i < 8; i++) {
        queries[i] = (struct quire_query){.statement = &statement_write,
                                          .parameters = &parameters,
                                          .kind = QUIRE_WRITE,
                                          .request_id = "big",
                                          .deadline_ns = quire_monotonic_ns() + 20000 * MS_NS};
        pointers[i] = &queries[i];
    }
    quire_database_run(trial->database, pointers, 8);
    for (size_t i = 0; i < 8; i++) {
        printf("%c", "DRCLAF"[queries[i].outcome]);
        PQclear(queries[i].result);
    }
    printf("\n");
    free(text);
}

static void do_mixed(struct trial *trial, size_t count) {
    static struct quire_query queries[3 * MIXED_MAX], *pointers[3 * MIXED_MAX];
    struct quire_parameters none = {.arena = &trial->arena}, text = {.arena = &trial->arena};
    quire_bind_text(&text, QUIRE_SLICE_LITERAL("mixed"));
    struct quire_watermark unknown = {0};
    for (size_t i = 0; i < 3 * count; i++) {
        queries[i] = (struct quire_query){.kind = QUIRE_WRITE,
                                          .parameters = &none,
                                          .watermark = &unknown,
                                          .request_id = "mixed",
                                          .deadline_ns = quire_monotonic_ns() + 5000 * MS_NS};
        queries[i].statement = i % 3 == 0 ? &statement_read : i % 3 == 1 ? &statement_refuse : &statement_write;
        if (i % 3 == 0)
            queries[i].kind = QUIRE_READ;
        if (i % 3 == 2)
            queries[i].parameters = &text;
        pointers[i] = &queries[i];
    }
    quire_database_run(trial->database, pointers, 3 * count);
    for (size_t i = 0; i < 3 * count; i++) {
        printf("%c", queries[i].outcome == QUIRE_QUERY_REFUSED && queries[i].status != 409
                         ? '?'
                         : "DRCLAF"[queries[i].outcome]);
        PQclear(queries[i].result);
    }
    printf("\n");
}

static void do_watermark(bool good, const struct quire_watermark *watermark) {
    char text[QUIRE_WATERMARK_CHARACTERS + 1] = "no";
    if (good)
        quire_watermark_text(watermark, text);
    printf("%s\n", text);
}

static const char *run_check(struct trial *trial, struct quire_check *check, unsigned ms) {
    static const char *const names[] = {"admitted", "unauthenticated", "limited", "away"};
    char request[32];
    snprintf(request, sizeof request, "r%" PRIu64, trial->requests++);
    check->request = quire_slice_of(request);
    check->deadline_ms = quire_wall_ms() + ms;
    quire_sessions_check(trial->sessions, &check, 1, quire_wall_ms(), quire_monotonic_ns() + 2000 * MS_NS);
    return names[check->verdict];
}

static void do_check(struct trial *trial, struct quire_check *check, unsigned ms) {
    const char *verdict = run_check(trial, check, ms);
    char account[QUIRE_UUID_CHARACTERS + 1], watermark[QUIRE_WATERMARK_CHARACTERS + 1] = "-";
    quire_uuid_text(check->account, account);
    if (check->watermark.known)
        quire_watermark_text(&check->watermark, watermark);
    printf("%s %s %s %u %s | %s\n", verdict, account, watermark, check->retry_after_s, check->rate_limit,
           check->rate_limit_policy);
}

static void do_session(struct trial *trial, const char *session_hex, unsigned ms) {
    static const struct quire_call call = {.access = QUIRE_SESSION};
    uint8_t session[QUIRE_SESSION_BYTES] = {0};
    (void)hex(session_hex, session, sizeof session);
    struct quire_check check = {.call = &call, .session = session, .client = QUIRE_SLICE_LITERAL("192.0.2.1")};
    do_check(trial, &check, ms);
}

static void do_note(struct trial *trial, const char *session_hex) {
    static const struct quire_call call = {.access = QUIRE_SESSION, .wants_session_note = true};
    uint8_t session[QUIRE_SESSION_BYTES] = {0};
    (void)hex(session_hex, session, sizeof session);
    struct quire_check check = {
        .call = &call, .session = session, .client = QUIRE_SLICE_LITERAL("192.0.2.1"), .arena = &trial->arena};
    const char *verdict = run_check(trial, &check, 1);
    const struct quire_slice note = check.note.size == 0 ? QUIRE_SLICE_LITERAL("-") : check.note;
    printf("%s %.*s\n", verdict, (int)note.size, (const char *)note.bytes);
}

static void do_public(struct trial *trial, const char *throttle, const char *client, const char *tag_hex) {
    struct quire_call call = {.access = QUIRE_PUBLIC};
    uint8_t tag[2] = {0};
    (void)hex(tag_hex, tag, sizeof tag);
    call.throttle = strcmp(throttle, "log_in") == 0         ? QUIRE_THROTTLE_LOG_IN
                    : strcmp(throttle, "registration") == 0 ? QUIRE_THROTTLE_REGISTRATION
                                                            : QUIRE_THROTTLE_NONE;
    struct quire_check check = {.call = &call, .client = quire_slice_of(client), .account_tag = tag};
    do_check(trial, &check, 1000);
}

static void publish(struct trial *trial, struct quire_publication *publication) {
    quire_sessions_publish(trial->sessions, &publication, 1, quire_monotonic_ns() + 1000 * MS_NS);
    printf("%s\n", publication->failed ? "failed" : "ok");
}

static void do_account(struct trial *trial, bool raise, char **words) {
    uint8_t tag[2] = {0}, account[16];
    struct quire_watermark watermark = {0};
    (void)hex(words[1], tag, sizeof tag);
    bool good = quire_uuid_parse(quire_slice_of(words[2]), account) &&
                (!raise || quire_watermark_parse(quire_slice_of(words[3]), &watermark));
    if (!good) {
        printf("bad arguments\n");
        return;
    }
    publish(trial, &(struct quire_publication){.kind = raise ? QUIRE_RAISE_WATERMARK : QUIRE_RELEASE_PLACE,
                                               .tag = tag,
                                               .account = account,
                                               .watermark = &watermark,
                                               .request = quire_slice_of(words[3])});
}

static void do_call(struct trial *trial, char **words, size_t count) {
    struct quire_slice slices[32];
    size_t keys = (size_t)strtoul(words[2], NULL, 10);
    for (size_t i = 3; i < count; i++)
        slices[i - 3] = quire_slice_of(words[i]);
    publish(trial, &(struct quire_publication){.kind = QUIRE_CALL_FUNCTION,
                                               .function = words[1],
                                               .keys = slices,
                                               .keys_count = keys,
                                               .arguments = slices + keys,
                                               .arguments_count = count - 3 - keys});
}

static void do_health(struct trial *trial) {
    struct quire_database_health health;
    quire_database_check(trial->database, 500, &health);
    printf("%d %u/%u %" PRId64 "\n", health.primary, health.replicas_alive, health.replicas, health.lag_bytes_max);
}

static void do_healthy(struct trial *trial) {
    double ms;
    const char *detail;
    bool good = quire_sessions_healthy(trial->sessions, 500, &ms, &detail);
    printf("%s %s\n", good ? "healthy" : "unhealthy", detail == NULL ? "-" : detail);
}

static bool obey(struct trial *trial, char **words, size_t count) {
    struct quire_watermark watermark;
    uint64_t soon_ns = quire_monotonic_ns() + 1000 * MS_NS;
    if (strcmp(words[0], "read") == 0 && count >= 2)
        do_read(trial, words[1], count > 2 ? (unsigned)strtoul(words[2], NULL, 10) : 5000, QUIRE_READ);
    else if (strcmp(words[0], "primary") == 0)
        do_read(trial, NULL, 5000, QUIRE_READ_PRIMARY);
    else if (strcmp(words[0], "slow") == 0 && count == 3)
        do_slow(trial, strtod(words[1], NULL), (unsigned)strtoul(words[2], NULL, 10));
    else if (strcmp(words[0], "write") == 0 && count == 2)
        do_write(trial, quire_slice_of(words[1]));
    else if (strcmp(words[0], "big") == 0 && count == 2)
        do_big(trial, (size_t)strtoul(words[1], NULL, 10));
    else if (strcmp(words[0], "mixed") == 0 && count == 2 && strtoul(words[1], NULL, 10) <= MIXED_MAX)
        do_mixed(trial, (size_t)strtoul(words[1], NULL, 10));
    else if (strcmp(words[0], "flush") == 0)
        do_watermark(quire_database_flush(trial->database, soon_ns, &watermark), &watermark);
    else if (strcmp(words[0], "position") == 0)
        do_watermark(quire_database_position(trial->database, soon_ns, &watermark), &watermark);
    else if (strcmp(words[0], "check") == 0 && count >= 2)
        do_session(trial, words[1], count > 2 ? (unsigned)strtoul(words[2], NULL, 10) : 1000);
    else if (strcmp(words[0], "note") == 0 && count == 2)
        do_note(trial, words[1]);
    else if (strcmp(words[0], "public") == 0 && count == 4)
        do_public(trial, words[1], words[2], words[3]);
    else if ((strcmp(words[0], "raise") == 0 || strcmp(words[0], "release") == 0) && count == 4)
        do_account(trial, words[0][1] == 'a', words);
    else if (strcmp(words[0], "call") == 0 && count >= 3)
        do_call(trial, words, count);
    else if (strcmp(words[0], "health") == 0)
        do_health(trial);
    else if (strcmp(words[0], "healthy") == 0)
        do_healthy(trial);
    else if (strcmp(words[0], "tick") == 0)
        quire_database_tick(trial->database), printf("ok\n");
    else
        return false;
    return true;
}

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

static int migrate(const char *schema, const char *folder, struct quire_log *log) {
    return quire_migrate(&(struct quire_migrate_options){.conninfo = setting("TRIAL_OWNER"),
                                                         .password = setting("TRIAL_PASSWORD"),
                                                         .service = "trial",
                                                         .schema = schema,
                                                         .folder = folder,
                                                         .wait_ms = 10000,
                                                         .log = log});
}

int main(int argc, char **argv) {
    struct trial trial = {0};
    char line[8192];
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct quire_log *log = quire_log_create("trial", "1", QUIRE_INFO, STDERR_FILENO);
    struct quire_metrics *metrics = quire_metrics_create(100);
    if (log == NULL || metrics == NULL)
        return 1;
    if (argc == 4 && strcmp(argv[1], "migrate") == 0) {
        int migrated = migrate(argv[2], argv[3], log);
        quire_metrics_destroy(metrics);
        quire_log_destroy(log);
        return migrated;
    }
    quire_arena_init(&trial.arena, 1 << 20);
    trial.database = quire_database_create(
        &(struct quire_database_options){.primary = setting("TRIAL_PRIMARY"),
                                         .replicas = setting("TRIAL_REPLICAS"),
                                         .password = setting("TRIAL_PASSWORD"),
                                         .application_name = "trial",
                                         .statements = statements,
                                         .statements_count = sizeof statements / sizeof statements[0],
                                         .connect_ms = 1000,
                                         .retry_ms = 250,
                                         .log = log,
                                         .metrics = metrics});
    const struct quire_redis_access redis = {
        .address = setting("TRIAL_REDIS"), .username = "", .password = setting("TRIAL_REDIS_PASSWORD"), .ca = ""};
    trial.sessions = quire_sessions_create(&(struct quire_sessions_options){.redis = &redis,
                                                                            .connect_ms = 500,
                                                                            .command_ms = 500,
                                                                            .retry_ms = 250,
                                                                            .limits = {.on = true,
                                                                                       .account_rate = 10,
                                                                                       .account_burst = 20,
                                                                                       .account_concurrent = 5,
                                                                                       .address_rate = 5,
                                                                                       .address_burst = 10,
                                                                                       .log_in_rate = 100,
                                                                                       .log_in_burst = 100,
                                                                                       .log_in_failures = 3,
                                                                                       .log_in_failures_address = 100,
                                                                                       .log_in_window_s = 900,
                                                                                       .registrations_hour = 60,
                                                                                       .registrations_burst = 4},
                                                                            .log = log,
                                                                            .metrics = metrics});
    int status = trial.database == NULL || trial.sessions == NULL;
    while (status == 0 && fgets(line, sizeof line, stdin) != NULL) {
        char *words[36], *rest = line;
        size_t count = 0;
        while (count < sizeof words / sizeof words[0] && (words[count] = strtok_r(rest, " \n", &rest)) != NULL)
            count++;
        if (count > 0 && strcmp(words[0], "metrics") == 0) {
            quire_metrics_print(metrics, stdout);
            printf(".\n");
        } else if (count == 0 || !obey(&trial, words, count)) {
            printf("what?\n");
        }
        quire_arena_reset(&trial.arena);
    }
    quire_database_destroy(trial.database);
    quire_sessions_destroy(trial.sessions);
    quire_arena_deinit(&trial.arena);
    quire_metrics_destroy(metrics);
    quire_log_destroy(log);
    return status;
}
