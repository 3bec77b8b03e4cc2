#include "query/search.h"

#include "base/clock.h"
#include "query/highlight.h"
#include "text/language.h"
#include "text/words.h"

#define WORDS_MAX 256
#define TOP_K_DEFAULT 5u

/* Index postings_lexeme for the ranking, the keys of documents and chunks for what is shown; see
 * documents/migrations/004_reads.sql. */
const struct quire_statement search_statement = {
    .name = "query.search",
    .sql = "SELECT ret_document, ret_title, ret_chunk, ret_body, ret_score, ret_language"
           " FROM documents.search($1::uuid, $2::text, $3::text[], $4::text[], $5::uuid[], $6::int, $7::int, $8::int)",
};
/* Reads no table. */
const struct quire_statement search_lexemes_statement = {
    .name = "query.lexemes",
    .sql = "SELECT documents.lexemes($1::text[], $2::text[])",
};

enum { COLUMN_DOCUMENT, COLUMN_TITLE, COLUMN_CHUNK, COLUMN_BODY, COLUMN_SCORE, COLUMN_LANGUAGE };

struct search {
    const Quire__SearchRequest *input;
    uint64_t started_ns;
    struct quire_slice question;
    struct quire_slice words[WORDS_MAX];
    size_t words_count, words_max;
    bool failed; /* no memory */
    struct quire_arena *arena;
    Quire__SearchResult *results;
    Quire__SearchResult **pointers;
    struct quire_slice *languages; /* of each result */
    size_t results_count;
    struct highlight_words highlight;
};

struct quire_setting_table search_setting_table(struct search_settings *target) {
    static const struct quire_setting settings[] = {
        {.name = "QUIRE_QUERY_WORDS_MAX",
         .type = QUIRE_SETTING_INTEGER,
         .offset = offsetof(struct search_settings, words_max),
         .fallback = "64",
         .min = 1,
         .max = WORDS_MAX,
         .unit = "",
         .about = "Distinct words of a question that are searched for; the first count."},
        {.name = "QUIRE_QUERY_POSTINGS_MAX",
         .type = QUIRE_SETTING_INTEGER,
         .offset = offsetof(struct search_settings, postings_max),
         .fallback = "3000",
         .min = 100,
         .max = 1000000,
         .unit = "",
         .about = "Passages that are looked at for each word of a question, those of the newest documents; bounds a "
                  "search's cost."},
    };
    return (struct quire_setting_table){
        .settings = settings, .count = sizeof(settings) / sizeof(settings[0]), .target = target};
}

static void refuse_for_memory(struct quire_request *request) {
    quire_request_refuse_for(request, 503, "There is no memory for this request now.", 1);
}

static void reply(struct quire_request *request, const struct search *search) {
    Quire__SearchReply message = QUIRE__SEARCH_REPLY__INIT;
    message.n_results = search->results_count;
    message.results = search->pointers;
    message.mode = "text"; /* auto and hybrid fall back to it: there are no vectors */
    message.took_ms = (double)(quire_monotonic_ns() - search->started_ns) / 1e6;
    quire_request_reply(request, &message.base);
}

static void on_lexemes(struct quire_request *request, const PGresult *result) {
    struct search *search = quire_request_state(request);
    struct quire_slice *lexemes;
    size_t count;
    if (!quire_column_text_array(result, 0, 0, search->arena, &lexemes, &count) || count != search->highlight.count) {
        refuse_for_memory(request);
        return;
    }
    for (size_t i = 0; i < search->results_count; i++) {
        Quire__SearchResult *found = &search->results[i];
        found->highlights = quire_arena_alloc(search->arena, HIGHLIGHTS_MAX * sizeof(*found->highlights));
        if (found->highlights == NULL ||
            !highlight_write(&search->highlight, lexemes, search->languages[i], search->question,
                             quire_slice_of(found->text), found->highlights, &found->n_highlights)) {
            refuse_for_memory(request);
            return;
        }
    }
    reply(request, search);
}

/* A result's texts, copied: they are needed after the next round. */
static bool read_result(struct search *search, const PGresult *result, int row) {
    Quire__SearchResult *found = &search->results[row];
    quire__search_result__init(found);
    search->pointers[row] = found;
    const struct quire_slice id = quire_column_text(result, row, COLUMN_DOCUMENT);
    const struct quire_slice language = quire_column_text(result, row, COLUMN_LANGUAGE);
    found->document_id = (ProtobufCBinaryData){id.size, (uint8_t *)quire_arena_text(search->arena, id)};
    found->title = quire_arena_text(search->arena, quire_column_text(result, row, COLUMN_TITLE));
    found->chunk_index = (uint32_t)quire_column_int32(result, row, COLUMN_CHUNK);
    found->text = quire_arena_text(search->arena, quire_column_text(result, row, COLUMN_BODY));
    found->score = quire_column_double(result, row, COLUMN_SCORE);
    search->languages[row] =
        (struct quire_slice){(const uint8_t *)quire_arena_text(search->arena, language), language.size};
    return found->document_id.data != NULL && found->title != NULL && found->text != NULL &&
           search->languages[row].bytes != NULL;
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

static void on_found(struct quire_request *request, const PGresult *result) {
    struct search *search = quire_request_state(request);
    search->results_count = (size_t)PQntuples(result);
    if (search->results_count == 0) {
        reply(request, search);
        return;
    }
    search->results = quire_arena_alloc(search->arena, search->results_count * sizeof(*search->results));
    search->pointers = quire_arena_alloc(search->arena, search->results_count * sizeof(*search->pointers));
    search->languages = quire_arena_alloc(search->arena, search->results_count * sizeof(*search->languages));
    bool good = search->results != NULL && search->pointers != NULL && search->languages != NULL;
    for (size_t i = 0; good && i < search->results_count; i++)
        good = read_result(search, result, (int)i);
    if (!good || !collect_words(search)) {
        refuse_for_memory(request);
        return;
    }
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_text_array(parameters, search->highlight.languages, search->highlight.count);
    quire_bind_text_array(parameters, search->highlight.words, search->highlight.count);
    quire_request_read(request, &search_lexemes_statement, parameters, on_lexemes);
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
    return search->words_count < search->words_max;
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

static void ask(struct quire_request *request, struct search *search, const struct search_settings *settings) {
    struct quire_parameters *parameters = quire_request_parameters(request);
    const char *language = text_language(search->question);
    quire_bind_uuid(parameters, quire_request_account(request));
    quire_bind_ctext(parameters, language != NULL ? language : "");
    quire_bind_text_array(parameters, search->words, search->words_count);
    if (!bind_filters(search, parameters)) {
        refuse_for_memory(request);
        return;
    }
    if (search->input->has_max_per_document)
        quire_bind_int32(parameters, (int32_t)search->input->max_per_document);
    else
        quire_bind_null(parameters);
    quire_bind_int32(parameters, search->input->has_top_k ? (int32_t)search->input->top_k : (int32_t)TOP_K_DEFAULT);
    quire_bind_int32(parameters, (int32_t)settings->postings_max);
    quire_request_read(request, &search_statement, parameters, on_found);
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

void query_search(Quire__Query_Service *service, const Quire__SearchRequest *input, Quire__SearchReply_Closure closure,
                  void *closure_data) {
    (void)service, (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    const struct search_settings *settings = quire_request_context(request);
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
        refuse_for_memory(request);
        return;
    }
    search->input = input;
    search->started_ns = quire_monotonic_ns();
    search->arena = quire_request_arena(request);
    search->question = quire_slice_of(input->query);
    search->words_max = (size_t)settings->words_max;
    quire_request_set_state(request, search);
    (void)text_words(search->question, take_word, search); /* stops where there are enough */
    if (search->failed)
        refuse_for_memory(request);
    else if (search->words_count == 0)
        reply(request, search); /* punctuation alone */
    else
        ask(request, search, settings);
}
