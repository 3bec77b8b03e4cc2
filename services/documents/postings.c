#include "documents/postings.h"

#include "base/utf8.h"
#include "text/words.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* That a word stands tf times in a chunk. Kept in blocks that are linked, so that nothing is moved as a word's list
 * grows. */
struct occurrence {
    uint32_t chunk, tf;
};

#define BLOCK_FIRST 2u
#define BLOCK_MAX 256u

struct block {
    struct block *next;
    uint32_t count, room;
    struct occurrence occurrences[];
};

/* Invariant: occurrences ascend by chunk. */
struct word {
    struct quire_slice text;
    uint64_t hash;
    struct block *first, *last;
    uint32_t next_of_lexeme; /* index + 1 of the next word with the same lexeme; 0: none. Only during a merge */
};

struct postings {
    struct quire_arena *arena;
    struct word *words;
    struct quire_slice *texts; /* made when asked for: words[i].text */
    size_t count, room;
    uint32_t *slots; /* index + 1 of a word; 0: free. slots_count is a power of two, at least twice count */
    size_t slots_count;
    size_t *characters; /* of each chunk */
    size_t chunks_count;
    uint32_t chunk; /* that is being read */
    size_t left;    /* words that may still be taken; SIZE_MAX: all */
    bool once;      /* count a word once a chunk, at most */
};

static uint64_t hash_of(struct quire_slice text) {
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a, mixed at the end: the table takes the low bits */
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ text.bytes[i]) * 0x100000001b3u;
    hash ^= hash >> 32;
    return hash * 0x9e3779b97f4a7c15u >> 16;
}

static bool grow_slots(struct postings *postings) {
    const size_t slots_count = postings->slots_count == 0 ? 512 : postings->slots_count * 2;
    uint32_t *slots = quire_arena_zalloc(postings->arena, slots_count * sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < postings->count; i++) {
        size_t slot = postings->words[i].hash & (slots_count - 1);
        while (slots[slot] != 0)
            slot = (slot + 1) & (slots_count - 1);
        slots[slot] = (uint32_t)i + 1;
    }
    postings->slots = slots;
    postings->slots_count = slots_count;
    return true;
}

static bool grow_words(struct postings *postings) {
    const size_t room = postings->room == 0 ? 256 : postings->room * 2;
    struct word *words = quire_arena_alloc(postings->arena, room * sizeof(*words));
    if (words == NULL)
        return false;
    if (postings->count > 0)
        memcpy(words, postings->words, postings->count * sizeof(*words));
    postings->words = words;
    postings->room = room;
    return true;
}

/* The word's entry, made if it is new and there is room for one. False without memory; *ret_word NULL: not to be
 * indexed. */
static bool find_word(struct postings *postings, struct quire_slice text, struct word **ret_word) {
    *ret_word = NULL;
    if (postings->count * 2 >= postings->slots_count && !grow_slots(postings))
        return false;
    const uint64_t hash = hash_of(text);
    size_t slot = hash & (postings->slots_count - 1);
    for (; postings->slots[slot] != 0; slot = (slot + 1) & (postings->slots_count - 1)) {
        struct word *word = &postings->words[postings->slots[slot] - 1];
        if (word->hash == hash && quire_slice_equal(word->text, text)) {
            *ret_word = word;
            return true;
        }
    }
    if (postings->count == POSTINGS_WORDS_MAX)
        return true;
    if (postings->count == postings->room && !grow_words(postings))
        return false;
    char *copy = quire_arena_text(postings->arena, text);
    if (copy == NULL)
        return false;
    *ret_word = &postings->words[postings->count];
    **ret_word = (struct word){.text = {(const uint8_t *)copy, text.size}, .hash = hash};
    postings->slots[slot] = (uint32_t)++postings->count;
    return true;
}

static struct occurrence *append_occurrence(struct postings *postings, struct word *word) {
    struct block *block = word->last;
    if (block == NULL || block->count == block->room) {
        uint32_t room = block == NULL ? BLOCK_FIRST : block->room * 2;
        room = room < BLOCK_MAX ? room : BLOCK_MAX;
        struct block *fresh = quire_arena_alloc(postings->arena, sizeof(*fresh) + room * sizeof(fresh->occurrences[0]));
        if (fresh == NULL)
            return NULL;
        *fresh = (struct block){.room = room};
        if (block == NULL)
            word->first = fresh;
        else
            block->next = fresh;
        word->last = block = fresh;
    }
    return &block->occurrences[block->count++];
}

static bool on_word(void *context, const struct text_word *found) {
    struct postings *postings = context;
    if (postings->left == 0)
        return true;
    postings->left -= postings->left != SIZE_MAX;
    struct word *word;
    if (!find_word(postings, found->word, &word))
        return false;
    if (word == NULL)
        return true;
    struct occurrence *last = word->last != NULL ? &word->last->occurrences[word->last->count - 1] : NULL;
    if (last != NULL && last->chunk == postings->chunk) {
        last->tf += !postings->once;
        return true;
    }
    last = append_occurrence(postings, word);
    if (last == NULL)
        return false;
    *last = (struct occurrence){.chunk = postings->chunk, .tf = 1};
    return true;
}

bool postings_gather(struct quire_arena *arena, struct quire_slice title, struct quire_slice text,
                     const struct chunk *chunks, size_t chunks_count, struct postings **ret_postings) {
    assert(chunks_count <= POSTINGS_CHUNKS_MAX);
    struct postings *postings = quire_arena_zalloc(arena, sizeof(*postings));
    if (postings == NULL)
        return false;
    postings->arena = arena;
    postings->chunks_count = chunks_count;
    postings->characters = quire_arena_alloc(arena, chunks_count * sizeof(*postings->characters));
    if (postings->characters == NULL)
        return false;
    for (size_t i = 0; i < chunks_count; i++) {
        const struct quire_slice body = {text.bytes + chunks[i].start, chunks[i].end - chunks[i].start};
        postings->characters[i] = quire_utf8_characters(body);
        postings->chunk = (uint32_t)i;
        postings->left = i == 0 ? SIZE_MAX : POSTINGS_TITLE_WORDS;
        postings->once = true;
        if (!text_words(title, on_word, postings))
            return false;
        postings->left = SIZE_MAX;
        if (!text_words(chunks[i].heading, on_word, postings))
            return false;
        postings->once = false;
        if (!text_words(body, on_word, postings))
            return false;
    }
    postings->texts = quire_arena_alloc(arena, (postings->count + 1) * sizeof(*postings->texts));
    if (postings->texts == NULL)
        return false;
    for (size_t i = 0; i < postings->count; i++)
        postings->texts[i] = postings->words[i].text;
    *ret_postings = postings;
    return true;
}

const struct quire_slice *postings_words(const struct postings *postings, size_t *ret_count) {
    *ret_count = postings->count;
    return postings->texts;
}

uint32_t postings_impact(uint32_t tf, size_t characters) {
    const double length = 1 - POSTINGS_B + POSTINGS_B * (double)characters / CHUNK_CHARACTERS;
    return (uint32_t)lround(1 + 254 * (double)tf / ((double)tf + POSTINGS_K1 * length));
}

/* Rows being written. `entries` is the open row's text. */
struct writer {
    struct quire_arena *arena;
    const struct postings *postings;
    struct postings_row *rows;
    size_t count, room;
    struct quire_slice lexeme;
    char entries[POSTINGS_ROW_MAX * 11 + 3];
    size_t size, open;
};

static bool close_row(struct writer *writer) {
    if (writer->open == 0)
        return true;
    if (writer->count == writer->room) {
        const size_t room = writer->room * 2;
        struct postings_row *rows = quire_arena_alloc(writer->arena, room * sizeof(*rows));
        if (rows == NULL)
            return false;
        memcpy(rows, writer->rows, writer->count * sizeof(*rows));
        writer->rows = rows;
        writer->room = room;
    }
    writer->entries[writer->size - 1] = '}'; /* the comma after the last */
    char *copy = quire_arena_text(writer->arena, (struct quire_slice){(const uint8_t *)writer->entries, writer->size});
    if (copy == NULL)
        return false;
    writer->rows[writer->count++] = (struct postings_row){writer->lexeme, {(const uint8_t *)copy, writer->size}};
    writer->open = 0;
    return true;
}

static bool write_entry(struct writer *writer, struct occurrence occurrence) {
    if (writer->open == 0) {
        writer->entries[0] = '{';
        writer->size = 1;
    }
    uint32_t entry =
        occurrence.chunk << 8 | postings_impact(occurrence.tf, writer->postings->characters[occurrence.chunk]);
    char digits[10];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + entry % 10);
    while ((entry /= 10) != 0);
    while (count > 0)
        writer->entries[writer->size++] = digits[--count];
    writer->entries[writer->size++] = ',';
    return ++writer->open < POSTINGS_ROW_MAX || close_row(writer);
}

/* One word after the other: the usual case, a lexeme of one word. */
static bool write_word(struct writer *writer, const struct word *word) {
    for (const struct block *block = word->first; block != NULL; block = block->next)
        for (uint32_t i = 0; i < block->count; i++)
            if (!write_entry(writer, block->occurrences[i]))
                return false;
    return close_row(writer);
}

/* Several words of one lexeme: their occurrences in a chunk are one with the sum of tf. Sorted, as words are many and
 * lists are runs. */
static int by_chunk(const void *left, const void *right) {
    const uint32_t a = ((const struct occurrence *)left)->chunk, b = ((const struct occurrence *)right)->chunk;
    return (a > b) - (a < b);
}

static bool write_words(struct writer *writer, uint32_t first) {
    const struct word *words = writer->postings->words;
    size_t total = 0, count = 0;
    for (uint32_t i = first; i != 0; i = words[i - 1].next_of_lexeme)
        for (const struct block *block = words[i - 1].first; block != NULL; block = block->next)
            total += block->count;
    struct occurrence *all = quire_arena_alloc(writer->arena, total * sizeof(*all));
    if (all == NULL)
        return false;
    for (uint32_t i = first; i != 0; i = words[i - 1].next_of_lexeme)
        for (const struct block *block = words[i - 1].first; block != NULL; block = block->next) {
            memcpy(all + count, block->occurrences, block->count * sizeof(*all));
            count += block->count;
        }
    qsort(all, count, sizeof(*all), by_chunk);
    for (size_t i = 0; i < count;) {
        struct occurrence merged = all[i++];
        while (i < count && all[i].chunk == merged.chunk)
            merged.tf += all[i++].tf;
        if (!write_entry(writer, merged))
            return false;
    }
    return close_row(writer);
}

/* Links words of the same lexeme: heads[slot] is index + 1 of a lexeme's first word. False without memory. */
static bool link_lexemes(struct quire_arena *arena, const struct postings *postings, const struct quire_slice *lexemes,
                         uint32_t **ret_heads, size_t *ret_heads_count) {
    size_t heads_count = 16;
    while (heads_count < postings->count * 2)
        heads_count *= 2;
    uint32_t *heads = quire_arena_zalloc(arena, heads_count * sizeof(*heads));
    if (heads == NULL)
        return false;
    for (size_t i = 0; i < postings->count; i++) {
        postings->words[i].next_of_lexeme = 0;
        if (lexemes[i].size == 0)
            continue;
        size_t slot = hash_of(lexemes[i]) & (heads_count - 1);
        while (heads[slot] != 0 && !quire_slice_equal(lexemes[heads[slot] - 1], lexemes[i]))
            slot = (slot + 1) & (heads_count - 1);
        postings->words[i].next_of_lexeme = heads[slot];
        heads[slot] = (uint32_t)i + 1;
    }
    *ret_heads = heads;
    *ret_heads_count = heads_count;
    return true;
}

bool postings_merge(struct quire_arena *arena, const struct postings *postings, const struct quire_slice *lexemes,
                    struct postings_row **ret_rows, size_t *ret_count) {
    struct writer writer = {.arena = arena, .postings = postings, .room = postings->count + 16};
    writer.rows = quire_arena_alloc(arena, writer.room * sizeof(*writer.rows));
    uint32_t *heads = NULL;
    size_t heads_count = 0;
    if (writer.rows == NULL || !link_lexemes(arena, postings, lexemes, &heads, &heads_count))
        return false;
    for (size_t slot = 0; slot < heads_count; slot++) {
        if (heads[slot] == 0)
            continue;
        const struct word *word = &postings->words[heads[slot] - 1];
        writer.lexeme = lexemes[heads[slot] - 1];
        if (word->next_of_lexeme == 0 ? !write_word(&writer, word) : !write_words(&writer, heads[slot]))
            return false;
    }
    *ret_rows = writer.rows;
    *ret_count = writer.count;
    return true;
}
