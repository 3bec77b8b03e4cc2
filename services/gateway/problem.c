#include "gateway/problem.h"

#include "base/utf8.h"
#include "gateway/json_write.h"

#include "quire/wire.pb-c.h"

#define PROBLEM_TYPE_PREFIX "/problems/"
#define INVALID "invalid" /* the same whether the gateway or a service found the faults */

/* RFC 9110 15, RFC 6585 and the IANA registry of status codes; ascending. The detail is what is told where nobody knows
 * more: API.md promises one with every problem. */
static const struct problem_status {
    unsigned status;
    const char *title, *detail;
} problem_statuses[] = {
    {400, "Bad Request", "The request can't be read."},
    {401, "Unauthorized", "The token is not valid: it is unknown, expired or revoked."},
    {403, "Forbidden", "This is not allowed."},
    {404, "Not Found", "There is no such resource."},
    {405, "Method Not Allowed", "The resource doesn't take this method; Allow names those that it takes."},
    {406, "Not Acceptable", "None of the media types that are accepted is there."},
    {408, "Request Timeout", "The request did not arrive in time."},
    {409, "Conflict", "The request conflicts with what is there."},
    {411, "Length Required", "The length of the body must be said."},
    {412, "Precondition Failed", "A condition of the request doesn't hold; nothing was changed."},
    {413, "Content Too Large", "The body is too large."},
    {414, "URI Too Long", "The request target is too long."},
    {415, "Unsupported Media Type", "The body's media type or coding is not supported."},
    {416, "Range Not Satisfiable", "The range is not there."},
    {417, "Expectation Failed", "The expectation can't be met."},
    {421, "Misdirected Request", "This server doesn't answer for that authority."},
    {422, "Unprocessable Content", "The request is well-formed, but not valid; see errors."},
    {425, "Too Early", "The request came too early."},
    {426, "Upgrade Required", "Another protocol is required."},
    {428, "Precondition Required", "The request must be conditional."},
    {429, "Too Many Requests", "A rate limit is reached; Retry-After says when to come back."},
    {431, "Request Header Fields Too Large", "The header section is too large."},
    {500, "Internal Server Error", "Something is wrong on our side; the request id finds it in the logs."},
    {501, "Not Implemented", "The method is not known."},
    {502, "Bad Gateway", "A part behind this one answered badly."},
    {503, "Service Unavailable", "A part that this needs is away or full; try again in a moment."},
    {504, "Gateway Timeout", "No reply came before the deadline."},
    {505, "HTTP Version Not Supported", "Only HTTP/1.1 and HTTP/1.0 are spoken."},
};

static const struct problem_status *problem_status_of(unsigned status) {
    static const struct problem_status unknown = {0, "Unknown", "The request was refused."};
    for (size_t i = 0; i < sizeof(problem_statuses) / sizeof(problem_statuses[0]); i++)
        if (problem_statuses[i].status == status)
            return &problem_statuses[i];
    return &unknown;
}

const char *problem_title(unsigned status) {
    return problem_status_of(status)->title;
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
    problem_render_type(&writer, arena, problem->slug != NULL || problem->faults_count == 0 ? problem->slug : INVALID);
    problem_member(&writer, "title", problem->title != NULL ? problem->title : problem_title(problem->status));
    json_name(&writer, QUIRE_SLICE_LITERAL("status"));
    json_unsigned(&writer, problem->status);
    problem_member(&writer, "detail",
                   problem->detail != NULL ? problem->detail : problem_status_of(problem->status)->detail);
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
