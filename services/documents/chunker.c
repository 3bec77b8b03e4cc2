#include "documents/chunker.h"

#include "base/utf8.h"

#include <assert.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>

#define HEADING_LEVELS 6u
#define CHUNK_CHARACTERS_MIN (CHUNK_CHARACTERS / 5) /* a heading ends no shorter chunk */

static_assert(CHUNK_OVERLAP_CHARACTERS + CHUNK_CHARACTERS_MIN < CHUNK_CHARACTERS, "each chunk brings something new");
static_assert(CHUNK_CHARACTERS <= CHUNK_CHARACTERS_MAX, "a chunk holds at least a sentence");

/* A growing chunk. Invariants: start <= fresh <= end; [start, fresh) was the previous chunk's end. */
struct cutter {
    struct quire_arena *arena;
    struct quire_slice text;
    struct chunk *chunks;
    size_t count, room;
    size_t start, fresh, end; /* bytes */
    size_t characters;        /* of [start, end) */
    size_t last_start;        /* where the last sentence begins */
    size_t last_characters;
    struct quire_slice headings[HEADING_LEVELS]; /* by level; size 0: none */
    struct quire_slice heading; /* the path; joined when a chunk needs it, so that headings alone cost nothing */
    bool heading_stale;
};

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void trim(struct quire_slice text, size_t *start, size_t *end) {
    while (*start < *end && is_space(text.bytes[*start]))
        ++*start;
    while (*end > *start && is_space(text.bytes[*end - 1]))
        --*end;
}

/* "Operating > Backups": joined once for the chunks under it, cut between code points. */
static bool join_headings(struct cutter *cutter) {
    uint8_t joined[CHUNK_HEADING_BYTES_MAX];
    size_t size = 0;
    for (size_t level = 0; level < HEADING_LEVELS; level++) {
        struct quire_slice part = cutter->headings[level];
        const size_t separator = size > 0 ? 3 : 0;
        if (part.size == 0 || size + separator >= sizeof(joined))
            continue;
        memcpy(joined + size, " > ", separator);
        part = quire_utf8_cut(part, sizeof(joined) - size - separator);
        memcpy(joined + size + separator, part.bytes, part.size);
        size += separator + part.size;
    }
    cutter->heading_stale = false;
    char *copy = quire_arena_text(cutter->arena, (struct quire_slice){joined, size});
    cutter->heading = (struct quire_slice){(const uint8_t *)copy, size};
    return copy != NULL;
}

static bool append_chunk(struct cutter *cutter, size_t start, size_t end) {
    if (cutter->count == cutter->room) {
        const size_t room = cutter->room == 0 ? 8 : cutter->room * 2;
        struct chunk *grown = quire_arena_alloc(cutter->arena, room * sizeof(*grown));
        if (grown == NULL)
            return false;
        if (cutter->count > 0)
            memcpy(grown, cutter->chunks, cutter->count * sizeof(*grown));
        cutter->chunks = grown;
        cutter->room = room;
    }
    if (cutter->heading_stale && !join_headings(cutter))
        return false;
    cutter->chunks[cutter->count++] = (struct chunk){.start = start, .end = end, .heading = cutter->heading};
    return true;
}

/* Ends the present chunk, unless it says nothing new, and begins the next, which repeats the last sentence where
 * `overlap` allows: only where something stands before that sentence, or the next would contain this one. */
static bool end_chunk(struct cutter *cutter, bool overlap) {
    size_t start = cutter->start, end = cutter->end, fresh = cutter->fresh;
    trim(cutter->text, &fresh, &end);
    trim(cutter->text, &start, &end);
    if (end > fresh && !append_chunk(cutter, start, end))
        return false;
    cutter->fresh = cutter->end;
    if (overlap && cutter->last_start > start && cutter->last_characters <= CHUNK_OVERLAP_CHARACTERS) {
        cutter->start = cutter->last_start;
        cutter->characters = cutter->last_characters;
    } else {
        cutter->start = cutter->end;
        cutter->characters = 0;
        cutter->last_start = cutter->end;
        cutter->last_characters = 0;
    }
    return true;
}

static bool add_piece(struct cutter *cutter, size_t end, size_t characters) {
    if (cutter->characters > 0 && cutter->characters + characters > CHUNK_CHARACTERS) {
        if (!end_chunk(cutter, true))
            return false;
        if (cutter->characters + characters > CHUNK_CHARACTERS) { /* no room for an overlap */
            cutter->start = cutter->fresh;
            cutter->characters = 0;
        }
    }
    cutter->last_start = cutter->end;
    cutter->last_characters = characters;
    cutter->end = end;
    cutter->characters += characters;
    return true;
}

/* Where to cut a sentence that is longer than a chunk may be: after white space in the last third, else between two
 * code points. */
static size_t cut_before(struct quire_slice text, size_t start, size_t end) {
    size_t at = start, characters = 0, space = 0;
    while (at < end && characters < CHUNK_CHARACTERS) {
        if (characters > CHUNK_CHARACTERS * 2 / 3 && is_space(text.bytes[at]))
            space = at + 1;
        at++;
        while (at < end && (text.bytes[at] & 0xc0u) == 0x80u)
            at++;
        characters++;
    }
    return space != 0 ? space : at;
}

static bool add_sentence(struct cutter *cutter, size_t end) {
    while (cutter->end < end) {
        const size_t start = cutter->end;
        size_t characters = quire_utf8_characters((struct quire_slice){cutter->text.bytes + start, end - start});
        if (characters <= CHUNK_CHARACTERS_MAX)
            return add_piece(cutter, end, characters);
        /* Cut away all that is surely too long in one go, so that a text without sentences costs no square. */
        for (size_t left = characters; left > CHUNK_CHARACTERS_MAX; left -= characters) {
            const size_t cut = cut_before(cutter->text, cutter->end, end);
            characters =
                quire_utf8_characters((struct quire_slice){cutter->text.bytes + cutter->end, cut - cutter->end});
            if (!add_piece(cutter, cut, characters))
                return false;
        }
    }
    return true;
}

/* A stretch without headings. Small texts, the many, need no break iterator. */
static bool add_body(struct cutter *cutter, UBreakIterator **sentences, size_t end) {
    const struct quire_slice body = {cutter->text.bytes + cutter->end, end - cutter->end};
    if (body.size == 0)
        return true;
    if (body.size <= CHUNK_CHARACTERS && cutter->characters + quire_utf8_characters(body) <= CHUNK_CHARACTERS)
        return add_piece(cutter, end, quire_utf8_characters(body));
    UErrorCode error = U_ZERO_ERROR;
    if (*sentences == NULL)
        *sentences = ubrk_open(UBRK_SENTENCE, "", NULL, 0, &error);
    UText text = UTEXT_INITIALIZER;
    utext_openUTF8(&text, (const char *)body.bytes, (int64_t)body.size, &error);
    if (U_SUCCESS(error))
        ubrk_setUText(*sentences, &text, &error);
    bool good = U_SUCCESS(error);
    const size_t start = cutter->end;
    for (int32_t at = good ? ubrk_next(*sentences) : UBRK_DONE; good && at != UBRK_DONE; at = ubrk_next(*sentences))
        good = add_sentence(cutter, start + (size_t)at);
    utext_close(&text);
    return good;
}

/* The level of a heading line (1..6), or 0. */
static size_t heading_level(struct quire_slice line) {
    size_t level = 0;
    while (level < line.size && line.bytes[level] == '#')
        level++;
    return level >= 1 && level <= HEADING_LEVELS && level < line.size && is_space(line.bytes[level]) ? level : 0;
}

static struct quire_slice heading_text(struct quire_slice line, size_t level) {
    size_t start = level, end = line.size;
    trim(line, &start, &end);
    while (end > start && line.bytes[end - 1] == '#')
        end--;
    trim(line, &start, &end);
    return (struct quire_slice){line.bytes + start, end - start};
}

/* A chunk that has a body ends here, with the headings it stood under; a short one goes on, under the newest. */
static bool begin_heading(struct cutter *cutter, struct quire_slice line, size_t level) {
    if (cutter->characters >= CHUNK_CHARACTERS_MIN && !end_chunk(cutter, false))
        return false;
    cutter->headings[level - 1] = heading_text(line, level);
    for (size_t deeper = level; deeper < HEADING_LEVELS; deeper++)
        cutter->headings[deeper].size = 0;
    cutter->heading_stale = true;
    return true;
}

static bool cut_lines(struct cutter *cutter, UBreakIterator **sentences) {
    const struct quire_slice text = cutter->text;
    bool fenced = false;
    for (size_t at = 0; at < text.size;) {
        const uint8_t *newline = memchr(text.bytes + at, '\n', text.size - at);
        const size_t next = newline != NULL ? (size_t)(newline - text.bytes) + 1 : text.size;
        const struct quire_slice line = {text.bytes + at, next - at};
        const size_t level = fenced ? 0 : heading_level(line);
        if (line.size >= 3 && (memcmp(line.bytes, "```", 3) == 0 || memcmp(line.bytes, "~~~", 3) == 0))
            fenced = !fenced;
        if (level != 0) {
            if (!add_body(cutter, sentences, at) || !begin_heading(cutter, line, level) || !add_sentence(cutter, next))
                return false;
        }
        at = next;
    }
    return add_body(cutter, sentences, text.size) && end_chunk(cutter, false);
}

bool chunker_cut(struct quire_arena *arena, struct quire_slice text, struct chunk **ret_chunks, size_t *ret_count) {
    assert(text.size > 0);
    struct cutter cutter = {.arena = arena, .text = text};
    UBreakIterator *sentences = NULL;
    bool good = cut_lines(&cutter, &sentences);
    ubrk_close(sentences);
    if (good && cutter.count == 0) /* white space alone: still a chunk, so that the title is found */
        good = append_chunk(&cutter, 0, text.size);
    if (!good)
        return false;
    *ret_chunks = cutter.chunks;
    *ret_count = cutter.count;
    return true;
}
