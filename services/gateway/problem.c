#include "gateway/problem.h"

#include "base/utf8.h"
#include "gateway/json_write.h"

#include "quire/wire.pb-c.h"

#define PROBLEM_TYPE_PREFIX "/problems/"

/* RFC 9110 15, RFC 6585 and the IANA registry of status codes; ascending. */
static const struct problem_status {
    unsigned status;
    const char *title;
} problem_statuses[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *problem_title(unsigned status) {
    for (size_t i = 0; i < sizeof(problem_statuses) / sizeof(problem_statuses[0]); i++)
        if (problem_statuses[i].status == status)
            return problem_statuses[i].title;
    return "Unknown";
}

static void problem_member(struct json_writer *writer, const char *name, const char *text) {
    json_name(writer, quire_slice_of(name));
    json_string(writer, quire_slice_of(text));
}

/* A reference relative to the gateway's own address: it names the kind of problem wherever Quire runs (RFC 9457 3.1.1).
 */
static void problem_render_type(struct json_writer *writer, struct quire_arena *arena, const char *slug) {
    const char *type = slug == NULL ? "about:blank" : quire_arena_printf(arena, PROBLEM_TYPE_PREFIX "%s", slug);
    if (type == NULL)
        writer->failed = true;
    else
        problem_member(writer, "type", type);
}

bool problem_render(struct quire_arena *arena, const struct problem *problem, struct quire_slice instance,
                    struct quire_slice *ret_json) {
    struct json_writer writer;
    json_writer_init(&writer, arena, 512, SIZE_MAX);
    json_begin(&writer, '{');
    problem_render_type(&writer, arena, problem->slug);
    problem_member(&writer, "title", problem->title != NULL ? problem->title : problem_title(problem->status));
    json_name(&writer, QUIRE_SLICE_LITERAL("status"));
    json_unsigned(&writer, problem->status);
    if (problem->detail != NULL)
        problem_member(&writer, "detail", problem->detail);
    json_name(&writer, QUIRE_SLICE_LITERAL("instance"));
    json_string(&writer, instance);
    if (problem->faults_count > 0) {
        json_name(&writer, QUIRE_SLICE_LITERAL("errors"));
        json_begin(&writer, '[');
        for (size_t i = 0; i < problem->faults_count; i++) {
            json_begin(&writer, '{');
            problem_member(&writer, "field", problem->faults[i].field);
            problem_member(&writer, "message", problem->faults[i].message);
            json_end(&writer, '}');
        }
        json_end(&writer, ']');
    }
    json_end(&writer, '}');
    return json_writer_end(&writer, ret_json);
}

/* Empty texts count as none, as writers in languages without presence send them; so do those that would make bad JSON.
 */
static const char *problem_text(const char *text) {
    return text == NULL || text[0] == '\0' || !quire_utf8_valid(quire_slice_of(text)) ? NULL : text;
}

/* What goes into a header must not end it (RFC 9110 5.5). */
static struct quire_slice problem_header(const char *text) {
    for (const char *at = text; at != NULL && *at != '\0'; at++)
        if (*at < 0x20 || *at > 0x7e)
            return (struct quire_slice){NULL, 0};
    return quire_slice_of(text);
}

static bool problem_decode_faults(struct quire_arena *arena, const Quire__Problem *message, struct problem *problem) {
    if (message->n_errors == 0)
        return true;
    problem->faults = quire_arena_alloc(arena, message->n_errors * sizeof(*problem->faults));
    if (problem->faults == NULL)
        return false;
    for (size_t i = 0; i < message->n_errors; i++) {
        const char *field = problem_text(message->errors[i]->field), *text = problem_text(message->errors[i]->message);
        problem->faults[i] = (struct problem_fault){field == NULL ? "" : field, text == NULL ? "" : text};
    }
    problem->faults_count = message->n_errors;
    return true;
}

bool problem_decode(struct quire_arena *arena, struct quire_slice value, struct problem *ret_problem) {
    const Quire__Problem *message = quire__problem__unpack(&arena->protobuf, value.size, value.bytes);
    if (message == NULL || message->status < 400 || message->status > 599)
        return false;
    struct problem problem = {
        .status = message->status,
        .slug = problem_text(message->slug),
        .title = problem_text(message->title),
        .detail = problem_text(message->detail),
        .retry_after_s = message->has_retry_after_s ? message->retry_after_s : 0,
        .pace_us = message->has_pace_us ? message->pace_us : 0,
        .rate_limit = problem_header(message->rate_limit),
        .rate_limit_policy = problem_header(message->rate_limit_policy),
    };
    if (!problem_decode_faults(arena, message, &problem))
        return false;
    *ret_problem = problem;
    return true;
}
