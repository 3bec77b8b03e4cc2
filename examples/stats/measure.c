#include "measure.h"

#include <unicode/ubrk.h>
#include <unicode/utf8.h>

static int64_t count_characters(struct quire_slice text) {
    const int32_t size = (int32_t)text.size;
    int64_t count = 0;
    for (int32_t at = 0; at < size; count++)
        U8_FWD_1(text.bytes, at, size);
    return count;
}

/* Both iterators go forward only. A sentence counts when its first word is met. */
static void count_words(UBreakIterator *words, UBreakIterator *sentences, struct stats_measure *measure) {
    int32_t start = ubrk_first(words), sentence_end = ubrk_first(sentences);
    for (int32_t end = ubrk_next(words); end != UBRK_DONE; start = end, end = ubrk_next(words)) {
        if (ubrk_getRuleStatus(words) < UBRK_WORD_NONE_LIMIT)
            continue; /* spaces, punctuation */
        measure->words++;
        if (start < sentence_end)
            continue;
        measure->sentences++;
        while (sentence_end != UBRK_DONE && sentence_end <= start)
            sentence_end = ubrk_next(sentences);
        if (sentence_end == UBRK_DONE)
            sentence_end = INT32_MAX;
    }
}

bool stats_measure(struct quire_slice text, struct stats_measure *ret_measure) {
    struct stats_measure measure = {.characters = count_characters(text)};
    UErrorCode error = U_ZERO_ERROR;
    UText utext = UTEXT_INITIALIZER;

    utext_openUTF8(&utext, (const char *)text.bytes, (int64_t)text.size, &error);
    UBreakIterator *words = ubrk_open(UBRK_WORD, "", NULL, 0, &error);
    UBreakIterator *sentences = ubrk_open(UBRK_SENTENCE, "", NULL, 0, &error);
    if (U_SUCCESS(error)) {
        ubrk_setUText(words, &utext, &error);
        ubrk_setUText(sentences, &utext, &error);
    }
    if (U_SUCCESS(error))
        count_words(words, sentences, &measure);
    ubrk_close(words); /* these take NULL */
    ubrk_close(sentences);
    utext_close(&utext);
    if (U_FAILURE(error))
        return false;
    *ret_measure = measure;
    return true;
}
