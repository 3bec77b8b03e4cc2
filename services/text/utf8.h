/* UTF-8 that may come from anywhere: valid or not, and how long in characters. Any thread; nothing is allocated. */
#ifndef QUIRE_TEXT_UTF8_H
#define QUIRE_TEXT_UTF8_H

#include "base/slice.h"

/* Well-formed (Unicode 15, table 3-7) and without U+0000, which PostgreSQL's text can't hold. */
bool text_valid(struct quire_slice text);
/* Code points of valid text. */
size_t text_characters(struct quire_slice text);
/* The first byte at or before `at` that begins a code point; text is valid and at <= text.size. */
size_t text_boundary(struct quire_slice text, size_t at);

#endif
