/* Bytes of a connection to requests. Whatever comes, in whatever pieces: no byte is read twice, and the same bytes in
 * one piece and in two give the same messages; a split must never decide what a request is. The first byte says where
 * to split. */
#include "gateway/http.h"

#include <stdlib.h>

struct outcome {
    unsigned messages, status;
    uint64_t body_bytes;
};

static void take_body(void *context, struct quire_slice piece) {
    ((struct outcome *)context)->body_bytes += piece.size;
}

static bool feed(struct http_parser *parser, struct quire_arena *arena, struct quire_slice bytes,
                 struct outcome *outcome) {
    while (bytes.size > 0) {
        enum http_event status;
        const size_t taken = http_feed(parser, bytes, &status);
        if (taken > bytes.size)
            abort();
        bytes = (struct quire_slice){bytes.bytes + taken, bytes.size - taken};
        if (status == HTTP_EVENT_BROKEN) {
            outcome->status = parser->fault.status;
            return false;
        }
        if (status == HTTP_EVENT_COMPLETE) {
            outcome->messages++;
            quire_arena_reset(arena);
            http_begin(parser, arena);
        } else if (status == HTTP_EVENT_MORE && bytes.size > 0) {
            abort();
        }
    }
    return true;
}

static struct outcome read_in(struct quire_slice bytes, size_t split) {
    struct outcome outcome = {0};
    struct http_parser parser;
    struct quire_arena arena;
    quire_arena_init(&arena, 1 << 20);
    http_init(&parser, take_body, &outcome);
    http_begin(&parser, &arena);
    if (feed(&parser, &arena, (struct quire_slice){bytes.bytes, split}, &outcome))
        (void)feed(&parser, &arena, (struct quire_slice){bytes.bytes + split, bytes.size - split}, &outcome);
    quire_arena_deinit(&arena);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    const struct quire_slice bytes = {data + 1, size - 1};
    const struct outcome whole = read_in(bytes, bytes.size), split = read_in(bytes, data[0] % bytes.size);
    if (whole.messages != split.messages || whole.status != split.status)
        abort();
    return 0;
}
