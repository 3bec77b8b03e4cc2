#include "query/search.h"

#include "base/clock.h"
#include "query/search_internal.h"
#include "text/language.h"
#include "text/words.h"

#define TOP_K_DEFAULT 5u

/* Index postings_lexeme for the ranking, the keys of documents and chunks for what is shown; see
 * documents/migrations/008_search.sql. */
const struct quire_statement search_statement = {
    .name = "query.search",
    .sql = "SELECT ret_document, ret_title, ret_chunk, ret_body, ret_score, ret_language"
           " FROM documents.search($1::uuid, $2::text, $3::text[], $4::text[], $5::uuid[], $6::int, $7::int, $8::int)",
};

enum { COLUMN_DOCUMENT, COLUMN_TITLE, COLUMN_CHUNK, COLUMN_BODY, COLUMN_SCORE, COLUMN_LANGUAGE };

const struct quire_statement *const *search_statements(size_t *ret_count) {
    static const struct quire_statement *const statements[] = {&search_statement, &search_lexemes_statement,
                                                               &search_postings_statement, &search_passages_statement};
    *ret_count = sizeof(statements) / sizeof(statements[0]);
    return statements;
}

size_t search_top(const struct search *search) {
    return search->input->has_top_k ? search->input->top_k : TOP_K_DEFAULT;
}

void search_refuse_for_memory(struct quire_request *request) {
    quire_request_refuse_for(request, 503, "There is no memory for this request now.", 1);
}

static void on_found(struct quire_request *request, const PGresult *result) {
    struct search *search = quire_request_state(request);
    const int count = PQntuples(result);
    bool good = answer_begin(search, (size_t)count);
    for (int row = 0; good && row < count; row++)
        good = answer_add(
            search, quire_column_text(result, row, COLUMN_DOCUMENT), quire_column_text(result, row, COLUMN_TITLE),
            (uint32_t)quire_column_int32(result, row, COLUMN_CHUNK), quire_column_text(result, row, COLUMN_BODY),
            quire_column_double(result, row, COLUMN_SCORE), quire_column_text(result, row, COLUMN_LANGUAGE));
    if (good)
        answer_show(request);
    else
        search_refuse_for_memory(request);
}

/* Null where there is no filter. False without memory. */
static bool bind_filters(struct search *search, struct quire_parameters *parameters) {
    const Quire__SearchRequest *input = search->input;
    const size_t most = input->n_tags > input->n_document_ids ? input->n_tags : input->n_document_ids;
    struct quire_slice *tags = quire_arena_alloc(search->arena, (most + 1) * sizeof(*tags));
    struct quire_slice *ids = quire_arena_alloc(search->arena, (most + 1) * sizeof(*ids));
    if (tags == NULL || ids == NULL)
        return false;
    for (size_t i = 0; i < input->n_tags; i++)
        tags[i] = quire_slice_of(input->tags[i]);
    for (size_t i = 0; i < input->n_document_ids; i++)
        ids[i] = (struct quire_slice){input->document_ids[i].data, input->document_ids[i].len};
    if (input->n_tags > 0)
        quire_bind_text_array(parameters, tags, input->n_tags);
    else
        quire_bind_null(parameters);
    if (input->n_document_ids > 0)
        quire_bind_uuid_array(parameters, ids, input->n_document_ids);
    else
        quire_bind_null(parameters);
    return true;
}

void search_database(struct quire_request *request) {
    struct search *search = quire_request_state(request);
    struct quire_parameters *parameters = quire_request_parameters(request);
    search->way = SEARCH_DATABASE;
    quire_bind_uuid(parameters, quire_request_account(request));
    quire_bind_text(parameters, search->language);
    quire_bind_text_array(parameters, search->words, search->words_count);
    if (!bind_filters(search, parameters)) {
        search_refuse_for_memory(request);
        return;
    }
    if (search->input->has_max_per_document)
        quire_bind_int32(parameters, (int32_t)search->input->max_per_document);
    else
        quire_bind_null(parameters);
    quire_bind_int32(parameters, (int32_t)search_top(search));
    quire_bind_int32(parameters, (int32_t)search->context->settings.postings_max);
    quire_request_read(request, &search_statement, parameters, on_found);
}

static bool take_word(void *context, const struct text_word *word) {
    struct search *search = context;
    for (size_t i = 0; i < search->words_count; i++)
        if (quire_slice_equal(search->words[i], word->word))
            return true;
    char *copy = quire_arena_text(search->arena, word->word);
    search->failed = copy == NULL;
    if (search->failed)
        return false;
    search->words[search->words_count++] = (struct quire_slice){(const uint8_t *)copy, word->word.size};
    return search->words_count < (size_t)search->context->settings.words_max;
}

/* What the gateway refuses already, but another producer on the topic might send. */
static const char *fault_of(const Quire__SearchRequest *input, const char **ret_message) {
    *ret_message = "is not valid";
    if (input->query == NULL || input->query[0] == '\0')
        return "query";
    if (input->has_top_k && (input->top_k < 1 || input->top_k > 100))
        return "top_k";
    if (input->has_max_per_document && (input->max_per_document < 1 || input->max_per_document > 100))
        return "max_per_document";
    for (size_t i = 0; i < input->n_document_ids; i++)
        if (input->document_ids[i].len != 16)
            return "document_ids";
    return NULL;
}

/* Filters are the database's: with one, its bound on postings counts those of the allowed documents alone, and no list
 * that was cut before can say which those are. */
static bool by_lists(const struct search *search) {
    return search->context->cache != NULL && search->input->n_tags == 0 && search->input->n_document_ids == 0;
}

void query_search(Quire__Query_Service *service, const Quire__SearchRequest *input, Quire__SearchReply_Closure closure,
                  void *closure_data) {
    (void)service, (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    const char *message;
    const char *field = fault_of(input, &message);
    if (field != NULL) {
        quire_request_refuse_field(request, field, message);
        return;
    }
    if (input->mode != NULL && strcmp(input->mode, "vector") == 0) {
        quire_request_refuse(request, 503, "There are no vectors to search in; ask with mode text, hybrid or auto.");
        return;
    }
    struct search *search = quire_arena_zalloc(quire_request_arena(request), sizeof(*search));
    if (search == NULL) {
        search_refuse_for_memory(request);
        return;
    }
    search->input = input;
    search->context = quire_request_context(request);
    search->started_ns = quire_monotonic_ns();
    search->arena = quire_request_arena(request);
    search->question = quire_slice_of(input->query);
    quire_request_set_state(request, search);
    (void)text_words(search->question, take_word, search); /* stops where there are enough */
    const char *language = text_language(search->question);
    search->language = quire_slice_of(language != NULL ? language : "");
    if (search->failed)
        search_refuse_for_memory(request);
    else if (search->words_count == 0)
        answer_show(request); /* punctuation alone: nothing is found */
    else if (by_lists(search))
        lists_search(request);
    else
        search_database(request);
}
