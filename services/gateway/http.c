#include "gateway/http.h"

#include "gateway/host.h"

#include <assert.h>

#define HTTP_EMPTY_LINES_BYTES_MAX 8u /* before a request line: RFC 9112 2.2 asks for one line of grace */
#define HTTP_TEXT_FIRST 1024u
#define HTTP_SPANS_FIRST 16u

enum http_phase { PHASE_START, PHASE_METHOD, PHASE_HEAD, PHASE_BODY, PHASE_COMPLETE, PHASE_BROKEN };

struct http_span {
    uint32_t name, name_size, value, value_size; /* name and value are offsets in the text */
};

const struct http_bounds http_bounds_client = {HTTP_FIELDS_MAX, HTTP_SECTION_MAX};
const struct http_bounds http_bounds_proxied = {HTTP_FIELDS_MAX + HTTP_PROXY_FIELDS,
                                                HTTP_SECTION_MAX + HTTP_PROXY_BYTES};

static int break_off(struct http_parser *parser, unsigned status, const char *detail) {
    if (parser->fault.status == 0)
        parser->fault = (struct http_fault){status, detail};
    return HPE_USER;
}

static uint32_t offset_of(const struct http_parser *parser, const char *at) {
    return (uint32_t)(parser->fed_offset + (uint64_t)((const uint8_t *)at - parser->fed));
}

static bool append_text(struct http_parser *parser, const char *at, size_t size) {
    if (parser->text_size + size > parser->text_room) {
        uint32_t room = parser->text_room == 0 ? HTTP_TEXT_FIRST : parser->text_room * 2;
        while (room < parser->text_size + size)
            room *= 2;
        uint8_t *text = quire_arena_alloc(parser->arena, room);
        if (text == NULL)
            return false;
        if (parser->text_size > 0)
            memcpy(text, parser->text, parser->text_size);
        parser->text = text;
        parser->text_room = room;
    }
    memcpy(parser->text + parser->text_size, at, size);
    parser->text_size += (uint32_t)size;
    return true;
}

static struct http_span *add_span(struct http_parser *parser) {
    if (parser->spans_count == parser->spans_room) {
        uint32_t room = parser->spans_room == 0 ? HTTP_SPANS_FIRST : parser->spans_room * 2;
        struct http_span *spans = quire_arena_alloc(parser->arena, room * sizeof *spans);
        if (spans == NULL)
            return NULL;
        if (parser->spans_count > 0)
            memcpy(spans, parser->spans, parser->spans_count * sizeof *spans);
        parser->spans = spans;
        parser->spans_room = room;
    }
    struct http_span *span = &parser->spans[parser->spans_count++];
    *span = (struct http_span){.name = parser->text_size};
    return span;
}

/* llhttp's callbacks. 0: go on. */

static int on_url(llhttp_t *llhttp, const char *at, size_t size) {
    struct http_parser *parser = llhttp->data;
    if (parser->target_size == 0 && offset_of(parser, at) != parser->target_start)
        return break_off(parser, 400, "There must be one space after the method.");
    for (size_t i = 0; i < size; i++)
        if ((uint8_t)at[i] <= ' ' || (uint8_t)at[i] >= 0x7f || at[i] == '#')
            return break_off(parser, 400, "The request target holds a character that must be percent-encoded.");
    parser->target_size += (uint32_t)size;
    parser->target_end = offset_of(parser, at) + (uint32_t)size;
    return append_text(parser, at, size) ? 0 : break_off(parser, 503, "Out of memory for requests.");
}

/* A version that can be read, but isn't ours. */
static bool is_foreign_version(const struct http_parser *parser) {
    const char *version = parser->version;
    return parser->version_size == 3 && version[0] >= '0' && version[0] <= '9' && version[1] == '.' &&
           version[2] >= '0' && version[2] <= '9' && memcmp(version, "1.0", 3) != 0 && memcmp(version, "1.1", 3) != 0;
}

static int on_version(llhttp_t *llhttp, const char *at, size_t size) {
    struct http_parser *parser = llhttp->data;
    uint32_t offset = offset_of(parser, at);
    if (parser->section_start == 0 && offset != parser->target_end + (uint32_t)sizeof " HTTP/" - 1)
        return break_off(parser, 400, "There must be one space before the version.");
    parser->section_start = offset + (uint32_t)size + 2; /* grows with each piece */
    for (size_t i = 0; i < size && parser->version_size < sizeof parser->version; i++)
        parser->version[parser->version_size++] = at[i];
    return 0;
}

static int on_version_complete(llhttp_t *llhttp) {
    struct http_parser *parser = llhttp->data;
    if (is_foreign_version(parser)) /* llhttp takes 0.9 and 2.0 */
        return break_off(parser, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    if (parser->section_start - 2 - parser->line_start > HTTP_REQUEST_LINE_MAX)
        return break_off(parser, 414, "The request line is longer than 8 KiB.");
    return 0;
}

/* Trailers are read and dropped (RFC 9110 6.5.1), within the bound of a header section. */
static int drop_trailer(struct http_parser *parser, size_t size) {
    parser->trailer_bytes += (uint32_t)size;
    return parser->trailer_bytes <= HTTP_SECTION_MAX
               ? 0
               : break_off(parser, 431, "The trailer section is longer than 16 KiB.");
}

static int on_field_name(llhttp_t *llhttp, const char *at, size_t size) {
    struct http_parser *parser = llhttp->data;
    if (parser->phase == PHASE_BODY)
        return drop_trailer(parser, size);
    struct http_span *last = parser->spans_count == 0 ? NULL : &parser->spans[parser->spans_count - 1];
    if (last == NULL || last->value != 0) {
        if (parser->spans_count == parser->bounds->fields_max)
            return break_off(parser, 431, "There are more than 100 header fields.");
        last = add_span(parser);
        if (last == NULL)
            return break_off(parser, 503, "Out of memory for requests.");
    }
    last->name_size += (uint32_t)size;
    return append_text(parser, at, size) ? 0 : break_off(parser, 503, "Out of memory for requests.");
}

static int on_field_name_complete(llhttp_t *llhttp) {
    struct http_parser *parser = llhttp->data;
    if (parser->phase != PHASE_BODY && parser->spans_count > 0)
        parser->spans[parser->spans_count - 1].value = parser->text_size; /* never 0: a name stands before it */
    return 0;
}

static int on_field_value(llhttp_t *llhttp, const char *at, size_t size) {
    struct http_parser *parser = llhttp->data;
    if (parser->phase == PHASE_BODY)
        return drop_trailer(parser, size);
    parser->spans[parser->spans_count - 1].value_size += (uint32_t)size;
    return append_text(parser, at, size) ? 0 : break_off(parser, 503, "Out of memory for requests.");
}

static int on_field_value_complete(llhttp_t *llhttp) {
    struct http_parser *parser = llhttp->data;
    parser->spans_whole = parser->spans_count;
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp) {
    llhttp->upgrade = 0; /* Upgrade is ignored (RFC 9110 7.8): what follows is HTTP/1.1 still */
    return HPE_PAUSED;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t size) {
    struct http_parser *parser = llhttp->data;
    parser->body_bytes += size;
    if (parser->body_bytes > HTTP_BODY_MAX)
        return break_off(parser, 413, "The body is larger than 16 MiB.");
    parser->body(parser->context, (struct quire_slice){(const uint8_t *)at, size});
    return 0;
}

static int on_chunk_header(llhttp_t *llhttp) {
    struct http_parser *parser = llhttp->data;
    if (llhttp->content_length > HTTP_BODY_MAX - parser->body_bytes)
        return break_off(parser, 413, "The body is larger than 16 MiB.");
    if (llhttp->content_length == 0)
        parser->trailer_start = 1; /* made an offset by http_feed, which knows where it stands */
    return 0;
}

static int on_chunk_extension(llhttp_t *llhttp, const char *at, size_t size) {
    struct http_parser *parser = llhttp->data;
    (void)at; /* extensions are ignored, but not without a bound (RFC 9112 7.1.1) */
    parser->extension_bytes += (uint32_t)size;
    return parser->extension_bytes <= HTTP_SECTION_MAX
               ? 0
               : break_off(parser, 400, "There are more than 16 KiB of chunk extensions.");
}

static int on_message_complete(llhttp_t *llhttp) {
    struct http_parser *parser = llhttp->data;
    parser->phase = PHASE_COMPLETE;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_version = on_version,
    .on_version_complete = on_version_complete,
    .on_header_field = on_field_name,
    .on_header_field_complete = on_field_name_complete,
    .on_header_value = on_field_value,
    .on_header_value_complete = on_field_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_chunk_extension_name = on_chunk_extension,
    .on_chunk_extension_value = on_chunk_extension,
    .on_message_complete = on_message_complete,
};

void http_init(struct http_parser *parser, const struct http_bounds *bounds,
               void (*body)(void *context, struct quire_slice piece), void *context) {
    memset(parser, 0, sizeof *parser);
    parser->bounds = bounds;
    parser->body = body;
    parser->context = context;
}

void http_begin(struct http_parser *parser, struct quire_arena *arena) {
    http_init(parser, parser->bounds, parser->body, parser->context);
    parser->arena = arena;
    parser->phase = PHASE_START;
    parser->head.method = HTTP_METHOD_UNKNOWN;
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
    parser->llhttp.data = parser;
}

bool http_begun(const struct http_parser *parser) {
    return parser->phase != PHASE_START;
}

static bool is_token(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Empty lines and the method are read here: llhttp would refuse a method that it doesn't know, and know some that HTTP
 * doesn't have. It is then given POST in its place, so that an unknown one still gets its answer in order, on a
 * connection that goes on. */
static size_t read_method(struct http_parser *parser, struct quire_slice bytes, bool *ret_done) {
    size_t i = 0;
    *ret_done = false;
    for (; i < bytes.size && parser->phase == PHASE_START; i++) {
        uint8_t c = bytes.bytes[i];
        uint64_t offset = parser->fed_offset + i;
        if (c == (offset % 2 == 0 ? '\r' : '\n') && offset < HTTP_EMPTY_LINES_BYTES_MAX)
            continue;
        if (offset % 2 != 0 || !is_token(c)) {
            (void)break_off(parser, 400, "The request line doesn't begin with a method.");
            return i;
        }
        parser->phase = PHASE_METHOD;
        parser->line_start = (uint32_t)offset;
        break;
    }
    for (; i < bytes.size; i++) {
        uint8_t c = bytes.bytes[i];
        if (c == ' ') {
            *ret_done = true;
            parser->target_start = (uint32_t)(parser->fed_offset + i) + 1;
            return i + 1;
        }
        if (!is_token(c)) {
            (void)break_off(parser, 400, "The method holds a character that a method can't have.");
            return i;
        }
        if (parser->fed_offset + i - parser->line_start >= HTTP_REQUEST_LINE_MAX) {
            (void)break_off(parser, 414, "The request line is longer than 8 KiB.");
            return i;
        }
        if (parser->method_size < sizeof parser->method)
            parser->method[parser->method_size++] = (char)c;
    }
    return i;
}

static void start_llhttp(struct http_parser *parser) {
    struct quire_slice method = {(const uint8_t *)parser->method, parser->method_size};
    if (quire_slice_equal(method, QUIRE_SLICE_LITERAL("PRI"))) {
        (void)break_off(parser, 400, "HTTP/2 is not spoken here.");
        return;
    }
    parser->head.method = http_method_of(method);
    parser->phase = PHASE_HEAD;
    enum llhttp_errno error = llhttp_execute(&parser->llhttp, "POST ", 5);
    assert(error == HPE_OK);
}

/* How much llhttp may be given before a limit has been passed. */
static uint64_t allowance(const struct http_parser *parser) {
    uint64_t end;
    if (parser->phase == PHASE_HEAD)
        end = parser->section_start == 0 ? parser->line_start + (uint64_t)HTTP_REQUEST_LINE_MAX + 2
                                         : parser->section_start + (uint64_t)parser->bounds->section_bytes_max;
    else if (parser->trailer_start > 0)
        end = parser->trailer_start + (uint64_t)HTTP_SECTION_MAX;
    else
        return UINT64_MAX;
    return end > parser->fed_offset ? end - parser->fed_offset : 0;
}

static void refuse_excess(struct http_parser *parser) {
    if (parser->phase == PHASE_HEAD && parser->section_start == 0)
        (void)break_off(parser, 414, "The request line is longer than 8 KiB.");
    else
        (void)break_off(parser, 431, "The header section is longer than 16 KiB.");
}

static void explain(struct http_parser *parser, enum llhttp_errno error) {
    if (is_foreign_version(parser)) {
        (void)break_off(parser, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
        return;
    }
    switch (error) {
    case HPE_INVALID_URL:
        (void)break_off(parser, 400, "The request target is malformed.");
        return;
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_TRANSFER_ENCODING:
        (void)break_off(parser, 400, "The length of the body is ambiguous.");
        return;
    case HPE_INVALID_CHUNK_SIZE:
        (void)break_off(parser, 400, "A chunk's size is malformed.");
        return;
    default:
        (void)break_off(parser, 400,
                        parser->phase == PHASE_BODY ? "The body's framing is malformed."
                                                    : "The request's head is malformed.");
        return;
    }
}

static struct quire_slice trimmed(const uint8_t *bytes, size_t size) {
    while (size > 0 && (bytes[size - 1] == ' ' || bytes[size - 1] == '\t'))
        size--;
    return (struct quire_slice){bytes, size};
}

/* Of a head that broke off only those whose line has ended: a part of a value would pass for all of it. */
static bool collect_fields(struct http_parser *parser) {
    struct http_head *head = &parser->head;
    head->target = (struct quire_slice){parser->text, parser->target_size};
    head->fields_count = parser->spans_whole;
    head->fields = quire_arena_alloc(parser->arena, (parser->spans_whole + 1) * sizeof *head->fields);
    if (head->fields == NULL)
        return false;
    for (uint32_t i = 0; i < parser->spans_whole; i++) {
        const struct http_span *span = &parser->spans[i];
        head->fields[i].name = (struct quire_slice){parser->text + span->name, span->name_size};
        head->fields[i].value = trimmed(parser->text + span->value, span->value_size);
    }
    return true;
}

static bool parse_length(struct quire_slice text, uint64_t *ret_length) {
    uint64_t length = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9' || length > (UINT64_MAX - 9) / 10)
            return false;
        length = length * 10 + (uint64_t)(text.bytes[i] - '0');
    }
    *ret_length = length;
    return text.size > 0;
}

/* RFC 9112 6.3, without the leniencies. */
static void settle_framing(struct http_parser *parser) {
    struct http_head *head = &parser->head;
    size_t lengths, encodings;
    const struct http_field *length = http_find(head, "Content-Length", &lengths);
    const struct http_field *encoding = http_find(head, "Transfer-Encoding", &encodings);
    if (encodings > 1 ||
        (encodings == 1 && (lengths > 0 || head->minor == 0 || !http_name_equal(encoding->value, "chunked"))))
        (void)break_off(parser, 400, "Transfer-Encoding must be chunked, alone, once, in HTTP/1.1.");
    else if (lengths > 1 || (lengths == 1 && !parse_length(length->value, &head->content_length)))
        (void)break_off(parser, 400, "Content-Length must be one number.");
    head->chunked = encodings == 1;
    head->has_length = lengths == 1;
}

static void settle_host(struct http_parser *parser) {
    size_t hosts;
    const struct http_field *host = http_find(&parser->head, "Host", &hosts);
    if (hosts > 1 || (hosts == 0 && parser->head.minor == 1)) {
        (void)break_off(parser, 400, "There must be one Host field.");
        return;
    }
    /* An empty one says that the target has no authority: RFC 9112 3.2. */
    if (hosts == 1 && host->value.size > 0 && !host_is_valid(host->value))
        (void)break_off(parser, 400, "The Host field is malformed.");
}

/* llhttp stands still at the end of the header section. */
static enum http_event finish_head(struct http_parser *parser) {
    struct http_head *head = &parser->head;
    head->minor = parser->llhttp.http_minor;
    head->keep_alive = llhttp_should_keep_alive(&parser->llhttp) == 1;
    if (parser->section_start == 0) {
        (void)break_off(parser, 400, "The request line has no version.");
    } else if (!collect_fields(parser)) {
        (void)break_off(parser, 503, "Out of memory for requests.");
    } else {
        settle_framing(parser);
        settle_host(parser);
    }
    if (parser->fault.status != 0) {
        parser->phase = PHASE_BROKEN;
        return HTTP_EVENT_BROKEN;
    }
    parser->phase = PHASE_BODY;
    llhttp_resume(&parser->llhttp);
    return HTTP_EVENT_HEAD;
}

static enum http_event broken(struct http_parser *parser) {
    if (parser->head.fields == NULL)
        (void)collect_fields(parser); /* the fields that were read may hold the request's id */
    parser->phase = PHASE_BROKEN;
    return HTTP_EVENT_BROKEN;
}

/* One call of llhttp, as far as the limits allow. */
static size_t execute(struct http_parser *parser, struct quire_slice bytes, enum http_event *ret_event) {
    uint64_t allowed = allowance(parser);
    size_t size = bytes.size < allowed ? bytes.size : (size_t)allowed;
    *ret_event = HTTP_EVENT_MORE;
    if (size == 0) { /* bytes.size isn't */
        refuse_excess(parser);
        *ret_event = broken(parser);
        return 0;
    }
    parser->fed = bytes.bytes;
    bool was_trailing = parser->trailer_start > 0;
    enum llhttp_errno error = llhttp_execute(&parser->llhttp, (const char *)bytes.bytes, size);
    if (error == HPE_PAUSED)
        size = (size_t)((const uint8_t *)llhttp_get_error_pos(&parser->llhttp) - bytes.bytes);
    parser->fed_offset += size;
    if (parser->trailer_start > 0 && !was_trailing)
        parser->trailer_start = (uint32_t)parser->fed_offset;
    if (error == HPE_PAUSED) {
        *ret_event = parser->phase == PHASE_COMPLETE ? HTTP_EVENT_COMPLETE : finish_head(parser);
    } else if (error != HPE_OK) {
        explain(parser, error);
        *ret_event = broken(parser);
    }
    return size;
}

size_t http_feed(struct http_parser *parser, struct quire_slice bytes, enum http_event *ret_event) {
    assert(parser->phase != PHASE_COMPLETE);
    size_t used = 0;
    enum http_event event = parser->phase == PHASE_BROKEN ? HTTP_EVENT_BROKEN : HTTP_EVENT_MORE;
    while (event == HTTP_EVENT_MORE) {
        if (parser->phase == PHASE_BODY && !parser->head.chunked && parser->head.content_length == 0) {
            parser->phase = PHASE_COMPLETE; /* no body: nothing more to read, so llhttp isn't asked */
            event = HTTP_EVENT_COMPLETE;
            break;
        }
        struct quire_slice rest = {bytes.bytes + used, bytes.size - used};
        if (rest.size == 0)
            break;
        if (parser->phase == PHASE_START || parser->phase == PHASE_METHOD) {
            bool done;
            size_t taken = read_method(parser, rest, &done);
            parser->fed_offset += taken;
            used += taken;
            if (done)
                start_llhttp(parser);
            if (parser->fault.status != 0)
                event = broken(parser);
            continue;
        }
        used += execute(parser, rest, &event);
    }
    *ret_event = event;
    return used;
}
