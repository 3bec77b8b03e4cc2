#include "documents/cursor.h"
#include "documents/handlers.h"
#include "text/words.h"

#define LIMIT_DEFAULT 20u
#define LIMIT_MAX 100u
#define WORDS_MAX 512u /* of q; in 1024 characters only a text without spaces has more */

/* Indexes as documents.page says (004_reads.sql). Asks for one row more than is shown: whether there is a next page. */
const struct quire_statement documents_page_statement = {
    .name = "documents.page",
    .sql = "SELECT ret_id, ret_title, ret_tags, ret_metadata, ret_language, ret_version, ret_chunk_count, "
           "ret_created_at, ret_updated_at"
           " FROM documents.page($1::uuid, $2::int, $3::timestamptz, $4::uuid, $5::text, $6::text[])",
};

enum {
    COLUMN_ID,
    COLUMN_TITLE,
    COLUMN_TAGS,
    COLUMN_METADATA,
    COLUMN_LANGUAGE,
    COLUMN_VERSION,
    COLUMN_CHUNK_COUNT,
    COLUMN_CREATED_AT,
    COLUMN_UPDATED_AT
};

struct listing {
    size_t limit;
    struct cursor_scope scope;
};

struct word_list {
    struct quire_arena *arena;
    struct quire_slice words[WORDS_MAX];
    size_t count;
    bool failed;
};

static bool take_word(void *context, const struct text_word *word) {
    struct word_list *list = context;
    for (size_t i = 0; i < list->count; i++)
        if (quire_slice_equal(list->words[i], word->word))
            return true;
    if (list->count == WORDS_MAX)
        return false;
    char *copy = quire_arena_text(list->arena, word->word);
    list->failed = copy == NULL;
    if (list->failed)
        return false;
    list->words[list->count++] = (struct quire_slice){(const uint8_t *)copy, word->word.size};
    return true;
}

static bool read_summary(const PGresult *result, int row, struct quire_arena *arena, Quire__DocumentSummary *summary) {
    quire__document_summary__init(summary);
    const struct quire_slice id = quire_column_text(result, row, COLUMN_ID);
    summary->id = (ProtobufCBinaryData){id.size, (uint8_t *)(uintptr_t)id.bytes};
    /* libpq ends every value with a NUL, and the answer is packed before the result goes. */
    summary->title = (char *)(uintptr_t)quire_column_text(result, row, COLUMN_TITLE).bytes;
    summary->metadata = (char *)(uintptr_t)quire_column_text(result, row, COLUMN_METADATA).bytes;
    if (!quire_column_null(result, row, COLUMN_LANGUAGE))
        summary->language = (char *)(uintptr_t)quire_column_text(result, row, COLUMN_LANGUAGE).bytes;
    summary->version = quire_column_int64(result, row, COLUMN_VERSION);
    summary->chunk_count = quire_column_int32(result, row, COLUMN_CHUNK_COUNT);
    summary->created_at = quire_column_time(result, row, COLUMN_CREATED_AT);
    summary->updated_at = quire_column_time(result, row, COLUMN_UPDATED_AT);
    struct quire_slice *tags;
    size_t count;
    if (!quire_column_text_array(result, row, COLUMN_TAGS, arena, &tags, &count))
        return false;
    summary->tags = quire_arena_alloc(arena, (count + 1) * sizeof(*summary->tags));
    for (size_t i = 0; summary->tags != NULL && i < count; i++) {
        summary->tags[i] = quire_arena_text(arena, tags[i]);
        if (summary->tags[i] == NULL)
            return false;
        summary->n_tags++;
    }
    return summary->tags != NULL;
}

static void on_page(struct quire_request *request, const PGresult *result) {
    const struct listing *listing = quire_request_state(request);
    struct quire_arena *arena = quire_request_arena(request);
    const size_t found = (size_t)PQntuples(result);
    const size_t count = found < listing->limit ? found : listing->limit;
    Quire__DocumentSummary *items = quire_arena_alloc(arena, (count + 1) * sizeof(*items));
    Quire__DocumentSummary **pointers = quire_arena_alloc(arena, (count + 1) * sizeof(*pointers));
    bool good = items != NULL && pointers != NULL;
    for (size_t i = 0; good && i < count; i++) {
        pointers[i] = &items[i];
        good = read_summary(result, (int)i, arena, &items[i]);
    }
    if (!good) {
        quire_request_refuse_for(request, 503, "There is no memory for this request now.", 1);
        return;
    }
    char next[CURSOR_CHARACTERS + 1];
    Quire__DocumentList list = QUIRE__DOCUMENT_LIST__INIT;
    list.n_items = count;
    list.items = pointers;
    if (found > count) {
        struct cursor cursor = {.created_at_ms = items[count - 1].created_at};
        memcpy(cursor.id, items[count - 1].id.data, sizeof(cursor.id));
        cursor_encode(&cursor, &listing->scope, next);
        list.next_cursor = next;
    }
    quire_request_reply(request, &list.base);
}

/* An empty text counts as absent. */
static struct quire_slice given(const char *text) {
    return quire_slice_of(text != NULL ? text : "");
}

static void reply_nothing(struct quire_request *request) {
    const Quire__DocumentList list = QUIRE__DOCUMENT_LIST__INIT;
    quire_request_reply(request, &list.base);
}

void documents_list(Quire__Documents_Service *service, const Quire__ListDocumentsRequest *input,
                    Quire__DocumentList_Closure closure, void *closure_data) {
    (void)service, (void)closure;
    struct quire_request *request = quire_request_of(closure_data);
    struct listing *listing = quire_arena_zalloc(quire_request_arena(request), sizeof(*listing));
    if (listing == NULL) {
        quire_request_refuse_for(request, 503, "There is no memory for this request now.", 1);
        return;
    }
    listing->limit = input->has_limit ? input->limit : LIMIT_DEFAULT;
    listing->scope = (struct cursor_scope){
        .account = quire_request_account(request), .tag = given(input->tag), .q = given(input->q)};
    if (listing->limit < 1 || listing->limit > LIMIT_MAX) {
        quire_request_refuse_field(request, "limit", "must be from 1 to 100");
        return;
    }
    struct cursor cursor;
    const struct quire_slice cursor_text = given(input->cursor);
    if (cursor_text.size > 0 && !cursor_decode(cursor_text, &listing->scope, &cursor)) {
        quire_request_refuse_field(request, "cursor", "is not a next_cursor of this list with these filters");
        return;
    }
    struct word_list words = {.arena = quire_request_arena(request)};
    const bool all = text_words(listing->scope.q, take_word, &words);
    if (words.failed) {
        quire_request_refuse_for(request, 503, "There is no memory for this request now.", 1);
        return;
    }
    if (!all) { /* a document must have all of them, so none is left out */
        quire_request_refuse_field(request, "q", "has more than 512 different words");
        return;
    }
    if (listing->scope.q.size > 0 && words.count == 0) { /* punctuation alone: no document has words like that */
        reply_nothing(request);
        return;
    }
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, quire_request_account(request));
    quire_bind_int32(parameters, (int32_t)listing->limit + 1);
    if (cursor_text.size > 0) {
        quire_bind_time(parameters, cursor.created_at_ms);
        quire_bind_uuid(parameters, cursor.id);
    } else {
        quire_bind_null(parameters);
        quire_bind_null(parameters);
    }
    if (listing->scope.tag.size > 0)
        quire_bind_text(parameters, listing->scope.tag);
    else
        quire_bind_null(parameters);
    if (words.count > 0)
        quire_bind_text_array(parameters, words.words, words.count);
    else
        quire_bind_null(parameters);
    quire_request_set_state(request, listing);
    quire_request_read(request, &documents_page_statement, parameters, on_page);
}
