/* Any valid text to passages: in order, on whole code points, and all of it but white space between them. */
#include "documents/chunker.h"

#include <assert.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

static bool valid(const uint8_t *text, size_t size) {
    for (int32_t at = 0; at < (int32_t)size;) {
        UChar32 character;
        U8_NEXT(text, at, (int32_t)size, character);
        if (character <= 0) /* malformed, or NUL, which no document has */
            return false;
    }
    return true;
}

static bool on_bound(const uint8_t *text, size_t size, size_t at) {
    return at == size || (text[at] & 0xc0) != 0x80;
}

static bool is_white(const uint8_t *text, size_t start, size_t end) {
    for (int32_t at = (int32_t)start; at < (int32_t)end;) {
        UChar32 character;
        U8_NEXT(text, at, (int32_t)end, character);
        if (!u_isUWhiteSpace(character))
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > 1 << 20 || !valid(data, size))
        return 0;
    static struct quire_arena arena;
    struct chunk *chunks;
    size_t count;
    if (arena.bytes_max == 0)
        quire_arena_init(&arena, 256 << 20);
    quire_arena_reset(&arena);
    assert(chunker_cut(&arena, (struct quire_slice){data, size}, &chunks, &count) && count > 0);
    assert(is_white(data, 0, chunks[0].start) && is_white(data, chunks[count - 1].end, size));
    for (size_t i = 0; i < count; i++) {
        assert(chunks[i].end > chunks[i].start && chunks[i].end <= size);
        assert(on_bound(data, size, chunks[i].start) && on_bound(data, size, chunks[i].end));
        if (i == 0)
            continue;
        assert(chunks[i].start > chunks[i - 1].start && chunks[i].end > chunks[i - 1].end);
        assert(chunks[i].start <= chunks[i - 1].end || is_white(data, chunks[i - 1].end, chunks[i].start));
    }
    return 0;
}
