/* The loader against a PostgreSQL and a Redis that are played here: the functions of runtime/background.h are this
 * file's own. */
#include "unit/suite.h"

#include "session/handlers.h"
#include "session/note.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#define RUN_ID "1111111111111111111111111111111111111111"
#define NEW_RUN_ID "2222222222222222222222222222222222222222"
#define STEPS_MAX 64
#define ROWS_MAX 3

struct quire_background {
    struct quire_arena arena;
    struct quire_log *log;
    char run_id[41]; /* "" when Redis is away */
    char epoch[41], nonce[65];
    bool lock_free, database_away;
    int live_rows, ended_rows; /* in PostgreSQL */
    int loaded, noted, ended, flushes, unlocks;
    char new_run_id_after[32]; /* Redis restarts empty after the call of this function */
};

static struct fixture {
    struct quire_background background;
    struct session_context context;
} f;

bool quire_background_stopping(const struct quire_background *background) {
    (void)background;
    return false;
}

struct quire_log *quire_background_log(struct quire_background *background) {
    return background->log;
}

struct quire_arena *quire_background_arena(struct quire_background *background) {
    return &background->arena;
}

static void add_value(PGresult *result, int row, int column, const void *bytes, int size) {
    char copy[64];
    memcpy(copy, bytes, (size_t)size);
    int set = PQsetvalue(result, row, column, copy, size);
    assert(set == 1);
}

static PGresult *make_result(int columns) {
    PGresAttDesc attributes[8] = {0};
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    for (int i = 0; i < columns; i++)
        attributes[i] = (PGresAttDesc){.name = (char *)(uintptr_t)"c", .format = 1};
    int set = PQsetResultAttrs(result, columns, attributes);
    assert(set == 1);
    return result;
}

static PGresult *make_boolean(bool value) {
    PGresult *result = make_result(1);
    add_value(result, 0, 0, value ? "\1" : "\0", 1);
    return result;
}

/* Rows of ids 1..rows_count that come after the cursor in the parameters, ROWS_MAX at most. */
static PGresult *make_rows(const struct quire_parameters *parameters, int rows_count, bool live) {
    uint8_t id[16], session[34] = {0xab, 0xcd};
    PGresult *result = make_result(live ? 8 : 2);
    const int cursor = (uint8_t)parameters->values[0][15];
    for (int number = cursor + 1, row = 0; number <= rows_count && row < ROWS_MAX; number++, row++) {
        memset(id, 0, sizeof id);
        id[15] = session[33] = (uint8_t)number;
        add_value(result, row, 0, id, 16);
        if (!live) {
            add_value(result, row, 1, session, 34);
            continue;
        }
        add_value(result, row, 1, id, 16);
        add_value(result, row, 2, session, 34);
        add_value(result, row, 3, "\0\0\0\12", 4);
        add_value(result, row, 4, "\0\0\0\0\0\0\0\1", 8);
        add_value(result, row, 5, "\0\0\0\0\0\0\0\1", 8);
        add_value(result, row, 6, "Ada@Example.org", 15);
        add_value(result, row, 7, "\0\0\0\0\0\0\0\1", 8);
    }
    return result;
}

PGresult *quire_background_sql(struct quire_background *background, const struct quire_statement *statement,
                               struct quire_parameters *parameters) {
    if (background->database_away)
        return NULL;
    if (statement == &loader_statement_lead)
        return make_boolean(background->lock_free);
    if (statement == &loader_statement_unlock) {
        background->unlocks++;
        return make_boolean(true);
    }
    return make_rows(parameters, statement == &loader_statement_live ? background->live_rows : background->ended_rows,
                     statement == &loader_statement_live);
}

static redisReply *reply_integer(long long value) {
    redisReply *reply = calloc(1, sizeof *reply);
    assert(reply != NULL);
    reply->type = REDIS_REPLY_INTEGER;
    reply->integer = value;
    return reply;
}

static redisReply *reply_text(const char *text) {
    redisReply *reply = calloc(1, sizeof *reply);
    assert(reply != NULL);
    reply->type = text[0] == '\0' ? REDIS_REPLY_NIL : REDIS_REPLY_STRING;
    if (text[0] != '\0') {
        reply->str = strdup(text);
        reply->len = strlen(text);
    }
    return reply;
}

static void copy_word(char *ret_text, size_t size, struct quire_slice word) {
    assert(word.size < size);
    memcpy(ret_text, word.bytes, word.size);
    ret_text[word.size] = '\0';
}

/* How many of a load's sessions have their account's note, behind all that a library without notes reads. */
static int notes_in(struct quire_background *background, const struct quire_slice *words, size_t count, int sessions) {
    const struct quire_slice *notes = words + 3 + 7 * sessions;
    int good = 0;
    assert(count == (size_t)(3 + 8 * sessions));
    for (int i = 0; i < sessions; i++) {
        uint8_t id[16];
        const bool parsed = quire_uuid_parse(words[3 + 2 * sessions + 5 * i], id);
        assert(parsed);
        const Quire__Account *account = note_decode(&background->arena, notes[i], id);
        good += account != NULL && strcmp(account->email, "Ada@Example.org") == 0;
    }
    return good;
}

static redisReply *play(struct quire_background *background, const struct quire_slice *words, size_t count) {
    const char *name = (const char *)words[1].bytes;
    const int keys = atoi((const char *)words[2].bytes);
    if (strcmp(name, "quire_load_begin") == 0) {
        background->flushes++;
        background->loaded = background->noted = background->ended = 0;
        background->epoch[0] = '\0';
        copy_word(background->nonce, sizeof background->nonce, words[5]);
        return reply_integer(1);
    }
    if (strcmp(name, "quire_sessions_load") == 0) {
        background->noted += notes_in(background, words, count, keys / 2);
        return reply_integer((background->loaded += keys / 2, keys / 2));
    }
    if (strcmp(name, "quire_session_revoke") == 0)
        return reply_integer((background->ended += keys / 2, 0));
    assert(strcmp(name, "quire_epoch_set") == 0);
    if (!quire_slice_equal(words[5], quire_slice_of(background->nonce)))
        return reply_integer(0);
    copy_word(background->epoch, sizeof background->epoch, words[6]);
    return reply_integer(1);
}

redisReply *quire_background_redis(struct quire_background *background, size_t count, const struct quire_slice *words) {
    if (background->run_id[0] == '\0')
        return NULL;
    if (count == 2)
        return reply_text(background->epoch);
    redisReply *reply = play(background, words, count);
    if (strcmp(background->new_run_id_after, (const char *)words[1].bytes) == 0) {
        strcpy(background->run_id, NEW_RUN_ID);
        background->epoch[0] = background->nonce[0] = background->new_run_id_after[0] = '\0';
    }
    return reply;
}

const char *quire_background_redis_run_id(struct quire_background *background) {
    return background->run_id[0] == '\0' ? NULL : background->run_id;
}

/* A cold Redis, four live sessions and one that ended lately. */
static void reset(void) {
    struct quire_log *log = f.background.log;
    f.background =
        (struct quire_background){.log = log, .run_id = RUN_ID, .lock_free = true, .live_rows = 4, .ended_rows = 1};
    quire_arena_init(&f.background.arena, 1 << 20);
    memset(&f.context.loader, 0, sizeof f.context.loader);
}

/* Runs until the loader rests. */
static void run(void) {
    unsigned rest_ms = 0;
    for (int steps = 0; rest_ms == 0 && steps < STEPS_MAX; steps++) {
        quire_arena_reset(&f.background.arena);
        rest_ms = loader_run(&f.background, &f.context);
    }
    CU_ASSERT_NOT_EQUAL(rest_ms, 0);
}

static int set_up(void) {
    f.background.log = quire_log_create("test", "test", QUIRE_ERROR, STDERR_FILENO);
    return f.background.log == NULL;
}

static int tear_down(void) {
    quire_arena_deinit(&f.background.arena);
    quire_log_destroy(f.background.log);
    return 0;
}

static void start_over(void) {
    quire_arena_deinit(&f.background.arena);
    reset();
}

/* Else every session is a 503 for ever. */
static void a_cold_redis_gets_all_sessions_then_its_epoch(void) {
    start_over();
    run();
    CU_ASSERT_EQUAL(f.background.flushes, 1);
    CU_ASSERT_EQUAL(f.background.loaded, 4);
    CU_ASSERT_EQUAL(f.background.noted, 4);
    CU_ASSERT_EQUAL(f.background.ended, 1);
    CU_ASSERT_STRING_EQUAL(f.background.epoch, RUN_ID);
    CU_ASSERT_EQUAL(f.background.unlocks, 1);
}

static void a_redis_without_sessions_is_warm_too(void) {
    start_over();
    f.background.live_rows = f.background.ended_rows = 0;
    run();
    CU_ASSERT_STRING_EQUAL(f.background.epoch, RUN_ID);
}

/* Else each process empties what another has just loaded. */
static void a_warm_redis_is_left_alone(void) {
    start_over();
    strcpy(f.background.epoch, RUN_ID);
    run();
    CU_ASSERT_EQUAL(f.background.flushes, 0);
}

static void only_the_holder_of_the_lock_loads(void) {
    start_over();
    f.background.lock_free = false;
    run();
    CU_ASSERT_EQUAL(f.background.flushes, 0);
    CU_ASSERT_STRING_EQUAL(f.background.epoch, "");
}

/* Else a Redis that restarted in the middle is called warm with half of the sessions: live tokens would be 401. */
static void a_redis_that_restarts_meanwhile_is_loaded_anew(void) {
    static const char *const points[] = {"quire_load_begin", "quire_sessions_load", "quire_session_revoke",
                                         "quire_epoch_set"};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        start_over();
        strcpy(f.background.new_run_id_after, points[i]);
        run();
        run(); /* where it noticed at the end it has begun anew at once; elsewhere it has rested */
        CU_ASSERT_EQUAL(f.background.flushes, 2);
        CU_ASSERT_EQUAL(f.background.loaded, 4);
        CU_ASSERT_STRING_EQUAL(f.background.epoch, NEW_RUN_ID);
    }
}

/* Else a loader that lost its lock calls warm what its successor has only begun to load. */
static void a_loader_that_was_overtaken_sets_no_epoch(void) {
    start_over();
    CU_ASSERT_EQUAL(loader_run(&f.background, &f.context), 0);
    strcpy(f.background.nonce, "another loader's");
    f.background.lock_free = false;
    run();
    CU_ASSERT_STRING_EQUAL(f.background.epoch, "");
    f.background.lock_free = true;
    run();
    CU_ASSERT_STRING_EQUAL(f.background.epoch, RUN_ID);
}

static void a_database_away_leaves_redis_cold(void) {
    start_over();
    CU_ASSERT_EQUAL(loader_run(&f.background, &f.context), 0);
    f.background.database_away = true;
    run();
    CU_ASSERT_STRING_EQUAL(f.background.epoch, "");
    f.background.database_away = false;
    run();
    CU_ASSERT_STRING_EQUAL(f.background.epoch, RUN_ID);
    CU_ASSERT_EQUAL(f.background.loaded, 4);
}

static void redis_away_is_waited_for(void) {
    start_over();
    f.background.run_id[0] = '\0';
    run();
    strcpy(f.background.run_id, RUN_ID);
    run();
    CU_ASSERT_STRING_EQUAL(f.background.epoch, RUN_ID);
}

QUIRE_TEST_MAIN("loader", set_up, tear_down,
                {"a_cold_redis_gets_all_sessions_then_its_epoch", a_cold_redis_gets_all_sessions_then_its_epoch},
                {"a_redis_without_sessions_is_warm_too", a_redis_without_sessions_is_warm_too},
                {"a_warm_redis_is_left_alone", a_warm_redis_is_left_alone},
                {"only_the_holder_of_the_lock_loads", only_the_holder_of_the_lock_loads},
                {"a_redis_that_restarts_meanwhile_is_loaded_anew", a_redis_that_restarts_meanwhile_is_loaded_anew},
                {"a_loader_that_was_overtaken_sets_no_epoch", a_loader_that_was_overtaken_sets_no_epoch},
                {"a_database_away_leaves_redis_cold", a_database_away_leaves_redis_cold},
                {"redis_away_is_waited_for", redis_away_is_waited_for})
