#include "query/ranking.h"

#include "base/wire.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define IMPACT_BITS 8u
#define IMPACT_MASK 0xffu
#define SCORE_STEPS 1e6 /* of one; as documents.search() rounds */

/* PostgreSQL's array_send(): dimensions, flags, type, then, of one dimension, count and lower bound; items with their
 * size before them. */
#define ARRAY_EMPTY_BYTES 12u
#define ARRAY_HEADER_BYTES 20u
#define ARRAY_ITEM_BYTES 8u
#define INT4_OID 23u

/* What is packed: this, then `documents` of list_document, then `postings` of uint32_t.
 * Invariants:
 *   ids descend strictly; ends ascend strictly, the last one is `postings`
 *   chunk_end is above each posting's chunk; 0 in an empty list */
struct list_header {
    uint32_t documents, postings, chunk_end, unused;
};

/* The id as two numbers: ids are compared a few thousand times a question. */
struct document_id {
    uint64_t high, low;
};

struct list_document {
    struct document_id id;
    uint32_t end, unused; /* of its postings */
};

static_assert(sizeof(struct list_header) == 16 && sizeof(struct list_document) == 24,
              "no padding, and every part stays aligned");

static const struct list_header *header_of(const struct ranking_list *list) {
    return (const struct list_header *)(const void *)list->bytes.bytes;
}

static const struct list_document *documents_of(const struct ranking_list *list) {
    return (const struct list_document *)(const void *)(list->bytes.bytes + sizeof(struct list_header));
}

static const uint32_t *postings_of(const struct ranking_list *list) {
    return (const uint32_t *)(const void *)(documents_of(list) + header_of(list)->documents);
}

static struct document_id read_id(const uint8_t bytes[RANKING_ID_BYTES]) {
    return (struct document_id){quire_get_u64(bytes), quire_get_u64(bytes + 8)};
}

static bool is_newer(struct document_id a, struct document_id b) {
    return a.high != b.high ? a.high > b.high : a.low > b.low;
}

static bool is_same(struct document_id a, struct document_id b) {
    return a.high == b.high && a.low == b.low;
}

/* Items of the array that `bytes` begins with; its size in ret_size. False when it is none of whole numbers. */
static bool read_array(struct quire_slice bytes, size_t *ret_items, size_t *ret_size) {
    if (bytes.size < ARRAY_EMPTY_BYTES || quire_get_u32(bytes.bytes) > 1 || quire_get_u32(bytes.bytes + 4) != 0 ||
        quire_get_u32(bytes.bytes + 8) != INT4_OID)
        return false;
    *ret_items = 0;
    *ret_size = ARRAY_EMPTY_BYTES;
    if (quire_get_u32(bytes.bytes) == 0)
        return true;
    if (bytes.size < ARRAY_HEADER_BYTES)
        return false;
    *ret_items = quire_get_u32(bytes.bytes + 12);
    *ret_size = ARRAY_HEADER_BYTES + *ret_items * ARRAY_ITEM_BYTES;
    return *ret_items > 0 && *ret_size <= bytes.size;
}

struct packing {
    struct list_header *header;
    struct list_document *documents;
    uint32_t *postings;
    size_t postings_max;
};

/* The document's postings, as many as still count. A document may come twice in a row: its list was cut in pieces. */
static bool pack_document(struct packing *packing, struct document_id id, const uint8_t *items, size_t count) {
    struct list_header *header = packing->header;
    struct list_document *last = header->documents == 0 ? NULL : &packing->documents[header->documents - 1];
    if (last != NULL && is_newer(id, last->id))
        return false;
    if (last == NULL || !is_same(id, last->id)) {
        last = &packing->documents[header->documents++];
        *last = (struct list_document){.id = id};
    }
    for (size_t i = 0; i < count && header->postings < packing->postings_max; i++) {
        const uint32_t posting = quire_get_u32(items + i * ARRAY_ITEM_BYTES + 4);
        if (quire_get_u32(items + i * ARRAY_ITEM_BYTES) != 4)
            return false;
        packing->postings[header->postings++] = posting;
        if (posting >> IMPACT_BITS >= header->chunk_end)
            header->chunk_end = (posting >> IMPACT_BITS) + 1;
    }
    last->end = header->postings;
    return true;
}

static bool pack_all(struct packing *packing, struct quire_slice documents, struct quire_slice arrays) {
    size_t at = 0;
    for (size_t i = 0; i < documents.size && packing->header->postings < packing->postings_max; i += RANKING_ID_BYTES) {
        const struct quire_slice left = {arrays.bytes + at, arrays.size - at};
        size_t items, size;
        if (!read_array(left, &items, &size))
            return false;
        if (items > 0 && !pack_document(packing, read_id(documents.bytes + i), left.bytes + ARRAY_HEADER_BYTES, items))
            return false;
        at += size;
    }
    return true;
}

bool ranking_pack(struct quire_arena *arena, struct quire_slice documents, struct quire_slice arrays,
                  size_t postings_max, struct ranking_list *ret_list, bool *ret_fits) {
    const size_t documents_count = documents.size / RANKING_ID_BYTES;
    *ret_fits = documents.size % RANKING_ID_BYTES == 0 && arrays.size <= UINT32_MAX;
    if (!*ret_fits)
        return false;
    /* Room for what can be there at most; the parts move together when the documents are counted. */
    struct packing packing = {.postings_max = postings_max};
    packing.documents = quire_arena_alloc(arena, (documents_count + 1) * sizeof(*packing.documents));
    packing.postings = quire_arena_alloc(arena, arrays.size / ARRAY_ITEM_BYTES * sizeof(*packing.postings) + 4);
    packing.header = quire_arena_zalloc(arena, sizeof(*packing.header));
    if (packing.documents == NULL || packing.postings == NULL || packing.header == NULL)
        return false;
    *ret_fits = pack_all(&packing, documents, arrays);
    if (!*ret_fits)
        return false;
    const size_t documents_bytes = packing.header->documents * sizeof(*packing.documents);
    const size_t postings_bytes = packing.header->postings * sizeof(*packing.postings);
    const size_t size = sizeof(*packing.header) + documents_bytes + postings_bytes;
    uint8_t *bytes = quire_arena_alloc(arena, size);
    if (bytes == NULL)
        return false;
    memcpy(bytes, packing.header, sizeof(*packing.header));
    memcpy(bytes + sizeof(*packing.header), packing.documents, documents_bytes);
    memcpy(bytes + sizeof(*packing.header) + documents_bytes, packing.postings, postings_bytes);
    ret_list->bytes = (struct quire_slice){bytes, size};
    return true;
}

size_t ranking_postings(const struct ranking_list *list) {
    return header_of(list)->postings;
}

/* A list on its way to its end. */
struct cursor {
    const struct list_document *at, *end;
    const uint32_t *postings;
    uint32_t posting; /* first of the document's */
    double weight;    /* of an impact of 1 */
};

/* Invariants, between two documents:
 *   cursors[0..cursors_count) is a heap: none stands at a newer document than the one at (i - 1) / 2
 *   scores are UNTOUCHED, touched_count is 0
 *   best[0..best_count) is in the order of the answer */
struct ranking {
    const struct ranking_options *options;
    struct cursor *cursors;
    size_t cursors_count;
    double *scores;    /* by chunk, of the document that is added up */
    uint32_t *touched; /* its chunks that have a score */
    size_t touched_count;
    struct ranked *found; /* of the document */
    struct ranked *best;
    size_t best_count;
};

#define UNTOUCHED (-1.0)

static int by_answer(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    const int order = memcmp(a->document, b->document, RANKING_ID_BYTES);
    return order != 0 ? order : (a->chunk > b->chunk) - (a->chunk < b->chunk);
}

static void sink(struct ranking *ranking, size_t at) {
    struct cursor *cursors = ranking->cursors;
    const struct cursor sinking = cursors[at];
    for (size_t child; (child = 2 * at + 1) < ranking->cursors_count; at = child) {
        if (child + 1 < ranking->cursors_count && is_newer(cursors[child + 1].at->id, cursors[child].at->id))
            child++;
        if (!is_newer(cursors[child].at->id, sinking.at->id))
            break;
        cursors[at] = cursors[child];
    }
    cursors[at] = sinking;
}

/* Adds up the postings of the top cursor's document and moves it on. */
static void add_top(struct ranking *ranking) {
    struct cursor *cursor = &ranking->cursors[0];
    for (; cursor->posting < cursor->at->end; cursor->posting++) {
        const uint32_t posting = cursor->postings[cursor->posting];
        const uint32_t chunk = posting >> IMPACT_BITS;
        if (ranking->scores[chunk] == UNTOUCHED) {
            ranking->scores[chunk] = 0;
            ranking->touched[ranking->touched_count++] = chunk;
        }
        ranking->scores[chunk] += cursor->weight * (double)(posting & IMPACT_MASK);
    }
    if (++cursor->at == cursor->end)
        *cursor = ranking->cursors[--ranking->cursors_count];
    if (ranking->cursors_count > 0)
        sink(ranking, 0);
}

static void keep(struct ranking *ranking, const struct ranked *candidate) {
    struct ranked *best = ranking->best;
    if (ranking->best_count == ranking->options->top) {
        if (by_answer(candidate, &best[ranking->best_count - 1]) >= 0)
            return;
        ranking->best_count--;
    }
    size_t at = ranking->best_count++;
    for (; at > 0 && by_answer(candidate, &best[at - 1]) < 0; at--)
        best[at] = best[at - 1];
    best[at] = *candidate;
}

/* Most passages are far behind the best and are dropped before their scores are rounded, which moves a score by half a
 * step at most. */
static void end_document(struct ranking *ranking, struct document_id id) {
    const double least = ranking->best_count < ranking->options->top
                             ? 0
                             : ranking->best[ranking->best_count - 1].score - 1 / SCORE_STEPS;
    size_t count = 0;
    for (size_t i = 0; i < ranking->touched_count; i++) {
        const uint32_t chunk = ranking->touched[i];
        const double score = ranking->scores[chunk];
        ranking->scores[chunk] = UNTOUCHED;
        if (score < least)
            continue;
        struct ranked *found = &ranking->found[count++];
        quire_put_u64(found->document, id.high);
        quire_put_u64(found->document + 8, id.low);
        found->chunk = chunk;
        found->score = rint(score * SCORE_STEPS) / SCORE_STEPS;
    }
    ranking->touched_count = 0;
    if (count > ranking->options->per_document_max) {
        qsort(ranking->found, count, sizeof(*ranking->found), by_answer);
        count = ranking->options->per_document_max;
    }
    for (size_t i = 0; i < count; i++)
        keep(ranking, &ranking->found[i]);
}

static double weight_of(uint64_t passages, uint32_t postings) {
    const double df = postings;
    return log(1 + fmax((double)passages - df + 0.5, 0.5) / (df + 0.5)) / 255;
}

/* A cursor for each list that isn't empty, and memory for the document with the most chunks. */
static bool begin(struct ranking *ranking, struct quire_arena *arena, const struct ranking_list *lists,
                  size_t lists_count) {
    size_t chunks = 0;
    ranking->cursors = quire_arena_alloc(arena, (lists_count + 1) * sizeof(*ranking->cursors));
    if (ranking->cursors == NULL)
        return false;
    for (size_t i = 0; i < lists_count; i++) {
        const struct list_header *header = header_of(&lists[i]);
        if (header->postings == 0)
            continue;
        const struct list_document *documents = documents_of(&lists[i]);
        ranking->cursors[ranking->cursors_count++] =
            (struct cursor){.at = documents,
                            .end = documents + header->documents,
                            .postings = postings_of(&lists[i]),
                            .weight = weight_of(ranking->options->passages, header->postings)};
        chunks = header->chunk_end > chunks ? header->chunk_end : chunks;
    }
    for (size_t i = ranking->cursors_count; i-- > 0;)
        sink(ranking, i);
    ranking->scores = quire_arena_alloc(arena, (chunks + 1) * sizeof(*ranking->scores));
    ranking->touched = quire_arena_alloc(arena, (chunks + 1) * sizeof(*ranking->touched));
    ranking->found = quire_arena_alloc(arena, (chunks + 1) * sizeof(*ranking->found));
    ranking->best = quire_arena_alloc(arena, (ranking->options->top + 1) * sizeof(*ranking->best));
    if (ranking->scores == NULL || ranking->touched == NULL || ranking->found == NULL || ranking->best == NULL)
        return false;
    for (size_t i = 0; i < chunks; i++)
        ranking->scores[i] = UNTOUCHED;
    return true;
}

bool ranking_best(struct quire_arena *arena, const struct ranking_list *lists, size_t lists_count,
                  const struct ranking_options *options, struct ranked **ret_ranked, size_t *ret_count) {
    struct ranking ranking = {.options = options};
    assert(options->top > 0);
    if (!begin(&ranking, arena, lists, lists_count))
        return false;
    while (ranking.cursors_count > 0) {
        const struct document_id id = ranking.cursors[0].at->id;
        do
            add_top(&ranking);
        while (ranking.cursors_count > 0 && is_same(ranking.cursors[0].at->id, id));
        end_document(&ranking, id);
    }
    *ret_ranked = ranking.best;
    *ret_count = ranking.best_count;
    return true;
}
