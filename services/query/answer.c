/* What was found, with its highlights, as the reply. */
#include "base/clock.h"
#include "query/dictionary.h"
#include "query/search_internal.h"

/* Reads no table. */
const struct quire_statement search_lexemes_statement = {
    .name = "query.lexemes",
    .sql = "SELECT documents.lexemes($1::text[], $2::text[])",
};

bool answer_begin(struct search *search, size_t results_max) {
    search->results = quire_arena_alloc(search->arena, results_max * sizeof(*search->results));
    search->pointers = quire_arena_alloc(search->arena, results_max * sizeof(*search->pointers));
    search->languages = quire_arena_alloc(search->arena, results_max * sizeof(*search->languages));
    search->results_count = 0;
    return search->results != NULL && search->pointers != NULL && search->languages != NULL;
}

bool answer_add(struct search *search, struct quire_slice document, struct quire_slice title, uint32_t chunk,
                struct quire_slice text, double score, struct quire_slice language) {
    const size_t number = search->results_count++;
    Quire__SearchResult *found = &search->results[number];
    quire__search_result__init(found);
    search->pointers[number] = found;
    found->document_id = (ProtobufCBinaryData){document.size, (uint8_t *)quire_arena_text(search->arena, document)};
    found->title = quire_arena_text(search->arena, title);
    found->chunk_index = chunk;
    found->text = quire_arena_text(search->arena, text);
    found->score = score;
    search->languages[number] =
        (struct quire_slice){(const uint8_t *)quire_arena_text(search->arena, language), language.size};
    return found->document_id.data != NULL && found->title != NULL && found->text != NULL &&
           search->languages[number].bytes != NULL;
}

static void reply(struct quire_request *request, const struct search *search) {
    Quire__SearchReply message = QUIRE__SEARCH_REPLY__INIT;
    message.n_results = search->results_count;
    message.results = search->pointers;
    message.mode = "text"; /* auto and hybrid fall back to it: there are no vectors */
    message.took_ms = (double)(quire_monotonic_ns() - search->started_ns) / 1e6;
    quire_series_add(search->context->ways[search->way], 1);
    quire_request_reply(request, &message.base);
}

static void reply_with_highlights(struct quire_request *request, struct search *search) {
    for (size_t i = 0; i < search->results_count; i++) {
        Quire__SearchResult *found = &search->results[i];
        found->highlights = quire_arena_alloc(search->arena, HIGHLIGHTS_MAX * sizeof(*found->highlights));
        if (found->highlights == NULL ||
            !highlight_write(&search->highlight, search->lexemes, search->languages[i], search->question,
                             quire_slice_of(found->text), found->highlights, &found->n_highlights)) {
            search_refuse_for_memory(request);
            return;
        }
    }
    reply(request, search);
}

/* Of the words that weren't known, in their order. */
static void on_lexemes(struct quire_request *request, const PGresult *result) {
    struct search *search = quire_request_state(request);
    const struct highlight_words *words = &search->highlight;
    struct quire_slice *lexemes;
    size_t count, taken = 0;
    if (!quire_column_text_array(result, 0, 0, search->arena, &lexemes, &count)) {
        search_refuse_for_memory(request);
        return;
    }
    for (size_t i = 0; i < words->count && taken < count; i++) {
        if (search->lexemes[i].bytes != NULL)
            continue;
        search->lexemes[i] = lexemes[taken++];
        if (search->context->cache != NULL)
            dictionary_keep(search->context->cache, words->languages[i], words->words[i], search->lexemes[i]);
    }
    reply_with_highlights(request, search);
}

/* The words of the passages, and the question's in each of their languages. */
static bool collect_words(struct search *search) {
    highlight_words_init(&search->highlight, search->arena);
    for (size_t i = 0; i < search->results_count; i++) {
        bool asked = false;
        for (size_t earlier = 0; earlier < i && !asked; earlier++)
            asked = quire_slice_equal(search->languages[earlier], search->languages[i]);
        if (!asked && !highlight_collect(&search->highlight, search->languages[i], search->question))
            return false;
        if (!highlight_collect(&search->highlight, search->languages[i], quire_slice_of(search->results[i].text)))
            return false;
    }
    return true;
}

/* Room for the lexemes of all words, with those that are known; how many aren't in ret_unknown. */
static bool find_lexemes(struct search *search, size_t *ret_unknown) {
    const struct highlight_words *words = &search->highlight;
    search->lexemes = quire_arena_zalloc(search->arena, (words->count + 1) * sizeof(*search->lexemes));
    *ret_unknown = words->count;
    if (search->lexemes == NULL || search->context->cache == NULL)
        return search->lexemes != NULL;
    return dictionary_find(search->context->cache, search->arena, words->languages, words->words, words->count,
                           search->lexemes, ret_unknown);
}

static bool ask_lexemes(struct quire_request *request, struct search *search, size_t unknown) {
    const struct highlight_words *words = &search->highlight;
    struct quire_slice *languages = quire_arena_alloc(search->arena, unknown * sizeof(*languages));
    struct quire_slice *asked = quire_arena_alloc(search->arena, unknown * sizeof(*asked));
    if (languages == NULL || asked == NULL)
        return false;
    size_t count = 0;
    for (size_t i = 0; i < words->count; i++) {
        if (search->lexemes[i].bytes != NULL)
            continue;
        languages[count] = words->languages[i];
        asked[count++] = words->words[i];
    }
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_text_array(parameters, languages, count);
    quire_bind_text_array(parameters, asked, count);
    quire_request_read(request, &search_lexemes_statement, parameters, on_lexemes);
    return true;
}

void answer_show(struct quire_request *request) {
    struct search *search = quire_request_state(request);
    size_t unknown = 0;
    if (search->results_count == 0)
        reply(request, search);
    else if (!collect_words(search) || !find_lexemes(search, &unknown))
        search_refuse_for_memory(request);
    else if (unknown == 0)
        reply_with_highlights(request, search);
    else if (!ask_lexemes(request, search, unknown))
        search_refuse_for_memory(request);
}
