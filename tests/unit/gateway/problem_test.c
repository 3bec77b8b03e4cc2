#include "gateway/problem.h"

#include "unit/suite.h"

#include "quire/wire.pb-c.h"

static struct fixture {
    struct quire_arena arena;
} f;

static int set_up(void) {
    quire_arena_init(&f.arena, 1024 * 1024);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&f.arena);
    return 0;
}

static void renders(const struct problem *problem, const char *json) {
    struct quire_slice text;
    CU_ASSERT_TRUE_FATAL(problem_render(&f.arena, problem, QUIRE_SLICE_LITERAL("r-1"), &text));
    CU_ASSERT_TRUE(quire_slice_equal(text, quire_slice_of(json)));
}

static void bare_status_is_a_whole_problem(void) {
    renders(&(struct problem){.status = 404},
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"There is no such "
            "resource.\",\"instance\":\"r-1\"}");
    CU_ASSERT_STRING_EQUAL(problem_title(422), "Unprocessable Content");
    CU_ASSERT_STRING_EQUAL(problem_title(599), "Unknown");
}

static void faults_are_listed_and_escaped(void) {
    struct problem_fault faults[] = {{"documents[3].title", "is required"}, {"a\"b\\\n\x01", "is unknown"}};
    renders(&(struct problem){.status = 422, .slug = "invalid", .detail = "x", .faults = faults, .faults_count = 2},
            "{\"type\":\"/problems/invalid\",\"title\":\"Unprocessable "
            "Content\",\"status\":422,\"detail\":\"x\",\"instance\":\"r-1\","
            "\"errors\":[{\"field\":\"documents[3].title\",\"message\":\"is required\"},"
            "{\"field\":\"a\\\"b\\\\\\n\\u0001\",\"message\":\"is unknown\"}]}");
}

/* A problem that can't be rendered must not become half a body. */
static void rendering_without_memory_fails(void) {
    struct quire_arena tiny;
    struct quire_slice text = {NULL, 77};
    quire_arena_init(&tiny, 16);
    CU_ASSERT_FALSE(problem_render(&tiny, &(struct problem){.status = 404}, QUIRE_SLICE_LITERAL("r"), &text));
    CU_ASSERT_EQUAL(text.size, 77);
    quire_arena_deinit(&tiny);
}

static bool decodes(const Quire__Problem *message, struct problem *ret_problem) {
    uint8_t bytes[512];
    size_t size = quire__problem__pack(message, bytes);
    return problem_decode(&f.arena, (struct quire_slice){bytes, size}, ret_problem);
}

static void a_services_refusal_is_read(void) {
    Quire__Problem message = QUIRE__PROBLEM__INIT;
    Quire__FieldFault fault = QUIRE__FIELD_FAULT__INIT, *faults[] = {&fault};
    struct problem problem;
    fault.field = (char *)"q";
    fault.message = (char *)"no";
    message.status = 429;
    message.slug = (char *)"rate-limited";
    message.has_retry_after_s = 1;
    message.retry_after_s = 3;
    message.has_pace_us = 1;
    message.pace_us = 5000;
    message.rate_limit = (char *)"\"default\";r=0";
    message.rate_limit_policy = (char *)"x\r\nSet-Cookie: y"; /* must not split the header */
    message.n_errors = 1;
    message.errors = faults;
    CU_ASSERT_TRUE_FATAL(decodes(&message, &problem));
    CU_ASSERT_EQUAL(problem.status, 429);
    CU_ASSERT_STRING_EQUAL(problem.slug, "rate-limited");
    CU_ASSERT_PTR_NULL(problem.title);
    CU_ASSERT_EQUAL(problem.retry_after_s, 3);
    CU_ASSERT_EQUAL(problem.pace_us, 5000);
    CU_ASSERT_EQUAL(problem.faults_count, 1);
    CU_ASSERT_STRING_EQUAL(problem.faults[0].message, "no");
    CU_ASSERT_TRUE(quire_slice_equal(problem.rate_limit, QUIRE_SLICE_LITERAL("\"default\";r=0")));
    CU_ASSERT_EQUAL(problem.rate_limit_policy.size, 0);
}

static void what_is_no_problem_is_refused(void) {
    struct problem problem;
    Quire__Problem message = QUIRE__PROBLEM__INIT;
    message.status = 200;
    CU_ASSERT_FALSE(decodes(&message, &problem));
    CU_ASSERT_FALSE(problem_decode(&f.arena, QUIRE_SLICE_LITERAL("\xff\xff garbage"), &problem));
    CU_ASSERT_FALSE(problem_decode(&f.arena, (struct quire_slice){NULL, 0}, &problem));
    message.status = 404;
    message.detail = (char *)"\xff"; /* no UTF-8: left out, the rest stands */
    CU_ASSERT_TRUE_FATAL(decodes(&message, &problem));
    CU_ASSERT_PTR_NULL(problem.detail);
}

QUIRE_TEST_MAIN("problem", set_up, tear_down, {"bare_status_is_a_whole_problem", bare_status_is_a_whole_problem},
                {"faults_are_listed_and_escaped", faults_are_listed_and_escaped},
                {"rendering_without_memory_fails", rendering_without_memory_fails},
                {"a_services_refusal_is_read", a_services_refusal_is_read},
                {"what_is_no_problem_is_refused", what_is_no_problem_is_refused})
