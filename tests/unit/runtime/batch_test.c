#include "runtime/batch.h"

#include "base/clock.h"
#include "unit/runtime/contract.h"
#include "unit/suite.h"

#include <unistd.h>

/* PostgreSQL and Redis as the tests want them: these stand in for database.c and sessions.c, which are then not linked.
 */
static struct {
    enum quire_query_outcome outcomes[32]; /* of the queries, in the order in which they are run */
    size_t runs, queries, flushes, positions, publications, raised, released;
    bool flush_fails, publish_fails, needs_watermark, unknown_watermark;
    enum quire_verdict verdict;
    uint32_t pace_us; /* of what is limited */
    char order[64];   /* R run, F flush, L position, P publish, B and E begin and end of what nobody waits for */
    size_t order_size;
} backend;

static void note(char step) {
    if (backend.order_size + 1 < sizeof(backend.order))
        backend.order[backend.order_size++] = step;
}

void quire_database_run(struct quire_database *database, struct quire_query *const *queries, size_t count) {
    (void)database;
    note('R');
    backend.runs++;
    for (size_t i = 0; i < count; i++) {
        queries[i]->outcome = backend.outcomes[backend.queries++];
        queries[i]->status = 404;
        queries[i]->from_primary = queries[i]->kind != QUIRE_READ || backend.needs_watermark;
        queries[i]->needs_watermark = backend.needs_watermark;
    }
}

bool quire_database_flush(struct quire_database *database, uint64_t deadline_ns,
                          struct quire_watermark *ret_watermark) {
    (void)database;
    (void)deadline_ns;
    note('F');
    backend.flushes++;
    if (!backend.flush_fails)
        *ret_watermark = (struct quire_watermark){true, "1/1", 9};
    return !backend.flush_fails;
}

bool quire_database_position(struct quire_database *database, uint64_t deadline_ns,
                             struct quire_watermark *ret_watermark) {
    (void)database;
    (void)deadline_ns;
    note('L');
    backend.positions++;
    *ret_watermark = (struct quire_watermark){true, "1/1", 9};
    return true;
}

void quire_sessions_check(struct quire_sessions *sessions, struct quire_check *const *checks, size_t count,
                          uint64_t now_ms, uint64_t deadline_ns) {
    (void)sessions;
    (void)now_ms;
    (void)deadline_ns;
    for (size_t i = 0; i < count; i++) {
        checks[i]->verdict = checks[i]->session == NULL && checks[i]->call->access == QUIRE_SESSION
                                 ? QUIRE_UNAUTHENTICATED
                                 : backend.verdict;
        checks[i]->holds_place = backend.verdict == QUIRE_ADMITTED && checks[i]->session != NULL;
        checks[i]->watermark = (struct quire_watermark){!backend.unknown_watermark, "1/1", 5};
        checks[i]->retry_after_s = 7;
        checks[i]->pace_us = backend.pace_us;
        memset(checks[i]->account, 0xaa, sizeof(checks[i]->account));
        if (checks[i]->call->wants_session_note)
            checks[i]->note = quire_slice_of(quire_arena_text(checks[i]->arena, QUIRE_SLICE_LITERAL("noted")));
    }
}

static void count_publications(struct quire_publication *const *publications, size_t count) {
    for (size_t i = 0; i < count; i++) {
        publications[i]->failed = backend.publish_fails;
        backend.raised += publications[i]->kind == QUIRE_RAISE_WATERMARK;
        backend.released += publications[i]->kind == QUIRE_RELEASE_PLACE;
    }
    backend.publications += count;
}

void quire_sessions_publish(struct quire_sessions *sessions, struct quire_publication *const *publications,
                            size_t count, uint64_t deadline_ns) {
    (void)sessions;
    (void)deadline_ns;
    note('P');
    count_publications(publications, count);
}

void quire_sessions_publish_begin(struct quire_sessions *sessions, struct quire_publication *const *publications,
                                  size_t count, uint64_t deadline_ns) {
    (void)sessions;
    (void)deadline_ns;
    note('B');
    count_publications(publications, count);
}

void quire_sessions_publish_end(struct quire_sessions *sessions, struct quire_publication *const *publications,
                                size_t count, uint64_t deadline_ns) {
    (void)sessions;
    (void)publications;
    (void)count;
    (void)deadline_ns;
    note('E');
}

/* Handlers: what each does is the request's "status" text. */
static const struct quire_statement statement = {.name = "test.statement", .sql = "SELECT 1"};
static size_t invoked;

static void answer(struct quire_request *request) {
    Quire__HealthCheck check = QUIRE__HEALTH_CHECK__INIT;
    static char text[] = "done";
    check.name = check.status = text;
    quire_request_reply(request, &check.base);
}

static void answer_note(struct quire_request *request) {
    Quire__HealthCheck check = QUIRE__HEALTH_CHECK__INIT;
    check.name = check.status = quire_arena_text(quire_request_arena(request), quire_request_session_note(request));
    quire_request_reply(request, &check.base);
}

static void on_result(struct quire_request *request, const PGresult *result) {
    (void)result;
    answer(request);
}

static void on_result_again(struct quire_request *request, const PGresult *result) {
    (void)result;
    quire_request_read(request, &statement, quire_request_parameters(request), on_result_again);
}

static void on_result_silent(struct quire_request *request, const PGresult *result) {
    (void)request;
    (void)result;
}

static void on_result_twice(struct quire_request *request, const PGresult *result) {
    (void)result;
    answer(request);
    quire_request_refuse(request, 418, "no");
}

static void on_result_then_read(struct quire_request *request, const PGresult *result) {
    (void)result;
    quire_request_read(request, &statement, quire_request_parameters(request), on_result);
}

static void invoke(ProtobufCService *service, unsigned method, const ProtobufCMessage *input, ProtobufCClosure closure,
                   void *closure_data) {
    static const struct {
        const char *what;
        quire_on_result *then;
    } continuations[] = {{"query", on_result},
                         {"for-ever", on_result_again},
                         {"silent", on_result_silent},
                         {"twice", on_result_twice},
                         {"then-read", on_result_then_read}};
    const Quire__HealthCheck *check = (const Quire__HealthCheck *)input;
    struct quire_request *request = quire_request_of(closure_data);
    struct quire_parameters *parameters = quire_request_parameters(request);

    (void)service;
    invoked++;
    if (strcmp(check->status, "reply") == 0)
        closure(input, closure_data);
    if (strcmp(check->status, "note") == 0)
        answer_note(request);
    for (size_t i = 0; i < sizeof(continuations) / sizeof(continuations[0]); i++) {
        if (strcmp(check->status, continuations[i].what) != 0)
            continue;
        if (method == TEST_READ)
            quire_request_read(request, &statement, parameters, continuations[i].then);
        else
            quire_request_write(request, &statement, parameters, continuations[i].then);
    }
}

static struct {
    struct quire_metrics *metrics;
    struct quire_log *log;
    struct quire_measures measures;
    struct quire_batch batch;
    rd_kafka_headers_t *headers[8];
    uint8_t payloads[8][64];
    size_t count;
    uint64_t now_ms;
} f;

static ProtobufCService handlers = {.invoke = invoke};

static int set_up(void) {
    f.metrics = quire_metrics_create(500);
    f.log = quire_log_create("test", "test", QUIRE_ERROR, STDERR_FILENO);
    return f.metrics != NULL && f.log != NULL &&
                   quire_measures_init(&f.measures, f.metrics, &test_service, &test_lanes[TEST_LANE])
               ? 0
               : 1;
}

static void forget_headers(void) {
    while (f.count > 0)
        rd_kafka_headers_destroy(f.headers[--f.count]);
}

static int tear_down(void) {
    forget_headers();
    quire_batch_deinit(&f.batch);
    quire_measures_deinit(&f.measures);
    quire_metrics_destroy(f.metrics);
    quire_log_destroy(f.log);
    return 0;
}

static void begin_with(size_t arena_bytes_max) {
    forget_headers();
    quire_batch_deinit(&f.batch);
    memset(&backend, 0, sizeof(backend));
    invoked = 0;
    f.now_ms = quire_wall_ms();
    CU_ASSERT_TRUE_FATAL(quire_batch_init(&f.batch, &(struct quire_batch_options){.service = &test_service,
                                                                                  .lane = TEST_LANE,
                                                                                  .handlers = &handlers,
                                                                                  .batch_max = 8,
                                                                                  .arena_bytes_max = arena_bytes_max,
                                                                                  .measures = &f.measures,
                                                                                  .log = f.log}));
    quire_batch_begin(&f.batch, f.now_ms, quire_monotonic_ns());
}

static void begin(void) {
    begin_with(1u << 20);
}

static struct quire_request *add_full(const char *method, const char *what, uint8_t session_byte, uint64_t deadline_ms,
                                      unsigned attempt) {
    uint8_t session[QUIRE_SESSION_BYTES];
    Quire__HealthCheck check = QUIRE__HEALTH_CHECK__INIT;
    char text[32];

    memset(session, session_byte, sizeof(session));
    (void)snprintf(text, sizeof(text), "%s", what);
    check.name = check.status = text;
    const size_t size = protobuf_c_message_pack(&check.base, f.payloads[f.count]);
    f.headers[f.count] = test_headers_new(&(struct test_headers){.method = method,
                                                                 .request_id = "R",
                                                                 .deadline_ms = deadline_ms,
                                                                 .session = session_byte == 0 ? NULL : session});
    const struct quire_slice payload = {f.payloads[f.count], size};
    return quire_batch_add(&f.batch, f.headers[f.count++], payload, attempt);
}

static struct quire_request *add(const char *method, const char *what) {
    return add_full(method, what, 1, f.now_ms + 5000, 1);
}

static void a_read_is_answered_without_flush(void) {
    begin();
    struct quire_request *request = add("test.Test/Read", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(request->state, QUIRE_REQUEST_ANSWERED);
    CU_ASSERT_EQUAL(request->status, 200);
    CU_ASSERT_STRING_EQUAL(backend.order, "RB"); /* its place is on its way back; nobody waits for that */
    CU_ASSERT_EQUAL(backend.released, 1);
    quire_batch_end(&f.batch);
    CU_ASSERT_STRING_EQUAL(backend.order, "RBE");
    quire_batch_end(&f.batch); /* nothing is owed any more */
    CU_ASSERT_STRING_EQUAL(backend.order, "RBE");
}

/* Else an acknowledged write could be lost, or its writer not see it on a replica. */
static void a_write_is_flushed_and_published_before_its_answer(void) {
    begin();
    struct quire_request *request = add("test.Test/Write", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(request->status, 201);
    CU_ASSERT_STRING_EQUAL(backend.order, "RFPB");
    CU_ASSERT_EQUAL(backend.raised, 1);
}

static void a_write_that_is_not_flushed_is_no_success(void) {
    begin();
    backend.flush_fails = true;
    struct quire_request *write = add("test.Test/Write", "query"), *read = add("test.Test/Read", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(write->status, 503);
    CU_ASSERT_EQUAL(read->status, 200);
    CU_ASSERT_EQUAL(backend.raised, 0);
}

static void a_write_that_is_not_published_is_no_success(void) {
    begin();
    backend.publish_fails = true;
    struct quire_request *write = add("test.Test/Write", "query"), *read = add("test.Test/Read", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(write->status, 503);
    CU_ASSERT_EQUAL(read->status, 200); /* its place lapses by itself */
}

static void a_refused_write_needs_no_flush(void) {
    begin();
    backend.outcomes[0] = QUIRE_QUERY_REFUSED;
    struct quire_request *request = add("test.Test/Write", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(request->status, 404);
    CU_ASSERT_EQUAL(backend.flushes, 0);
    CU_ASSERT_EQUAL(request->reason, QUIRE_REASON_NONE);
}

/* A position asked for before the read could lie before what the read has shown. */
static void an_account_without_watermark_gets_the_position_after_the_read(void) {
    begin();
    backend.needs_watermark = backend.unknown_watermark = true;
    (void)add("test.Test/Read", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_STRING_EQUAL(backend.order, "RLPB");
    CU_ASSERT_EQUAL(backend.raised, 1);
}

static void a_conflict_is_tried_again_three_times_in_all(void) {
    begin();
    backend.outcomes[0] = backend.outcomes[1] = QUIRE_QUERY_CONFLICT;
    struct quire_request *request = add("test.Test/Write", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(request->status, 201);
    CU_ASSERT_EQUAL(backend.queries, 3);
    begin();
    backend.outcomes[0] = backend.outcomes[1] = backend.outcomes[2] = QUIRE_QUERY_FAILED;
    request = add("test.Test/Write", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(request->status, 500);
    CU_ASSERT_EQUAL(request->reason, QUIRE_REASON_FAILED);
    CU_ASSERT_EQUAL(backend.queries, 3);
}

static void an_outage_and_a_passed_deadline_are_no_dead_letters(void) {
    begin();
    backend.outcomes[0] = QUIRE_QUERY_AWAY;
    backend.outcomes[1] = QUIRE_QUERY_LATE;
    struct quire_request *away = add("test.Test/Write", "query"), *late = add("test.Test/Write", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(away->status, 503);
    CU_ASSERT_EQUAL(late->status, 504);
    CU_ASSERT_TRUE(away->reason == QUIRE_REASON_NONE && late->reason == QUIRE_REASON_NONE);
}

static void a_handler_that_never_answers_is_answered_for(void) {
    begin();
    struct quire_request *for_ever = add("test.Test/Read", "for-ever"), *silent = add("test.Test/Read", "silent"),
                         *nothing = add("test.Test/Read", "nothing");
    quire_batch_run(&f.batch);
    CU_ASSERT_TRUE(for_ever->status == 500 && silent->status == 500 && nothing->status == 500);
    CU_ASSERT_EQUAL(for_ever->rounds, QUIRE_ROUNDS_MAX);
    CU_ASSERT_EQUAL(nothing->reason, QUIRE_REASON_UNANSWERED);
}

static void only_the_first_answer_counts(void) {
    begin();
    struct quire_request *request = add("test.Test/Read", "twice");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(request->status, 200);
}

/* A replica can't have it yet, and no watermark says so. */
static void a_read_after_a_write_of_its_own_goes_to_the_primary(void) {
    begin();
    struct quire_request *request = add("test.Test/Write", "then-read");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(request->status, 201);
    CU_ASSERT_EQUAL(request->query.kind, QUIRE_READ_PRIMARY);
}

static void equal_reads_run_once_and_all_are_answered(void) {
    begin();
    struct quire_request *first = add("test.Test/Read", "query"), *same = add("test.Test/Read", "query"),
                         *other = add("test.Test/Read", "reply");
    struct quire_request *stranger = add_full("test.Test/Read", "query", 2, f.now_ms + 5000, 1);
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(invoked, 3);
    CU_ASSERT_PTR_EQUAL(same->leader, first);
    CU_ASSERT_TRUE(first->status == 200 && same->status == 200 && other->status == 200 && stranger->status == 200);
    CU_ASSERT_PTR_NULL(stranger->leader);
    CU_ASSERT_TRUE(quire_slice_equal(first->answer, same->answer));
    CU_ASSERT_EQUAL(backend.released, 4); /* each has its own place */
}

static void writes_and_reads_without_watermark_are_not_folded(void) {
    begin();
    (void)add("test.Test/Write", "query");
    (void)add("test.Test/Write", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(invoked, 2);
    begin();
    backend.unknown_watermark = true;
    (void)add("test.Test/Read", "query");
    (void)add("test.Test/Read", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(invoked, 2);
}

static void the_leader_has_as_long_as_the_last_of_its_group(void) {
    begin();
    struct quire_request *first = add_full("test.Test/Read", "query", 1, f.now_ms + 1000, 1);
    (void)add_full("test.Test/Read", "query", 1, f.now_ms + 9000, 1);
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(first->deadline_ns, f.batch.requests[1].deadline_ns);
}

static void who_is_not_admitted_is_told_why_and_not_invoked(void) {
    static const struct {
        enum quire_verdict verdict;
        unsigned status;
        uint32_t pace_us;
    } cases[] = {{QUIRE_UNAUTHENTICATED, 401, 0},
                 {QUIRE_LIMITED, 429, 0}, /* requests at once have no pace */
                 {QUIRE_LIMITED, 429, 5000},
                 {QUIRE_SESSIONS_AWAY, 503, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        backend.verdict = cases[i].verdict;
        backend.pace_us = cases[i].pace_us;
        struct quire_request *request = add("test.Test/Write", "query");
        quire_batch_run(&f.batch);
        CU_ASSERT_EQUAL(request->status, cases[i].status);
        CU_ASSERT_EQUAL(invoked, 0);
        CU_ASSERT_STRING_EQUAL(backend.order, "");
        Quire__Problem *problem = quire__problem__unpack(NULL, request->answer.size, request->answer.bytes);
        CU_ASSERT_PTR_NOT_NULL_FATAL(problem);
        CU_ASSERT_EQUAL(problem->status, cases[i].status);
        CU_ASSERT_TRUE(cases[i].status != 429 || problem->retry_after_s == 7);
        CU_ASSERT_EQUAL(problem->has_pace_us, cases[i].pace_us != 0);
        CU_ASSERT_EQUAL(problem->pace_us, cases[i].pace_us);
        quire__problem__free_unpacked(problem, NULL);
    }
}

static bool answered_with(const struct quire_request *request, const char *text) {
    Quire__HealthCheck *check = quire__health_check__unpack(NULL, request->answer.size, request->answer.bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(check);
    const bool same = strcmp(check->status, text) == 0;
    quire__health_check__free_unpacked(check, NULL);
    return same;
}

/* Else a handler would read what the check never filled in. */
static void a_session_s_note_comes_with_calls_that_want_it_and_no_others(void) {
    begin();
    struct quire_request *with = add("test.Test/Note", "note"), *without = add("test.Test/Read", "note");
    quire_batch_run(&f.batch);
    CU_ASSERT_TRUE(with->status == 200 && answered_with(with, "noted"));
    CU_ASSERT_TRUE(without->status == 200 && answered_with(without, ""));
    CU_ASSERT_EQUAL(backend.runs, 0);
}

static void what_is_late_or_has_crashed_twice_is_not_invoked(void) {
    begin();
    struct quire_request *late = add_full("test.Test/Read", "query", 1, f.now_ms, 1);
    struct quire_request *crasher = add_full("test.Test/Read", "query", 1, f.now_ms + 5000, 3);
    struct quire_request *second = add_full("test.Test/Read", "query", 1, f.now_ms + 5000, 2);
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(late->state, QUIRE_REQUEST_DROPPED);
    CU_ASSERT_EQUAL(crasher->status, 500);
    CU_ASSERT_EQUAL(crasher->reason, QUIRE_REASON_CRASHED);
    CU_ASSERT_EQUAL(second->status, 200);
    CU_ASSERT_EQUAL(invoked, 1);
}

static void a_payload_that_cannot_be_read_is_a_dead_letter(void) {
    begin();
    f.headers[0] = test_headers_new(&(struct test_headers){.method = "test.Test/Read", .deadline_ms = f.now_ms + 5000});
    f.count = 1;
    struct quire_request *request = quire_batch_add(&f.batch, f.headers[0], QUIRE_SLICE_LITERAL("\xff\xff"), 1);
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(request->status, 400);
    CU_ASSERT_EQUAL(request->reason, QUIRE_REASON_PAYLOAD);
}

/* Else PostgreSQL refuses the statement, three times, and says in its log what it was. */
static void a_text_that_is_no_utf8_is_a_dead_letter(void) {
    begin();
    struct quire_request *bad = add("test.Test/Read", "caf\xe9");
    struct quire_request *good = add("test.Test/Read", "caf\xc3\xa9");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(bad->status, 400);
    CU_ASSERT_EQUAL(bad->reason, QUIRE_REASON_PAYLOAD);
    CU_ASSERT_EQUAL(good->reason, QUIRE_REASON_UNANSWERED); /* it came to the handler, which knows no such word */
}

/* Else what only came at a busy moment would be put aside for good. */
static void without_memory_it_is_a_503_and_no_dead_letter(void) {
    begin_with(64);
    struct quire_request *request = add("test.Test/Read", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(request->status, 503);
    CU_ASSERT_EQUAL(request->reason, QUIRE_REASON_NONE);
    begin(); /* and the next one is served */
    request = add("test.Test/Read", "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_EQUAL(request->status, 200);
}

static void a_question_for_health_is_left_to_the_worker(void) {
    begin();
    struct quire_request *request = add(QUIRE_HEALTH_METHOD, "query");
    quire_batch_run(&f.batch);
    CU_ASSERT_TRUE(request->envelope.health);
    CU_ASSERT_EQUAL(request->state, QUIRE_REQUEST_RECEIVED);
}

static void callers_keys_and_messages_never_meet(void) {
    begin();
    struct quire_request *message = add("test.Test/Write", "query");
    CU_ASSERT_TRUE(message->once.key.size == 4 + 56 && memcmp(message->once.key.bytes, "msg:3031", 8) == 0);
    CU_ASSERT_EQUAL(message->once.keep_s, 3600);
    f.headers[f.count] = test_headers_new(&(struct test_headers){
        .method = "test.Test/Write", .deadline_ms = f.now_ms + 5000, .idempotency_key = "msg:3031"});
    struct quire_request *keyed =
        quire_batch_add(&f.batch, f.headers[f.count++], QUIRE_SLICE_LITERAL("\n\1a\22\1b"), 1);
    CU_ASSERT_TRUE(quire_slice_equal(keyed->once.key, QUIRE_SLICE_LITERAL("key:msg:3031")));
    CU_ASSERT_EQUAL(keyed->once.keep_s, 86400);
    quire_batch_run(&f.batch);
}

QUIRE_TEST_MAIN(
    "batch", set_up, tear_down, {"a_read_is_answered_without_flush", a_read_is_answered_without_flush},
    {"a_write_is_flushed_and_published_before_its_answer", a_write_is_flushed_and_published_before_its_answer},
    {"a_write_that_is_not_flushed_is_no_success", a_write_that_is_not_flushed_is_no_success},
    {"a_write_that_is_not_published_is_no_success", a_write_that_is_not_published_is_no_success},
    {"a_refused_write_needs_no_flush", a_refused_write_needs_no_flush},
    {"an_account_without_watermark_gets_the_position_after_the_read",
     an_account_without_watermark_gets_the_position_after_the_read},
    {"a_conflict_is_tried_again_three_times_in_all", a_conflict_is_tried_again_three_times_in_all},
    {"an_outage_and_a_passed_deadline_are_no_dead_letters", an_outage_and_a_passed_deadline_are_no_dead_letters},
    {"a_handler_that_never_answers_is_answered_for", a_handler_that_never_answers_is_answered_for},
    {"only_the_first_answer_counts", only_the_first_answer_counts},
    {"a_read_after_a_write_of_its_own_goes_to_the_primary", a_read_after_a_write_of_its_own_goes_to_the_primary},
    {"equal_reads_run_once_and_all_are_answered", equal_reads_run_once_and_all_are_answered},
    {"writes_and_reads_without_watermark_are_not_folded", writes_and_reads_without_watermark_are_not_folded},
    {"the_leader_has_as_long_as_the_last_of_its_group", the_leader_has_as_long_as_the_last_of_its_group},
    {"who_is_not_admitted_is_told_why_and_not_invoked", who_is_not_admitted_is_told_why_and_not_invoked},
    {"a_session_s_note_comes_with_calls_that_want_it_and_no_others",
     a_session_s_note_comes_with_calls_that_want_it_and_no_others},
    {"what_is_late_or_has_crashed_twice_is_not_invoked", what_is_late_or_has_crashed_twice_is_not_invoked},
    {"a_payload_that_cannot_be_read_is_a_dead_letter", a_payload_that_cannot_be_read_is_a_dead_letter},
    {"a_text_that_is_no_utf8_is_a_dead_letter", a_text_that_is_no_utf8_is_a_dead_letter},
    {"without_memory_it_is_a_503_and_no_dead_letter", without_memory_it_is_a_503_and_no_dead_letter},
    {"a_question_for_health_is_left_to_the_worker", a_question_for_health_is_left_to_the_worker},
    {"callers_keys_and_messages_never_meet", callers_keys_and_messages_never_meet})
