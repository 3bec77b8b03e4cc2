#include "gateway/response.h"

#include "gateway/problem.h"

#include <stdio.h>
#include <time.h>

/* Everything that isn't a caller's or a service's text fits with room to spare: the sum of the longest constant parts
 * is below 640. */
#define RESPONSE_CONSTANT_BYTES 768u

const char *response_phrase(unsigned status) {
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 304:
        return "Not Modified";
    default:
        return problem_title(status);
    }
}

void response_date(uint64_t unix_s, char ret_text[RESPONSE_DATE_CHARACTERS + 1]) {
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)unix_s;
    struct tm tm;
    char text[96]; /* strftime would ask the locale for names */
    (void)gmtime_r(&seconds, &tm);
    (void)snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
                   months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    memcpy(ret_text, text, RESPONSE_DATE_CHARACTERS);
    ret_text[RESPONSE_DATE_CHARACTERS] = '\0';
}

struct writer {
    char *at;
};

static void put(struct writer *writer, const char *text, size_t size) {
    if (size > 0)
        memcpy(writer->at, text, size);
    writer->at += size;
}

static void put_text(struct writer *writer, const char *text) {
    put(writer, text, strlen(text));
}

static void put_slice(struct writer *writer, struct quire_slice slice) {
    put(writer, (const char *)slice.bytes, slice.size);
}

static void put_number(struct writer *writer, uint64_t number, unsigned digits_min) {
    char text[20];
    unsigned size = 0;
    while (number > 0 || size < digits_min) {
        text[sizeof text - ++size] = (char)('0' + number % 10);
        number /= 10;
    }
    put(writer, text + sizeof text - size, size);
}

#define PUT(writer, literal) put((writer), "" literal, sizeof(literal) - 1)

static void put_field(struct writer *writer, const char *name, struct quire_slice value) {
    if (value.size == 0)
        return;
    put_text(writer, name);
    PUT(writer, ": ");
    put_slice(writer, value);
    PUT(writer, "\r\n");
}

static void put_always(struct writer *writer, const struct response *response) {
    PUT(writer, "HTTP/1.1 ");
    put_number(writer, response->status, 3);
    PUT(writer, " ");
    put_text(writer, response_phrase(response->status));
    PUT(writer, "\r\nDate: ");
    put(writer, response->date, RESPONSE_DATE_CHARACTERS);
    PUT(writer, "\r\nX-Request-ID: ");
    put_slice(writer, response->request_id);
    PUT(writer, "\r\nX-Process-Time: ");
    put_number(writer, response->process_us / 1000000, 1);
    PUT(writer, ".");
    put_number(writer, response->process_us % 1000000, 6);
    PUT(writer, "\r\n");
}

static void put_content(struct writer *writer, const struct response *response) {
    bool has_none = response->status < 200 || response->status == 204 || response->status == 304;
    if (has_none)
        return;
    if (response->content_type != NULL) {
        put_field(writer, "Content-Type", quire_slice_of(response->content_type));
        PUT(writer, "X-Content-Type-Options: nosniff\r\n");
    }
    PUT(writer, "Content-Length: ");
    put_number(writer, response->content_bytes, 1);
    PUT(writer, "\r\n");
}

static size_t foreign_bytes(const struct response *response) {
    return response->request_id.size + response->location.size + response->rate_limit.size +
           response->rate_limit_policy.size + response->etag_name.size + response->etag.size +
           quire_slice_of(response->allow).size + quire_slice_of(response->accept).size +
           quire_slice_of(response->accept_encoding).size + quire_slice_of(response->content_type).size +
           quire_slice_of(response->cache_control).size + quire_slice_of(response->security_policy).size;
}

bool response_render(struct quire_arena *arena, const struct response *response, struct quire_slice *ret_head) {
    char *head = quire_arena_alloc(arena, RESPONSE_CONSTANT_BYTES + foreign_bytes(response));
    struct writer writer = {head};
    if (head == NULL)
        return false;
    put_always(&writer, response);
    put_content(&writer, response);
    put_field(&writer, "Allow", quire_slice_of(response->allow));
    put_field(&writer, "Accept", quire_slice_of(response->accept));
    put_field(&writer, "Accept-Encoding", quire_slice_of(response->accept_encoding));
    put_field(&writer, "Cache-Control", quire_slice_of(response->cache_control));
    if (response->security_policy != NULL) {
        put_field(&writer, "Content-Security-Policy", quire_slice_of(response->security_policy));
        PUT(&writer, "Referrer-Policy: no-referrer\r\n");
    }
    put_field(&writer, "Location", response->location);
    if (response->etag_name.size > 0 && response->etag.size > 0) {
        put_slice(&writer, response->etag_name);
        PUT(&writer, ": ");
        put_slice(&writer, response->etag);
        PUT(&writer, "\r\n");
    }
    if (response->challenge)
        PUT(&writer, "WWW-Authenticate: Bearer\r\n");
    if (response->retry_after_s > 0) {
        PUT(&writer, "Retry-After: ");
        put_number(&writer, response->retry_after_s, 1);
        PUT(&writer, "\r\n");
    }
    put_field(&writer, "RateLimit", response->rate_limit);
    put_field(&writer, "RateLimit-Policy", response->rate_limit_policy);
    if (response->close)
        PUT(&writer, "Connection: close\r\n");
    else if (response->keep_alive)
        PUT(&writer, "Connection: keep-alive\r\n");
    PUT(&writer, "\r\n");
    *ret_head = (struct quire_slice){(const uint8_t *)head, (size_t)(writer.at - head)};
    return true;
}
