#include "text/utf8.h"

#include <unicode/utf8.h>

bool text_valid(struct quire_slice text) {
    size_t at = 0;
    while (at < text.size) {
        /* Eight ASCII bytes at once: none zero, none with the high bit. */
        uint64_t eight;
        while (at + sizeof(eight) <= text.size) {
            memcpy(&eight, text.bytes + at, sizeof(eight));
            if ((eight & 0x8080808080808080u) != 0 ||
                ((eight - 0x0101010101010101u) & ~eight & 0x8080808080808080u) != 0)
                break;
            at += sizeof(eight);
        }
        if (at == text.size)
            break;
        /* One code point in a window of at most 4 bytes, so that ICU's 32-bit offsets never limit the text. */
        const int32_t window = text.size - at < 4 ? (int32_t)(text.size - at) : 4;
        int32_t offset = 0;
        UChar32 character;
        U8_NEXT(text.bytes + at, offset, window, character);
        if (character <= 0)
            return false;
        at += (size_t)offset;
    }
    return true;
}

size_t text_characters(struct quire_slice text) {
    size_t characters = 0;
    for (size_t i = 0; i < text.size; i++)
        characters += (text.bytes[i] & 0xc0u) != 0x80u;
    return characters;
}

size_t text_boundary(struct quire_slice text, size_t at) {
    if (at >= text.size)
        return text.size;
    while (at > 0 && (text.bytes[at] & 0xc0u) == 0x80u)
        at--;
    return at;
}
