#include "query/highlight.h"

#include "base/utf8.h"
#include "text/words.h"

#include <assert.h>

#define SPANS_MAX 256u /* of one passage; more would be one mark a word */
#define PIECES_MAX 32u
#define LEXEMES_MAX 128u       /* of the question */
#define CONTEXT_CHARACTERS 60u /* before the first mark of a piece */

void highlight_words_init(struct highlight_words *words, struct quire_arena *arena) {
    *words = (struct highlight_words){.arena = arena};
}

static uint64_t hash_of(struct quire_slice language, struct quire_slice word) {
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < language.size; i++)
        hash = (hash ^ language.bytes[i]) * 0x100000001b3u;
    for (size_t i = 0; i < word.size; i++)
        hash = (hash ^ word.bytes[i]) * 0x100000001b3u;
    return hash ^ hash >> 29;
}

/* The slot that holds the word, or the free one where it belongs. */
static size_t slot_of(const struct highlight_words *words, struct quire_slice language, struct quire_slice word) {
    size_t slot = hash_of(language, word) & (words->slots_count - 1);
    for (; words->slots[slot] != 0; slot = (slot + 1) & (words->slots_count - 1)) {
        const uint32_t i = words->slots[slot] - 1;
        if (quire_slice_equal(words->words[i], word) && quire_slice_equal(words->languages[i], language))
            break;
    }
    return slot;
}

static bool grow(struct highlight_words *words) {
    struct highlight_words grown = *words;
    grown.room = words->room == 0 ? 256 : words->room * 2;
    grown.slots_count = grown.room * 2;
    grown.languages = quire_arena_alloc(words->arena, grown.room * sizeof(*grown.languages));
    grown.words = quire_arena_alloc(words->arena, grown.room * sizeof(*grown.words));
    grown.slots = quire_arena_zalloc(words->arena, grown.slots_count * sizeof(*grown.slots));
    if (grown.languages == NULL || grown.words == NULL || grown.slots == NULL)
        return false;
    for (size_t i = 0; i < words->count; i++) {
        grown.languages[i] = words->languages[i];
        grown.words[i] = words->words[i];
        grown.slots[slot_of(&grown, grown.languages[i], grown.words[i])] = (uint32_t)i + 1;
    }
    *words = grown;
    return true;
}

struct collecting {
    struct highlight_words *words;
    struct quire_slice language;
};

static bool collect(void *context, const struct text_word *found) {
    struct collecting *collecting = context;
    struct highlight_words *words = collecting->words;
    if (words->count == words->room && !grow(words))
        return false;
    const size_t slot = slot_of(words, collecting->language, found->word);
    if (words->slots[slot] != 0)
        return true;
    char *copy = quire_arena_text(words->arena, found->word);
    if (copy == NULL)
        return false;
    words->languages[words->count] = collecting->language;
    words->words[words->count] = (struct quire_slice){(const uint8_t *)copy, found->word.size};
    words->slots[slot] = (uint32_t)++words->count;
    return true;
}

bool highlight_collect(struct highlight_words *words, struct quire_slice language, struct quire_slice text) {
    return text_words(text, collect, &(struct collecting){words, language});
}

/* Bytes of the passage, ascending and apart. */
struct span {
    size_t start, end;
};

struct marking {
    const struct highlight_words *words;
    const struct quire_slice *lexemes;
    struct quire_slice language;
    struct quire_slice sought[LEXEMES_MAX];
    size_t sought_count;
    struct span spans[SPANS_MAX];
    size_t spans_count;
};

static struct quire_slice lexeme_of(const struct marking *marking, struct quire_slice word) {
    const uint32_t index = marking->words->slots[slot_of(marking->words, marking->language, word)];
    return index != 0 ? marking->lexemes[index - 1] : (struct quire_slice){0};
}

static bool is_sought(const struct marking *marking, struct quire_slice lexeme) {
    for (size_t i = 0; i < marking->sought_count; i++)
        if (quire_slice_equal(marking->sought[i], lexeme))
            return true;
    return false;
}

static bool seek(void *context, const struct text_word *found) {
    struct marking *marking = context;
    const struct quire_slice lexeme = lexeme_of(marking, found->word);
    if (lexeme.size > 0 && !is_sought(marking, lexeme))
        marking->sought[marking->sought_count++] = lexeme;
    return marking->sought_count < LEXEMES_MAX;
}

/* N-grams overlap: what touches the last span widens it. */
static bool mark(void *context, const struct text_word *found) {
    struct marking *marking = context;
    const struct quire_slice lexeme = lexeme_of(marking, found->word);
    if (lexeme.size == 0 || !is_sought(marking, lexeme))
        return true;
    struct span *last = marking->spans_count > 0 ? &marking->spans[marking->spans_count - 1] : NULL;
    if (last != NULL && found->start <= last->end) {
        last->end = found->end > last->end ? found->end : last->end;
        return true;
    }
    marking->spans[marking->spans_count++] = (struct span){found->start, found->end};
    return marking->spans_count < SPANS_MAX;
}

/* A stretch of the passage with some spans in it. */
struct piece {
    size_t start, end, first, count; /* bytes; spans */
};

static size_t back(struct quire_slice text, size_t from, size_t least, size_t characters) {
    size_t at = from, space = from;
    while (at > least && characters-- > 0) {
        at = quire_utf8_cut(text, at - 1).size;
        if (text.bytes[at] == ' ' || text.bytes[at] == '\n')
            space = at + 1;
    }
    return at == least || space == from ? at : space; /* begin with a whole word, where there are words */
}

static size_t forward(struct quire_slice text, size_t from, size_t characters) {
    size_t at = from, space = from;
    while (at < text.size && characters-- > 0) {
        if (text.bytes[at] == ' ' || text.bytes[at] == '\n')
            space = at;
        at++;
        while (at < text.size && (text.bytes[at] & 0xc0u) == 0x80u)
            at++;
    }
    return at == text.size || space == from ? at : space;
}

static size_t cut_pieces(const struct marking *marking, struct quire_slice passage, struct piece pieces[PIECES_MAX]) {
    size_t count = 0, least = 0;
    for (size_t i = 0; i < marking->spans_count && count < PIECES_MAX;) {
        struct piece piece = {.first = i};
        piece.start = back(passage, marking->spans[i].start, least, CONTEXT_CHARACTERS);
        piece.end = forward(passage, piece.start, HIGHLIGHT_CHARACTERS);
        if (piece.end < marking->spans[i].end)
            piece.end = marking->spans[i].end;
        while (i < marking->spans_count && marking->spans[i].end <= piece.end) {
            i++;
            piece.count++;
        }
        least = piece.end;
        pieces[count++] = piece;
    }
    return count;
}

/* Keeps the pieces with the most spans, in the passage's order. */
static size_t choose_pieces(struct piece pieces[PIECES_MAX], size_t count) {
    while (count > HIGHLIGHTS_MAX) {
        size_t worst = 0;
        for (size_t i = 1; i < count; i++)
            if (pieces[i].count <= pieces[worst].count)
                worst = i;
        memmove(&pieces[worst], &pieces[worst + 1], (count - worst - 1) * sizeof(pieces[0]));
        count--;
    }
    return count;
}

static char *write_piece(const struct marking *marking, struct quire_slice passage, const struct piece *piece) {
    char *text = quire_arena_alloc(marking->words->arena, piece->end - piece->start + piece->count * 4 + 1);
    if (text == NULL)
        return NULL;
    size_t size = 0, at = piece->start;
    for (size_t i = piece->first; i < piece->first + piece->count; i++) {
        const struct span *span = &marking->spans[i];
        assert(span->start >= at && span->end <= piece->end);
        memcpy(text + size, passage.bytes + at, span->start - at);
        size += span->start - at;
        memcpy(text + size, "**", 2);
        memcpy(text + size + 2, passage.bytes + span->start, span->end - span->start);
        size += span->end - span->start + 2;
        memcpy(text + size, "**", 2);
        size += 2;
        at = span->end;
    }
    memcpy(text + size, passage.bytes + at, piece->end - at);
    text[size + piece->end - at] = '\0';
    return text;
}

bool highlight_write(const struct highlight_words *words, const struct quire_slice *lexemes,
                     struct quire_slice language, struct quire_slice question, struct quire_slice passage,
                     char **ret_highlights, size_t *ret_count) {
    struct marking marking = {.words = words, .lexemes = lexemes, .language = language};
    struct piece pieces[PIECES_MAX];
    *ret_count = 0;
    if (words->count == 0)
        return true;
    (void)text_words(question, seek, &marking); /* both stop only at their bounds */
    (void)text_words(passage, mark, &marking);
    const size_t count = choose_pieces(pieces, cut_pieces(&marking, passage, pieces));
    for (size_t i = 0; i < count; i++) {
        ret_highlights[i] = write_piece(&marking, passage, &pieces[i]);
        if (ret_highlights[i] == NULL)
            return false;
    }
    *ret_count = count;
    return true;
}
