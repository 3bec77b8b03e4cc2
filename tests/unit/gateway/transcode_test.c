#include "gateway/transcode.h"

#include "base/seal.h"
#include "base/token.h"
#include "base/wire.h"
#include "unit/suite.h"

#include "call_of.h"

#include "quire/documents.pb-c.h"
#include "quire/session.pb-c.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#define ARENA_BYTES_MAX ((size_t)128 * 1024 * 1024)

static struct fixture {
    struct quire_arena arena;
    struct quire_seal_key key;
    uint8_t correlation[QUIRE_CORRELATION_BYTES];
    struct quire_slice user_agent;
} f;

static int set_up(void) {
    if (sodium_init() < 0)
        return 1;
    quire_arena_init(&f.arena, ARENA_BYTES_MAX);
    f.key.id = 7;
    crypto_box_keypair(f.key.public_key, f.key.secret_key);
    memset(f.correlation, 9, sizeof(f.correlation));
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&f.arena);
    return 0;
}

static const struct quire_slice *header(void *context, const char *name) {
    (void)context;
    return strcmp(name, "User-Agent") == 0 && f.user_agent.size > 0 ? &f.user_agent : NULL;
}

/* A body as the gateway has it: on the heap, with just the padding, so that ASan sees what goes beyond. */
struct body {
    uint8_t *bytes;
    size_t size;
};

static struct body body_of(const void *bytes, size_t size) {
    struct body body = {malloc(size + YYJSON_PADDING_SIZE), size};
    CU_ASSERT_PTR_NOT_NULL_FATAL(body.bytes);
    memcpy(body.bytes, bytes, size);
    return body;
}

static struct transcode_request request_of(const struct quire_call *call, const struct body *body) {
    return (struct transcode_request){.call = call,
                                      .body = body == NULL ? NULL : body->bytes,
                                      .body_bytes = body == NULL ? 0 : body->size,
                                      .header = header,
                                      .client = QUIRE_SLICE_LITERAL("192.0.2.7"),
                                      .seal_key = &f.key,
                                      .correlation = f.correlation,
                                      .deadline_ms = 1234};
}

/* The packed input as JSON: the call with its input as output. */
static struct quire_slice json_of(const struct quire_call *call, const struct transcode_encoded *encoded) {
    struct quire_call back = *call;
    struct transcode_decoded decoded;
    back.output = call->input;
    back.location = NULL;
    CU_ASSERT_TRUE_FATAL(transcode_decode(&f.arena, &back, 200,
                                          (struct quire_slice){encoded->value, encoded->value_bytes}, "", &decoded));
    return decoded.json;
}

/* ---- Cases from files (the format stands at the head of documents.case) */

struct test_case {
    char name[128], call[64], detail[512];
    char *query, *path, *ok;
    uint8_t *body;
    size_t body_bytes;
    unsigned status; /* 0: ok */
    char *errors[16];
    size_t errors_count;
};

static unsigned cases_run;

static size_t unescape_bytes(char *text) {
    size_t size = 0;
    for (size_t i = 0; text[i] != '\0'; size++) {
        unsigned byte;
        int used = 0;
        if (sscanf(text + i, "<%2x>%n", &byte, &used) == 1 && used == 4) {
            text[size] = (char)byte;
            i += 4;
        } else {
            text[size] = text[i++];
        }
    }
    text[size] = '\0';
    return size;
}

static void case_fails(const struct test_case *test, const char *what, const char *got) {
    char text[2048];
    (void)snprintf(text, sizeof(text), "%s: %s: %s", test->name, what, got);
    fprintf(stderr, "\n    %s", text);
    CU_FAIL("a case (named above)");
}

static void check_refusal(const struct test_case *test, const struct problem *problem) {
    if (problem->status != test->status || (test->detail[0] != '\0' && strcmp(problem->detail, test->detail) != 0)) {
        char got[600];
        (void)snprintf(got, sizeof(got), "%u %s", problem->status, problem->detail);
        case_fails(test, "refused with", got);
    }
    if (problem->faults_count != test->errors_count)
        case_fails(test, "number of faults differs, the first is",
                   problem->faults_count > 0 ? problem->faults[0].message : "none");
    for (size_t i = 0; i < problem->faults_count && i < test->errors_count; i++) {
        char got[700];
        (void)snprintf(got, sizeof(got), "%s: %s", problem->faults[i].field, problem->faults[i].message);
        if (strcmp(got, test->errors[i]) != 0)
            case_fails(test, "fault", got);
    }
}

static void run_case(const struct test_case *test) {
    const struct quire_call *call = call_of(test->call);
    struct body body = body_of(test->body == NULL ? (const uint8_t *)"" : test->body, test->body_bytes);
    struct transcode_request request = request_of(call, &body);
    struct quire_slice segments[16] = {{NULL, 0}};
    struct transcode_encoded encoded;
    struct problem problem;
    for (size_t i = 0; i < call->segments_count && i < 16; i++)
        if (call->segments[i].field >= 0)
            segments[i] = quire_slice_of(test->path);
    request.path_segments = segments;
    request.query = quire_slice_of(test->query);
    bool taken = transcode_encode(&f.arena, &request, &encoded, &problem);
    if (taken && test->status != 0) {
        case_fails(test, "was taken", "");
    } else if (!taken && test->status == 0) {
        case_fails(test, "was refused", problem.detail == NULL ? "" : problem.detail);
    } else if (!taken) {
        check_refusal(test, &problem);
    } else {
        struct quire_slice json = json_of(call, &encoded);
        if (!quire_slice_equal(json, quire_slice_of(test->ok)))
            case_fails(test, "message is", quire_arena_text(&f.arena, json));
    }
    free(body.bytes);
    cases_run++;
}

static void free_case(struct test_case *test) {
    free(test->query);
    free(test->path);
    free(test->ok);
    free(test->body);
    for (size_t i = 0; i < test->errors_count; i++)
        free(test->errors[i]);
    *test = (struct test_case){.name = ""};
}

static void read_case_line(struct test_case *test, char *line) {
    char *rest = strchr(line, ' ');
    rest = rest == NULL ? line + strlen(line) : rest + 1;
    if (strncmp(line, "call ", 5) == 0) {
        (void)snprintf(test->call, sizeof(test->call), "%s", rest);
    } else if (strncmp(line, "query ", 6) == 0) {
        test->query = strdup(rest);
    } else if (strncmp(line, "path ", 5) == 0) {
        test->path = strdup(rest);
    } else if (strncmp(line, "body ", 5) == 0) {
        test->body = (uint8_t *)strdup(rest);
        test->body_bytes = unescape_bytes((char *)test->body);
    } else if (strncmp(line, "ok ", 3) == 0) {
        test->ok = strdup(rest);
        (void)unescape_bytes(test->ok);
    } else if (strncmp(line, "error ", 6) == 0 && test->errors_count < 16) {
        test->errors[test->errors_count++] = strdup(rest);
    } else if (line[0] >= '4' && line[0] <= '5') {
        test->status = (unsigned)strtoul(line, NULL, 10);
        (void)snprintf(test->detail, sizeof(test->detail), "%s", rest);
    } else if (line[0] != '\0' && line[0] != '#') {
        case_fails(test, "unknown line", line);
    }
}

static void run_file(const char *name) {
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/unit/gateway/transcode_cases/%s", QUIRE_TEST_FOLDER, name);
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    struct test_case test = {.name = ""};
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "== ", 3) != 0) {
            read_case_line(&test, line);
            continue;
        }
        if (test.call[0] != '\0')
            run_case(&test);
        free_case(&test);
        (void)snprintf(test.name, sizeof(test.name), "%s", line + 3);
    }
    if (test.call[0] != '\0')
        run_case(&test);
    free_case(&test);
    free(line);
    (void)fclose(file);
    quire_arena_reset(&f.arena);
}

static void cases_in_files_end_as_written_there(void) {
    static const char *const names[] = {"documents.case", "batch.case", "query.case", "session.case"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unsigned before = cases_run;
        run_file(names[i]);
        CU_ASSERT_TRUE(cases_run > before + 4);
    }
}

/* ---- What a text file can't say */

static bool encodes(const char *method, const void *bytes, size_t size, struct transcode_encoded *ret_encoded,
                    struct problem *ret_problem, struct body *ret_body) {
    *ret_body = body_of(bytes, size);
    struct transcode_request request = request_of(call_of(method), ret_body);
    return transcode_encode(&f.arena, &request, ret_encoded, ret_problem);
}

static bool opens_as(ProtobufCBinaryData sealed, const char *secret) {
    uint8_t opened[256];
    size_t size;
    return quire_open(&f.key, 1, f.correlation, 1234, (struct quire_slice){sealed.data, sealed.len}, opened, &size) ==
               QUIRE_OPENED &&
           size == strlen(secret) && memcmp(opened, secret, size) == 0;
}

/* Else a dump of a topic, or of memory that is used again, lets someone in. */
static void a_password_is_sealed_and_nothing_else_of_it_stays(void) {
    static const char text[] = "{\"email\":\"A@b.de\",\"password\":\"p\\u0061ssw\\u00f6rd\"}";
    struct transcode_encoded encoded;
    struct problem problem;
    struct body body;
    f.user_agent = QUIRE_SLICE_LITERAL("curl/\xff\xc3\xa9");
    CU_ASSERT_TRUE_FATAL(encodes("quire.Session/LogIn", text, sizeof(text) - 1, &encoded, &problem, &body));
    for (size_t i = 0; i < body.size; i++)
        CU_ASSERT_EQUAL_FATAL(body.bytes[i], 0);
    free(body.bytes);
    CU_ASSERT_PTR_NULL(memmem(encoded.value, encoded.value_bytes, "passw", 5));

    Quire__LogInRequest *message = quire__log_in_request__unpack(&f.arena.protobuf, encoded.value_bytes, encoded.value);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CU_ASSERT_STRING_EQUAL(message->email, "A@b.de");
    CU_ASSERT_TRUE(opens_as(message->password, "passw\xc3\xb6rd"));
    CU_ASSERT_STRING_EQUAL(message->ip, "192.0.2.7");
    CU_ASSERT_STRING_EQUAL(message->user_agent, "curl/?\xc3\xa9");

    uint8_t session[QUIRE_SESSION_BYTES];
    CU_ASSERT_EQUAL(strlen(encoded.token), QUIRE_TOKEN_CHARACTERS);
    CU_ASSERT_TRUE(quire_token_session(quire_slice_of(encoded.token), session));
    CU_ASSERT_TRUE_FATAL(message->has_token_hash && message->token_hash.len == sizeof(session));
    CU_ASSERT_EQUAL(memcmp(message->token_hash.data, session, sizeof(session)), 0);
    uint8_t tag[QUIRE_TAG_BYTES];
    CU_ASSERT_TRUE(quire_account_tag(QUIRE_SLICE_LITERAL("a@B.DE"), tag));
    CU_ASSERT_EQUAL(memcmp(session, tag, sizeof(tag)), 0);
    f.user_agent = (struct quire_slice){NULL, 0};
}

static void a_refused_password_is_wiped_too(void) {
    static const char text[] = "{\"email\":\"nobody\",\"password\":\"hunter22\"}",
                      broken[] = "{\"password\":\"hunter22\",";
    const char *const texts[] = {text, broken};
    for (size_t i = 0; i < 2; i++) {
        struct transcode_encoded encoded;
        struct problem problem;
        struct body body;
        CU_ASSERT_FALSE(encodes("quire.Session/SignUp", texts[i], strlen(texts[i]), &encoded, &problem, &body));
        CU_ASSERT_PTR_NULL(memmem(body.bytes, body.size, "hunter", 6));
        free(body.bytes);
    }
}

static void without_a_key_passwords_are_not_taken(void) {
    static const char text[] = "{\"email\":\"a@b.de\",\"password\":\"hunter22\"}";
    struct body body = body_of(text, sizeof(text) - 1);
    struct transcode_request request = request_of(call_of("quire.Session/SignUp"), &body);
    struct transcode_encoded encoded;
    struct problem problem;
    request.seal_key = NULL;
    CU_ASSERT_FALSE(transcode_encode(&f.arena, &request, &encoded, &problem));
    CU_ASSERT_EQUAL(problem.status, 503);
    free(body.bytes);
}

static void a_long_header_is_cut_between_characters(void) {
    static const char text[] = "{\"email\":\"a@b.de\",\"password\":\"hunter22\"}";
    static uint8_t agent[700];
    struct transcode_encoded encoded;
    struct problem problem;
    struct body body;
    for (size_t i = 0; i < sizeof(agent); i += 2)
        memcpy(agent + i, "\xc3\xa9", 2);
    agent[0] = 'x'; /* what follows is a lone continuation byte, then pairs at even places */
    f.user_agent = (struct quire_slice){agent, sizeof(agent)};
    CU_ASSERT_TRUE_FATAL(encodes("quire.Session/LogIn", text, sizeof(text) - 1, &encoded, &problem, &body));
    Quire__LogInRequest *message = quire__log_in_request__unpack(&f.arena.protobuf, encoded.value_bytes, encoded.value);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CU_ASSERT_EQUAL(strlen(message->user_agent), 512);
    CU_ASSERT_EQUAL(memcmp(message->user_agent, "x?\xc3\xa9", 4), 0);
    f.user_agent = (struct quire_slice){NULL, 0};
    free(body.bytes);
}

/* A body of `count` times `unit` between head and tail. */
static struct body body_repeated(const char *head, const char *unit, size_t count, const char *tail) {
    size_t head_bytes = strlen(head), unit_bytes = strlen(unit), tail_bytes = strlen(tail);
    size_t size = head_bytes + unit_bytes * count + tail_bytes;
    struct body body = {malloc(size + YYJSON_PADDING_SIZE), size};
    CU_ASSERT_PTR_NOT_NULL_FATAL(body.bytes);
    memcpy(body.bytes, head, head_bytes);
    for (size_t i = 0; i < count; i++)
        memcpy(body.bytes + head_bytes + i * unit_bytes, unit, unit_bytes);
    memcpy(body.bytes + head_bytes + unit_bytes * count, tail, tail_bytes);
    return body;
}

static bool encodes_repeated(const char *method, const char *head, const char *unit, size_t count, const char *tail,
                             struct problem *ret_problem, struct transcode_encoded *ret_encoded) {
    struct body body = body_repeated(head, unit, count, tail);
    struct transcode_request request = request_of(call_of(method), &body);
    bool taken = transcode_encode(&f.arena, &request, ret_encoded, ret_problem);
    free(body.bytes); /* what was encoded is packed: nothing points into the body any more */
    return taken;
}

static void bounds_hold_on_both_sides(void) {
    static const struct {
        const char *head, *unit, *tail;
        size_t fits;
    } rows[] = {
        {"{\"content\":\"c\",\"title\":\"", "\xf0\x9f\x98\x80", "\"}", 500},
        {"{\"title\":\"t\",\"content\":\"", "x", "\"}", 15728640},
        {"{\"title\":\"t\",\"content\":\"c\",\"tags\":[\"", "\xd7\xa9", "\"]}", 64},
        {"{\"title\":\"t\",\"content\":\"c\",\"metadata\": {\"k\" : \"", "x", "\" } }", 16384 - 8},
        {"{\"title\":\"t\",\"content\":\"c\",\"metadata\": {\"k\" : \"", "\\n", "\" } }", (16384 - 8) / 2},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct problem problem;
        struct transcode_encoded encoded;
        CU_ASSERT_TRUE(encodes_repeated("quire.Documents/Create", rows[i].head, rows[i].unit, rows[i].fits,
                                        rows[i].tail, &problem, &encoded));
        CU_ASSERT_FALSE_FATAL(encodes_repeated("quire.Documents/Create", rows[i].head, rows[i].unit, rows[i].fits + 1,
                                               rows[i].tail, &problem, &encoded));
        CU_ASSERT_EQUAL(problem.status, 422);
        CU_ASSERT_EQUAL(problem.faults_count, 1);
        quire_arena_reset(&f.arena);
    }
}

/* 100 levels are allowed: the body, metadata, and 98 in it. A million must cost neither stack nor service. */
static void nesting_ends_at_a_hundred_levels(void) {
    static const size_t levels[] = {97, 98, 1000000};
    for (size_t i = 0; i < 3; i++) {
        size_t size = levels[i];
        char *tail = malloc(size + 8);
        CU_ASSERT_PTR_NOT_NULL_FATAL(tail);
        memset(tail, ']', size);
        memcpy(tail + size, "}}", 3);
        struct problem problem;
        struct transcode_encoded encoded;
        bool taken =
            encodes_repeated("quire.Documents/Create", "{\"title\":\"t\",\"content\":\"c\",\"metadata\":{\"a\":", "[",
                             levels[i], tail, &problem, &encoded);
        CU_ASSERT_EQUAL(taken, i == 0 || levels[i] == 98);
        if (!taken) {
            CU_ASSERT_EQUAL(problem.status, 422);
            CU_ASSERT_STRING_EQUAL(problem.faults[0].field, "metadata");
            CU_ASSERT_STRING_EQUAL(problem.faults[0].message, "is nested over 100 levels deep");
        }
        free(tail);
        quire_arena_reset(&f.arena);
    }
    struct problem problem;
    struct transcode_encoded encoded;
    char tail[128];
    memset(tail, ']', 99);
    memcpy(tail + 99, "}}", 3);
    CU_ASSERT_FALSE(encodes_repeated("quire.Documents/Create",
                                     "{\"title\":\"t\",\"content\":\"c\",\"metadata\":{\"a\":", "[", 99, tail, &problem,
                                     &encoded));
    quire_arena_reset(&f.arena);
}

static void a_thousand_items_fit_and_one_more_does_not(void) {
    static const char head[] = "{\"documents\":[{\"title\":\"t\",\"content\":\"c\"}",
                      unit[] = ",{\"title\":\"t\",\"content\":\"c\"}";
    struct problem problem;
    struct transcode_encoded encoded;
    CU_ASSERT_TRUE_FATAL(encodes_repeated("quire.Documents/CreateBatch", head, unit, 999, "]}", &problem, &encoded));
    Quire__CreateBatchRequest *message =
        quire__create_batch_request__unpack(&f.arena.protobuf, encoded.value_bytes, encoded.value);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CU_ASSERT_EQUAL(message->n_documents, 1000);
    CU_ASSERT_FALSE(encodes_repeated("quire.Documents/CreateBatch", head, unit, 1000, "]}", &problem, &encoded));
    CU_ASSERT_EQUAL(problem.status, 422);
    quire_arena_reset(&f.arena);
}

/* Told of the first hundred; and a body of a million small values is no way to much memory. */
static void hostile_bodies_are_bounded(void) {
    struct problem problem;
    struct transcode_encoded encoded;
    size_t size = 0, names = 300000;
    char *text = malloc(names * 16 + 64);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    size = (size_t)sprintf(text, "{\"x\":0");
    for (size_t i = 0; i < names; i++)
        size += (size_t)sprintf(text + size, ",\"n%zu\":1", i);
    text[size++] = '}';
    struct body body;
    CU_ASSERT_FALSE(encodes("quire.Documents/Create", text, size, &encoded, &problem, &body));
    CU_ASSERT_EQUAL(problem.status, 422);
    CU_ASSERT_EQUAL(problem.faults_count, 100);
    free(body.bytes);

    size_t duplicate = --size + 1; /* over the bracket: the quote of one more name, that was there before */
    size += (size_t)sprintf(text + size, ",\"n17\":1}");
    char detail[80];
    (void)snprintf(detail, sizeof(detail), "The body has a duplicate name at byte %zu", duplicate);
    CU_ASSERT_FALSE(encodes("quire.Documents/Create", text, size, &encoded, &problem, &body));
    CU_ASSERT_EQUAL(problem.status, 400);
    CU_ASSERT_STRING_EQUAL(problem.detail, detail);
    free(body.bytes);
    free(text);

    CU_ASSERT_FALSE(
        encodes_repeated("quire.Documents/Create", "{\"tags\":[1", ",1", 7000000, "]}", &problem, &encoded));
    CU_ASSERT_EQUAL(problem.status, 422);
    quire_arena_reset(&f.arena);
}

/* What a call may take is bounded by its body: a thousand items that are all wrong must still fit. */
static void a_batch_of_nothing_but_faults_fits_a_small_arena(void) {
    struct quire_arena arena;
    struct body body = body_repeated("{\"documents\":[{}", ",{}", 999, "]}");
    struct transcode_request request = request_of(call_of("quire.Documents/CreateBatch"), &body);
    struct transcode_encoded encoded;
    struct problem problem;
    quire_arena_init(&arena, 768 * 1024);
    CU_ASSERT_TRUE(transcode_encode(&arena, &request, &encoded, &problem));
    CU_ASSERT_TRUE(encoded.value_bytes > 1000 * 40);
    quire_arena_deinit(&arena);
    free(body.bytes);
}

/* Wherever memory ends it is a 503, and the next request works. */
static void every_shortage_of_memory_is_a_503(void) {
    static const char text[] =
        "{\"documents\":[{\"title\":\"a\",\"content\":\"b\",\"tags\":[\"x\"],\"metadata\":{\"a\":1}},{\"titel\":1}]}";
    bool taken = false;
    unsigned refused = 0;
    for (size_t bytes_max = 0; !taken && bytes_max < 100000; bytes_max += 32) {
        struct quire_arena arena;
        struct body body = body_of(text, sizeof(text) - 1);
        struct transcode_request request = request_of(call_of("quire.Documents/CreateBatch"), &body);
        struct transcode_encoded encoded;
        struct problem problem;
        quire_arena_init(&arena, bytes_max);
        taken = transcode_encode(&arena, &request, &encoded, &problem);
        if (!taken) {
            CU_ASSERT_EQUAL(problem.status, 503);
            refused++;
        }
        quire_arena_deinit(&arena);
        free(body.bytes);
    }
    CU_ASSERT_TRUE(taken);
    CU_ASSERT_TRUE(refused > 10);
}

QUIRE_TEST_MAIN("transcode", set_up, tear_down,
                {"cases_in_files_end_as_written_there", cases_in_files_end_as_written_there},
                {"a_password_is_sealed_and_nothing_else_of_it_stays",
                 a_password_is_sealed_and_nothing_else_of_it_stays},
                {"a_refused_password_is_wiped_too", a_refused_password_is_wiped_too},
                {"without_a_key_passwords_are_not_taken", without_a_key_passwords_are_not_taken},
                {"a_long_header_is_cut_between_characters", a_long_header_is_cut_between_characters},
                {"bounds_hold_on_both_sides", bounds_hold_on_both_sides},
                {"nesting_ends_at_a_hundred_levels", nesting_ends_at_a_hundred_levels},
                {"a_thousand_items_fit_and_one_more_does_not", a_thousand_items_fit_and_one_more_does_not},
                {"hostile_bodies_are_bounded", hostile_bodies_are_bounded},
                {"a_batch_of_nothing_but_faults_fits_a_small_arena", a_batch_of_nothing_but_faults_fits_a_small_arena},
                {"every_shortage_of_memory_is_a_503", every_shortage_of_memory_is_a_503})
