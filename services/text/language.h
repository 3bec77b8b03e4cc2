/* Which language a text is in, or that we don't know. Any thread; nothing is allocated.
 *
 * Honest and small: the script decides where it decides (Hangul: ko, Kana: ja, Han alone: zh, Hebrew, Thai, Greek ...);
 * where many languages share a script, their commonest function words are counted, and a language must win clearly.
 * "Unsure" costs little (the text is indexed without that language's dictionary); a wrong guess costs every search, so
 * short and mixed texts stay unsure. */
#ifndef QUIRE_TEXT_LANGUAGE_H
#define QUIRE_TEXT_LANGUAGE_H

#include "base/slice.h"

/* Looks at most at the first TEXT_LANGUAGE_BYTES of the text. ISO 639-1, constant; NULL: unsure. */
#define TEXT_LANGUAGE_BYTES 16384u
const char *text_language(struct quire_slice text);

/* Whether `code` is an ISO 639-1 code, in lower case. */
bool text_is_language_code(struct quire_slice code);

#endif
