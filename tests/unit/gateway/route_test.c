/* Routing: if it failed, a request would reach another call than its path and method name. */
#include "unit/suite.h"

#include "gateway/route.h"

#include <stdlib.h>

#define LITERAL(text) {(text), -1}
#define VARIABLE {NULL, 0}

static const struct quire_path_segment things[] = {LITERAL("things")};
static const struct quire_path_segment thing[] = {LITERAL("things"), VARIABLE};
static const struct quire_path_segment batch[] = {LITERAL("things"), LITERAL("batch")};
static const struct quire_path_segment part[] = {LITERAL("things"), VARIABLE, LITERAL("parts"), VARIABLE};
static const struct quire_path_segment batch_log[] = {LITERAL("things"), LITERAL("batch"), LITERAL("log")};

#define CALL(method_, path_, segments_)                                                                                \
    {.method = "test.Things/" method_,                                                                                 \
     .http_method = method_,                                                                                           \
     .path = path_,                                                                                                    \
     .segments = segments_,                                                                                            \
     .segments_count = sizeof(segments_) / sizeof((segments_)[0])}

static const struct quire_call calls[] = {
    CALL("GET", "/things", things),
    CALL("POST", "/things", things),
    CALL("GET", "/things/{id}", thing),
    CALL("DELETE", "/things/{id}", thing),
    CALL("POST", "/things/batch", batch),
    CALL("GET", "/things/{id}/parts/{part}", part),
    CALL("GET", "/things/batch/log", batch_log),
};
static const struct quire_contract_service service = {
    .name = "things", .calls = calls, .calls_count = sizeof calls / sizeof calls[0]};
static const struct quire_contract contract = {.services = &service, .services_count = 1};

static struct router *router;

static int set_up(void) {
    router = router_create(&contract, stderr);
    return router == NULL;
}

static int tear_down(void) {
    router_destroy(router);
    return 0;
}

/* "a/b" into its segments, then looked up. */
static struct route_match find(enum http_method method, const char *path) {
    struct quire_slice segments[8];
    size_t count = 0;
    for (const char *at = path; at != NULL;) {
        const char *slash = strchr(at, '/');
        segments[count++] =
            (struct quire_slice){(const uint8_t *)at, slash == NULL ? strlen(at) : (size_t)(slash - at)};
        at = slash == NULL ? NULL : slash + 1;
    }
    return router_find(router, method, segments, count);
}

static const char *found(enum http_method method, const char *path) {
    const struct route *route = find(method, path).route;
    return route == NULL ? "none" : route->path;
}

static void a_literal_goes_before_a_variable(void) {
    CU_ASSERT_STRING_EQUAL(found(HTTP_METHOD_POST, "things/batch"), "/things/batch");
    CU_ASSERT_STRING_EQUAL(found(HTTP_METHOD_GET, "things/other"), "/things/{id}");
    CU_ASSERT_STRING_EQUAL(found(HTTP_METHOD_GET, "things/batch"), "none"); /* 405: the path is batch's */
    CU_ASSERT_STRING_EQUAL(find(HTTP_METHOD_GET, "things/batch").allow, "POST, OPTIONS");
}

static void a_literal_that_leads_nowhere_gives_way_to_the_variable(void) {
    CU_ASSERT_STRING_EQUAL(found(HTTP_METHOD_GET, "things/batch/log"), "/things/batch/log");
    CU_ASSERT_STRING_EQUAL(found(HTTP_METHOD_GET, "things/batch/parts/1"), "/things/{id}/parts/{part}");
}

static void an_unknown_path_has_no_methods(void) {
    static const char *const paths[] = {
        "", "thing", "things/", "things/1/", "things/1/parts", "things/1/parts/", "things/1/parts/2/3", "Things"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        CU_ASSERT_STRING_EQUAL(found(HTTP_METHOD_GET, paths[i]), "none");
        CU_ASSERT_STRING_EQUAL(find(HTTP_METHOD_GET, paths[i]).allow, "");
    }
}

static void head_finds_what_get_finds(void) {
    CU_ASSERT_PTR_EQUAL(find(HTTP_METHOD_HEAD, "things/1").route, find(HTTP_METHOD_GET, "things/1").route);
    CU_ASSERT_STRING_EQUAL(found(HTTP_METHOD_HEAD, "things/batch"), "none");
}

static void allow_lists_what_a_path_takes(void) {
    CU_ASSERT_STRING_EQUAL(find(HTTP_METHOD_PUT, "things").allow, "GET, HEAD, POST, OPTIONS");
    CU_ASSERT_STRING_EQUAL(find(HTTP_METHOD_PUT, "things/1").allow, "GET, HEAD, DELETE, OPTIONS");
    CU_ASSERT_STRING_EQUAL(router_allow_all(router), "GET, HEAD, POST, DELETE, OPTIONS");
}

static void the_gateway_has_routes_of_its_own(void) {
    CU_ASSERT_EQUAL(find(HTTP_METHOD_GET, "health").route->kind, ROUTE_HEALTH);
    CU_ASSERT_EQUAL(find(HTTP_METHOD_GET, "openapi.json").route->kind, ROUTE_OPENAPI);
    CU_ASSERT_PTR_NULL(find(HTTP_METHOD_POST, "livez").route);
}

static void two_calls_on_one_path_and_method_are_refused(void) {
    static const struct quire_call twice[] = {CALL("GET", "/things", things), CALL("GET", "/things", things)};
    static const struct quire_contract_service clash = {.name = "clash", .calls = twice, .calls_count = 2};
    static const struct quire_contract clashing = {.services = &clash, .services_count = 1};
    char *text = NULL;
    size_t size = 0;
    FILE *errors = open_memstream(&text, &size);
    CU_ASSERT_PTR_NULL(router_create(&clashing, errors));
    fclose(errors);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "/things"));
    free(text);
}

QUIRE_TEST_MAIN("route", set_up, tear_down, {"a_literal_goes_before_a_variable", a_literal_goes_before_a_variable},
                {"a_literal_that_leads_nowhere_gives_way_to_the_variable",
                 a_literal_that_leads_nowhere_gives_way_to_the_variable},
                {"an_unknown_path_has_no_methods", an_unknown_path_has_no_methods},
                {"head_finds_what_get_finds", head_finds_what_get_finds},
                {"allow_lists_what_a_path_takes", allow_lists_what_a_path_takes},
                {"the_gateway_has_routes_of_its_own", the_gateway_has_routes_of_its_own},
                {"two_calls_on_one_path_and_method_are_refused", two_calls_on_one_path_and_method_are_refused})
