#include "session/utf8.h"

/* Bytes of the character that starts at `text`, 0 when none does (RFC 3629 4: no surrogates, nothing overlong). A NUL
 * ends it early by itself. */
static size_t character_bytes(const uint8_t *text) {
    uint8_t lead = text[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < bytes; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    }
    return bytes;
}

char *utf8_clean(struct quire_arena *arena, const char *text, size_t bytes_max) {
    if (text == NULL)
        return NULL;
    char *clean = quire_arena_text(arena, (struct quire_slice){(const uint8_t *)text, strnlen(text, bytes_max + 3)});
    if (clean == NULL)
        return NULL;
    size_t at = 0;
    while (clean[at] != '\0') {
        size_t bytes = character_bytes((const uint8_t *)clean + at);
        if (at + (bytes == 0 ? 1 : bytes) > bytes_max)
            break;
        if (bytes == 0)
            clean[at] = '?';
        at += bytes == 0 ? 1 : bytes;
    }
    clean[at] = '\0';
    return clean;
}
