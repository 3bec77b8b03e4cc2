#include "documents/draft.h"

#include "base/utf8.h"
#include "text/language.h"

#include <assert.h>
#include <yyjson.h>

/* Reads no table. One array of languages and one of words, so that a batch of documents is one question. */
const struct quire_statement draft_lexemes_statement = {
    .name = "documents.lexemes",
    .sql = "SELECT documents.lexemes($1::text[], $2::text[])",
};

/* Judged here because PostgreSQL's refusal would quote it, into a log that holds nobody's words. Numbers stay text, so
 * that none is too large. */
static bool is_json_object(const char *text) {
    yyjson_doc *document = yyjson_read(text, strlen(text), YYJSON_READ_NUMBER_AS_RAW);
    const bool is_object = yyjson_is_obj(yyjson_doc_get_root(document)); /* both take NULL */
    yyjson_doc_free(document);
    return is_object;
}

void draft_judge(const struct draft_source *source, struct draft_fault *ret_fault) {
    *ret_fault = (struct draft_fault){0};
    if (source->title == NULL || source->title[0] == '\0')
        *ret_fault = (struct draft_fault){"title", "is required"};
    else if (source->content == NULL || source->content[0] == '\0')
        *ret_fault = (struct draft_fault){"content", "is required"};
    else if (source->metadata != NULL && !is_json_object(source->metadata))
        *ret_fault = (struct draft_fault){"metadata", "must be an object"};
    else if (source->language != NULL && !text_is_language_code(quire_slice_of(source->language)))
        *ret_fault = (struct draft_fault){"language", "must be an ISO 639-1 code in lower case, as en"};
}

/* {"one","two"}: every item quoted, quotes and backslashes escaped (PostgreSQL manual, 8.15.6). */
static bool write_tags(struct quire_arena *arena, char *const *tags, size_t count, struct quire_slice *ret_literal) {
    size_t bytes_max = 2;
    for (size_t i = 0; i < count; i++)
        bytes_max += strlen(tags[i]) * 2 + 3;
    char *literal = quire_arena_alloc(arena, bytes_max);
    if (literal == NULL)
        return false;
    size_t size = 0;
    literal[size++] = '{';
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            literal[size++] = ',';
        literal[size++] = '"';
        for (const char *at = tags[i]; *at != '\0'; at++) {
            if (*at == '"' || *at == '\\')
                literal[size++] = '\\';
            literal[size++] = *at;
        }
        literal[size++] = '"';
    }
    literal[size++] = '}';
    *ret_literal = (struct quire_slice){(const uint8_t *)literal, size};
    return true;
}

/* The title helps where the content is short. */
static const char *detect_language(struct quire_slice title, struct quire_slice content) {
    uint8_t sample[TEXT_LANGUAGE_BYTES];
    const size_t title_size = quire_utf8_cut(title, sizeof(sample) / 4).size;
    const size_t content_size = quire_utf8_cut(content, sizeof(sample) - title_size - 1).size;
    memcpy(sample, title.bytes, title_size);
    sample[title_size] = '\n';
    memcpy(sample + title_size + 1, content.bytes, content_size);
    return text_language((struct quire_slice){sample, title_size + 1 + content_size});
}

bool draft_prepare(struct quire_arena *arena, const struct draft_source *source, const uint8_t *id,
                   struct draft *ret_draft) {
    struct draft draft = {.title = quire_slice_of(source->title), .content = quire_slice_of(source->content)};
    memcpy(draft.id, id, sizeof(draft.id));
    draft.metadata = source->metadata != NULL ? quire_slice_of(source->metadata) : QUIRE_SLICE_LITERAL("{}");
    draft.language =
        quire_slice_of(source->language != NULL ? source->language : detect_language(draft.title, draft.content));
    if (!write_tags(arena, source->tags, source->tags_count, &draft.tags) ||
        !chunker_cut(arena, draft.content, &draft.chunks, &draft.chunks_count) ||
        !postings_gather(arena, draft.title, draft.content, draft.chunks, draft.chunks_count, &draft.postings))
        return false;
    *ret_draft = draft;
    return true;
}

void drafts_ask_lexemes(struct quire_request *request, const struct draft *drafts, size_t count,
                        quire_on_result *on_result) {
    struct quire_parameters *parameters = quire_request_parameters(request);
    size_t total = 0, at = 0, words_count;
    for (size_t i = 0; i < count; i++) {
        (void)postings_words(drafts[i].postings, &words_count);
        total += words_count;
    }
    struct quire_slice *languages = quire_arena_alloc(quire_request_arena(request), (total + 1) * sizeof(*languages));
    struct quire_slice *words = quire_arena_alloc(quire_request_arena(request), (total + 1) * sizeof(*words));
    if (languages == NULL || words == NULL) {
        quire_request_refuse_for(request, 503, NULL, 1);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct quire_slice *own = postings_words(drafts[i].postings, &words_count);
        for (size_t w = 0; w < words_count; w++) {
            languages[at] = drafts[i].language;
            words[at++] = own[w];
        }
    }
    quire_bind_text_array(parameters, languages, total);
    quire_bind_text_array(parameters, words, total);
    quire_request_read(request, &draft_lexemes_statement, parameters, on_result);
}

bool drafts_take_lexemes(struct quire_request *request, const PGresult *result, struct draft *drafts, size_t count) {
    struct quire_arena *arena = quire_request_arena(request);
    struct quire_slice *lexemes;
    size_t lexemes_count, at = 0, words_count;
    if (!quire_column_text_array(result, 0, 0, arena, &lexemes, &lexemes_count))
        return false;
    for (size_t i = 0; i < count; i++) {
        (void)postings_words(drafts[i].postings, &words_count);
        at += words_count;
    }
    assert(at == lexemes_count); /* documents.lexemes answers each word */
    at = 0;
    for (size_t i = 0; i < count && lexemes_count > 0; i++) { /* without words there are no rows, and no array */
        const struct quire_slice *words = postings_words(drafts[i].postings, &words_count);
        /* The result lives as long as this call, and rows outlive it: most lexemes are their word itself, the others
         * get copies. */
        for (size_t w = 0; w < words_count; w++) {
            if (quire_slice_equal(lexemes[at + w], words[w])) {
                lexemes[at + w] = words[w];
                continue;
            }
            if (lexemes[at + w].size == 0)
                continue;
            char *copy = quire_arena_text(arena, lexemes[at + w]);
            if (copy == NULL)
                return false;
            lexemes[at + w].bytes = (const uint8_t *)copy;
        }
        if (!postings_merge(arena, drafts[i].postings, lexemes + at, &drafts[i].rows, &drafts[i].rows_count))
            return false;
        at += words_count;
    }
    return true;
}

static void bind_chunks(struct quire_parameters *parameters, const struct draft *drafts, size_t count, size_t total) {
    int32_t *items = quire_arena_alloc(parameters->arena, total * sizeof(*items));
    int32_t *indexes = quire_arena_alloc(parameters->arena, total * sizeof(*indexes));
    struct quire_slice *headings = quire_arena_alloc(parameters->arena, total * sizeof(*headings));
    struct quire_slice *bodies = quire_arena_alloc(parameters->arena, total * sizeof(*bodies));
    if (items == NULL || indexes == NULL || headings == NULL || bodies == NULL) {
        parameters->failed = true;
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < drafts[i].chunks_count; c++, at++) {
            const struct chunk *chunk = &drafts[i].chunks[c];
            items[at] = (int32_t)i + 1;
            indexes[at] = (int32_t)c;
            headings[at] = chunk->heading;
            bodies[at] = (struct quire_slice){drafts[i].content.bytes + chunk->start, chunk->end - chunk->start};
        }
    quire_bind_int32_array(parameters, items, total);
    quire_bind_int32_array(parameters, indexes, total);
    quire_bind_text_array(parameters, headings, total);
    quire_bind_text_array(parameters, bodies, total);
}

static void bind_postings(struct quire_parameters *parameters, const struct draft *drafts, size_t count, size_t total) {
    int32_t *items = quire_arena_alloc(parameters->arena, (total + 1) * sizeof(*items));
    struct quire_slice *lexemes = quire_arena_alloc(parameters->arena, (total + 1) * sizeof(*lexemes));
    struct quire_slice *entries = quire_arena_alloc(parameters->arena, (total + 1) * sizeof(*entries));
    if (items == NULL || lexemes == NULL || entries == NULL) {
        parameters->failed = true;
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; r < drafts[i].rows_count; r++, at++) {
            items[at] = (int32_t)i + 1;
            lexemes[at] = drafts[i].rows[r].lexeme;
            entries[at] = drafts[i].rows[r].entries;
        }
    quire_bind_int32_array(parameters, items, total);
    quire_bind_text_array(parameters, lexemes, total);
    quire_bind_text_array(parameters, entries, total);
}

void drafts_bind_passages(struct quire_parameters *parameters, const struct draft *drafts, size_t count) {
    size_t chunks = 0, rows = 0;
    for (size_t i = 0; i < count; i++) {
        chunks += drafts[i].chunks_count;
        rows += drafts[i].rows_count;
    }
    bind_chunks(parameters, drafts, count, chunks);
    bind_postings(parameters, drafts, count, rows);
}
