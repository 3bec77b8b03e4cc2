#include "query/dictionary.h"

#include <assert.h>

#define WORDS_AT_ONCE 128u /* under one lock of the cache */

/* Not an account's: those are 16 bytes. */
static struct cache_key key_of(struct quire_slice language, struct quire_slice word) {
    return (struct cache_key){.space = language, .name = word};
}

static bool find_some(struct cache *cache, struct quire_arena *arena, const struct quire_slice *languages,
                      const struct quire_slice *words, size_t count, struct quire_slice *ret_lexemes, size_t *unknown) {
    struct cache_key keys[WORDS_AT_ONCE];
    const struct cache_entry *entries[WORDS_AT_ONCE];
    bool good = true;
    assert(count > 0 && count <= WORDS_AT_ONCE);
    for (size_t i = 0; i < count; i++)
        keys[i] = key_of(languages[i], words[i]);
    cache_find(cache, keys, count, (struct quire_slice){0}, entries);
    for (size_t i = 0; i < count; i++) {
        ret_lexemes[i] = (struct quire_slice){0};
        *unknown += entries[i] == NULL;
        if (entries[i] == NULL)
            continue;
        const struct quire_slice lexeme = cache_value(entries[i]);
        ret_lexemes[i] = (struct quire_slice){(const uint8_t *)quire_arena_text(arena, lexeme), lexeme.size};
        good &= ret_lexemes[i].bytes != NULL;
        cache_unref(entries[i]);
    }
    return good;
}

bool dictionary_find(struct cache *cache, struct quire_arena *arena, const struct quire_slice *languages,
                     const struct quire_slice *words, size_t count, struct quire_slice *ret_lexemes,
                     size_t *ret_unknown) {
    *ret_unknown = 0;
    for (size_t i = 0; i < count; i += WORDS_AT_ONCE) {
        const size_t some = count - i < WORDS_AT_ONCE ? count - i : WORDS_AT_ONCE;
        if (!find_some(cache, arena, languages + i, words + i, some, ret_lexemes + i, ret_unknown))
            return false;
    }
    return true;
}

void dictionary_keep(struct cache *cache, struct quire_slice language, struct quire_slice word,
                     struct quire_slice lexeme) {
    const struct cache_key key = key_of(language, word);
    cache_put(cache, &key, (struct quire_slice){0}, lexeme);
}
