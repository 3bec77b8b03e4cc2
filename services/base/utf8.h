/* UTF-8 (RFC 3629): is it, how many characters has it, where may it be cut. Any thread. */
#ifndef QUIRE_BASE_UTF8_H
#define QUIRE_BASE_UTF8_H

#include "base/slice.h"

/* Bytes of the character that begins at `at`; 0 when none does (overlong, surrogate, above U+10FFFF, cut short). at <
 * text.size. */
size_t quire_utf8_character_bytes(struct quire_slice text, size_t at);
bool quire_utf8_valid(struct quire_slice text);
bool quire_utf8_is_ascii(struct quire_slice text);
/* Code points of a valid text. */
size_t quire_utf8_characters(struct quire_slice text);
/* The longest beginning of a valid text that has at most bytes_max bytes and cuts no character. */
struct quire_slice quire_utf8_cut(struct quire_slice text, size_t bytes_max);

#endif
