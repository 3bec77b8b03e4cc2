/* Requests of every service as their clients write them, and what becomes of each: if it failed, a fault would be told
 * wrongly, or a message would say what nobody asked. */
#include "transcode_fixture.h"

#include "quire/session.pb-c.h"

#include <stdio.h>

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

QUIRE_TEST_MAIN("transcode", set_up, tear_down,
                {"cases_in_files_end_as_written_there", cases_in_files_end_as_written_there},
                {"a_long_header_is_cut_between_characters", a_long_header_is_cut_between_characters})
