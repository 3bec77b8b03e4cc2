/* Answers a question from postings lists (ranking.h), which are kept between questions.
 *
 *     kept lists --all there--> rank --> passages --the stamp holds--> answer
 *         |                       ^          |
 *         +--some missing--> fetch those     +--it doesn't--> fetch all, once; a second time: documents.search()
 *
 * What makes an answer true: lists carry the stamp of the account's state that they were read at, which is another one
 * after each write (documents/migrations/009_postings.sql). documents.passages() looks at the stamp in the snapshot in
 * which it reads the passages' texts, and gives none when it isn't the lists'. So lists, counts and texts of an answer
 * are all of that one snapshot, as if documents.search() had run in it; and that snapshot is on a server that has
 * replayed the account's watermark, as any read's is (runtime/database.h). Nothing that is kept is ever believed
 * without being asked for: no clock, no event and no watermark has to come in time for that. */
#include "query/dictionary.h"
#include "query/ranking.h"
#include "query/search_internal.h"

#include "base/wire.h"

#define STAMP_BYTES 32u
#define POSTINGS_MAX ((int64_t)1 << 19) /* of one question, handed over; more is the database's to add up */

/* Index postings_lexeme; documents/migrations/009_postings.sql. */
const struct quire_statement search_postings_statement = {
    .name = "query.postings",
    .sql = "SELECT ret_stamp, ret_chunks, ret_languages, ret_lexemes, ret_terms, ret_documents, ret_entries"
           " FROM documents.postings($1::uuid, $2::text, $3::text[], $4::bytea, $5::text[], $6::int, $7::int)",
};
/* The keys of documents and chunks. */
const struct quire_statement search_passages_statement = {
    .name = "query.passages",
    .sql = "SELECT ret_place, ret_title, ret_body, ret_language"
           " FROM documents.passages($1::uuid, $2::bytea, $3::uuid[], $4::int[])",
};

enum {
    POSTINGS_STAMP,
    POSTINGS_CHUNKS,
    POSTINGS_LANGUAGES,
    POSTINGS_LEXEMES,
    POSTINGS_TERMS,
    POSTINGS_DOCUMENTS,
    POSTINGS_ENTRIES
};
enum { PASSAGES_PLACE, PASSAGES_TITLE, PASSAGES_BODY, PASSAGES_LANGUAGE };

/* Invariants:
 *   all of it is of the account's state `stamp`; nothing is known of the account without one
 *   lists[i] is terms[i]'s */
struct lists {
    struct quire_slice account;
    struct quire_slice stamp; /* empty: none is known */
    uint64_t passages;        /* of the account */
    struct quire_slice *languages;
    size_t languages_count;
    struct quire_slice *terms; /* distinct lexemes of the question */
    struct ranking_list *lists;
    size_t terms_count;
    bool fetched; /* by this request */
    struct ranked *ranked;
    size_t ranked_count;
};

static void ask_postings(struct quire_request *request);

static size_t lists_max(const struct search *search) {
    return (size_t)(POSTINGS_MAX / search->context->settings.postings_max);
}

/* ---- The account's corpus as it is kept:  stamp | passages, 8 bytes | each language behind its size, 1 byte */

static struct cache_key corpus_key(const struct lists *lists) {
    return (struct cache_key){.space = lists->account}; /* no lexeme is empty */
}

static void keep_corpus(const struct search *search) {
    const struct lists *lists = search->lists;
    size_t size = STAMP_BYTES + 8;
    for (size_t i = 0; i < lists->languages_count; i++)
        size += 1 + lists->languages[i].size;
    uint8_t *bytes = quire_arena_alloc(search->arena, size);
    if (bytes == NULL)
        return;
    memcpy(bytes, lists->stamp.bytes, STAMP_BYTES);
    quire_put_u64(bytes + STAMP_BYTES, lists->passages);
    size_t at = STAMP_BYTES + 8;
    for (size_t i = 0; i < lists->languages_count; i++) {
        const struct quire_slice language = lists->languages[i];
        bytes[at] = (uint8_t)language.size;
        memcpy(bytes + at + 1, language.bytes, language.size);
        at += 1 + language.size;
    }
    const struct cache_key key = corpus_key(lists);
    cache_put(search->context->cache, &key, (struct quire_slice){0}, (struct quire_slice){bytes, size});
}

/* False where none is kept, or there is no memory for it. */
static bool find_corpus(struct search *search) {
    struct lists *lists = search->lists;
    const struct cache_key key = corpus_key(lists);
    const struct cache_entry *entry;
    cache_find(search->context->cache, &key, 1, (struct quire_slice){0}, &entry);
    if (entry == NULL)
        return false;
    const struct quire_slice kept = cache_value(entry);
    const uint8_t *bytes = (const uint8_t *)quire_arena_text(search->arena, kept);
    cache_unref(entry);
    lists->languages = quire_arena_alloc(search->arena, kept.size * sizeof(*lists->languages));
    if (bytes == NULL || lists->languages == NULL)
        return false;
    lists->stamp = (struct quire_slice){bytes, STAMP_BYTES};
    lists->passages = quire_get_u64(bytes + STAMP_BYTES);
    lists->languages_count = 0;
    for (size_t at = STAMP_BYTES + 8; at < kept.size; at += 1 + bytes[at])
        lists->languages[lists->languages_count++] = (struct quire_slice){bytes + at + 1, bytes[at]};
    return true;
}

/* ---- What is kept */

/* The question's words in the dictionary of each language, as ret_lexemes of documents.postings() has them: by language
 * and word; behind those of the account's languages stands the question's own, which says what a stop word is. */
struct vocabulary {
    struct quire_slice *languages, *words; /* count of each */
    size_t count, languages_count;
    size_t own; /* number of the question's language; SIZE_MAX: unknown */
};

static bool list_vocabulary(const struct search *search, struct vocabulary *ret_vocabulary) {
    const struct lists *lists = search->lists;
    struct vocabulary vocabulary = {.languages_count = lists->languages_count, .own = SIZE_MAX};
    for (size_t i = 0; i < lists->languages_count && search->language.size > 0; i++)
        if (quire_slice_equal(lists->languages[i], search->language))
            vocabulary.own = i;
    if (vocabulary.own == SIZE_MAX && search->language.size > 0)
        vocabulary.own = vocabulary.languages_count++;
    vocabulary.count = vocabulary.languages_count * search->words_count;
    vocabulary.languages = quire_arena_alloc(search->arena, vocabulary.count * sizeof(*vocabulary.languages));
    vocabulary.words = quire_arena_alloc(search->arena, vocabulary.count * sizeof(*vocabulary.words));
    if (vocabulary.languages == NULL || vocabulary.words == NULL)
        return false;
    for (size_t i = 0; i < vocabulary.count; i++) {
        const size_t language = i / search->words_count;
        vocabulary.languages[i] = language < lists->languages_count ? lists->languages[language] : search->language;
        vocabulary.words[i] = search->words[i % search->words_count];
    }
    *ret_vocabulary = vocabulary;
    return true;
}

static void add_term(struct lists *lists, struct quire_slice term) {
    for (size_t i = 0; i < lists->terms_count; i++)
        if (quire_slice_equal(lists->terms[i], term))
            return;
    lists->terms[lists->terms_count++] = term;
}

/* The distinct lexemes of the words that are no stop words of the question's language, as far as they are known; how
 * many words aren't in ret_unknown. False without memory. */
static bool find_terms(struct search *search, size_t *ret_unknown) {
    struct lists *lists = search->lists;
    struct vocabulary vocabulary;
    if (!list_vocabulary(search, &vocabulary))
        return false;
    struct quire_slice *lexemes = quire_arena_alloc(search->arena, (vocabulary.count + 1) * sizeof(*lexemes));
    lists->terms = quire_arena_alloc(search->arena, (vocabulary.count + 1) * sizeof(*lists->terms));
    lists->terms_count = 0;
    if (lexemes == NULL || lists->terms == NULL ||
        !dictionary_find(search->context->cache, search->arena, vocabulary.languages, vocabulary.words,
                         vocabulary.count, lexemes, ret_unknown))
        return false;
    for (size_t i = 0; i < lists->languages_count * search->words_count; i++) {
        const size_t word = i % search->words_count;
        const bool stopped =
            vocabulary.own != SIZE_MAX && lexemes[vocabulary.own * search->words_count + word].size == 0;
        if (!stopped && lexemes[i].size > 0)
            add_term(lists, lexemes[i]);
    }
    return true;
}

static bool rank(struct search *search) {
    struct lists *lists = search->lists;
    const struct ranking_options options = {
        .passages = lists->passages,
        .top = search_top(search),
        .per_document_max = search->input->has_max_per_document ? search->input->max_per_document : SIZE_MAX};
    return ranking_best(search->arena, lists->lists, lists->terms_count, &options, &lists->ranked,
                        &lists->ranked_count);
}

/* Copies the lists that were found, and leaves the others' terms out: what the cache holds may go while others are
 * fetched. False without memory. */
static bool take_found(struct search *search) {
    struct lists *lists = search->lists;
    size_t count = 0;
    for (size_t i = 0; i < lists->terms_count; i++) {
        if (lists->lists[i].bytes.size == 0)
            continue;
        const struct quire_slice bytes = lists->lists[i].bytes;
        const char *copy = quire_arena_text(search->arena, bytes);
        if (copy == NULL)
            return false;
        lists->terms[count] = lists->terms[i];
        lists->lists[count++].bytes = (struct quire_slice){(const uint8_t *)copy, bytes.size};
    }
    lists->terms_count = count;
    return true;
}

enum finding { FOUND_ALL, FOUND_SOME, FOUND_TOO_MANY, FOUND_NO_MEMORY };

/* Ranks right away when every list is there: nothing has to be copied. */
static enum finding rank_kept(struct search *search, bool all_known) {
    struct lists *lists = search->lists;
    const size_t count = lists->terms_count;
    if (count > lists_max(search))
        return FOUND_TOO_MANY;
    struct cache_key *keys = quire_arena_alloc(search->arena, (count + 1) * sizeof(*keys));
    const struct cache_entry **entries = quire_arena_alloc(search->arena, (count + 1) * sizeof(struct cache_entry *));
    lists->lists = quire_arena_alloc(search->arena, (count + 1) * sizeof(*lists->lists));
    if (keys == NULL || entries == NULL || lists->lists == NULL)
        return FOUND_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        keys[i] = (struct cache_key){.space = lists->account, .name = lists->terms[i]};
    cache_find(search->context->cache, keys, count, lists->stamp, entries);
    bool all = all_known;
    for (size_t i = 0; i < count; i++) {
        lists->lists[i].bytes = entries[i] != NULL ? cache_value(entries[i]) : (struct quire_slice){0};
        all &= entries[i] != NULL;
    }
    const bool good = all ? rank(search) : take_found(search);
    for (size_t i = 0; i < count; i++)
        cache_unref(entries[i]);
    return !good ? FOUND_NO_MEMORY : all ? FOUND_ALL : FOUND_SOME;
}

/* ---- The passages */

/* Rows of places that are no longer there (their keys always are, while the stamp holds) and of none are left out. */
static bool take_passages(struct search *search, const PGresult *result) {
    const struct lists *lists = search->lists;
    int *rows = quire_arena_zalloc(search->arena, (lists->ranked_count + 1) * sizeof(*rows));
    if (rows == NULL || !answer_begin(search, lists->ranked_count + 1))
        return false;
    for (int row = 1; row < PQntuples(result); row++) {
        const int32_t place = quire_column_int32(result, row, PASSAGES_PLACE);
        if (place >= 1 && (size_t)place <= lists->ranked_count)
            rows[place] = row;
    }
    for (size_t place = 1; place <= lists->ranked_count; place++) {
        const struct ranked *ranked = &lists->ranked[place - 1];
        if (rows[place] != 0 && !answer_add(search, (struct quire_slice){ranked->document, RANKING_ID_BYTES},
                                            quire_column_text(result, rows[place], PASSAGES_TITLE), ranked->chunk,
                                            quire_column_text(result, rows[place], PASSAGES_BODY), ranked->score,
                                            quire_column_text(result, rows[place], PASSAGES_LANGUAGE)))
            return false;
    }
    return true;
}

static void on_passages(struct quire_request *request, const PGresult *result) {
    struct search *search = quire_request_state(request);
    struct lists *lists = search->lists;
    if (PQntuples(result) > 0) { /* the stamp holds */
        if (take_passages(search, result))
            answer_show(request);
        else
            search_refuse_for_memory(request);
    } else if (lists->fetched) { /* written to between two statements: not to be chased after */
        search_database(request);
    } else {
        lists->stamp = (struct quire_slice){0};
        lists->terms_count = 0;
        ask_postings(request);
    }
}

/* Also when nothing was found: a passage might have come. */
static void ask_passages(struct quire_request *request) {
    const struct search *search = quire_request_state(request);
    const struct lists *lists = search->lists;
    struct quire_slice *ids = quire_arena_alloc(search->arena, (lists->ranked_count + 1) * sizeof(*ids));
    int32_t *chunks = quire_arena_alloc(search->arena, (lists->ranked_count + 1) * sizeof(*chunks));
    if (ids == NULL || chunks == NULL) {
        search_refuse_for_memory(request);
        return;
    }
    for (size_t i = 0; i < lists->ranked_count; i++) {
        ids[i] = (struct quire_slice){lists->ranked[i].document, RANKING_ID_BYTES};
        chunks[i] = (int32_t)lists->ranked[i].chunk;
    }
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, lists->account.bytes);
    quire_bind_bytes(parameters, lists->stamp);
    quire_bind_uuid_array(parameters, ids, lists->ranked_count);
    quire_bind_int32_array(parameters, chunks, lists->ranked_count);
    quire_request_read(request, &search_passages_statement, parameters, on_passages);
}

/* ---- What is fetched */

struct fetched {
    struct quire_slice *lexemes, *terms, *documents, *entries;
    size_t lexemes_count, terms_count;
};

enum reading { READ, READ_TOO_MANY, READ_NO_MEMORY, READ_UNFIT };

/* The columns; those that outlive the result are copied to `lists`. */
static enum reading read_columns(struct search *search, const PGresult *result, struct fetched *ret_fetched) {
    struct lists *lists = search->lists;
    struct quire_arena *arena = search->arena;
    size_t documents_count, entries_count;
    const struct quire_slice stamp = quire_column_text(result, 0, POSTINGS_STAMP);
    if (quire_column_null(result, 0, POSTINGS_TERMS))
        return READ_TOO_MANY;
    if (!quire_column_text_array(result, 0, POSTINGS_LANGUAGES, arena, &lists->languages, &lists->languages_count) ||
        !quire_column_text_array(result, 0, POSTINGS_LEXEMES, arena, &ret_fetched->lexemes,
                                 &ret_fetched->lexemes_count) ||
        !quire_column_text_array(result, 0, POSTINGS_TERMS, arena, &ret_fetched->terms, &ret_fetched->terms_count) ||
        !quire_column_text_array(result, 0, POSTINGS_DOCUMENTS, arena, &ret_fetched->documents, &documents_count) ||
        !quire_column_text_array(result, 0, POSTINGS_ENTRIES, arena, &ret_fetched->entries, &entries_count))
        return READ_NO_MEMORY;
    if (stamp.size != STAMP_BYTES || documents_count != ret_fetched->terms_count ||
        entries_count != ret_fetched->terms_count)
        return READ_UNFIT;
    if (!quire_slice_equal(stamp, lists->stamp))
        lists->terms_count = 0; /* of another state: their lists are among the fetched ones */
    const char *copy = quire_arena_text(arena, stamp);
    lists->stamp = (struct quire_slice){(const uint8_t *)copy, stamp.size};
    lists->passages = (uint64_t)quire_column_int64(result, 0, POSTINGS_CHUNKS);
    return copy != NULL ? READ : READ_NO_MEMORY;
}

static void keep_words(const struct search *search, const struct fetched *fetched) {
    struct vocabulary vocabulary;
    if (!list_vocabulary(search, &vocabulary) || vocabulary.count != fetched->lexemes_count)
        return;
    for (size_t i = 0; i < vocabulary.count; i++)
        dictionary_keep(search->context->cache, vocabulary.languages[i], vocabulary.words[i], fetched->lexemes[i]);
}

/* Puts the fetched lists beside those that were kept, and keeps them. */
static enum reading take_lists(struct search *search, const struct fetched *fetched) {
    struct lists *lists = search->lists;
    const size_t count = lists->terms_count + fetched->terms_count;
    struct quire_slice *terms = quire_arena_alloc(search->arena, (count + 1) * sizeof(*terms));
    struct ranking_list *all = quire_arena_alloc(search->arena, (count + 1) * sizeof(*all));
    if (terms == NULL || all == NULL)
        return READ_NO_MEMORY;
    for (size_t i = 0; i < lists->terms_count; i++) {
        terms[i] = lists->terms[i];
        all[i] = lists->lists[i];
    }
    for (size_t i = 0; i < fetched->terms_count; i++) {
        struct ranking_list *list = &all[lists->terms_count + i];
        const struct cache_key key = {.space = lists->account, .name = fetched->terms[i]};
        bool fits;
        if (!ranking_pack(search->arena, fetched->documents[i], fetched->entries[i],
                          (size_t)search->context->settings.postings_max, list, &fits))
            return fits ? READ_NO_MEMORY : READ_UNFIT;
        terms[lists->terms_count + i] = fetched->terms[i];
        cache_put(search->context->cache, &key, lists->stamp, list->bytes);
    }
    lists->terms = terms;
    lists->lists = all;
    lists->terms_count = count;
    return READ;
}

static void on_postings(struct quire_request *request, const PGresult *result) {
    struct search *search = quire_request_state(request);
    struct fetched fetched;
    search->lists->fetched = true;
    search->way = SEARCH_FETCHED;
    enum reading reading = read_columns(search, result, &fetched);
    if (reading == READ)
        reading = take_lists(search, &fetched);
    if (reading == READ) {
        keep_corpus(search);
        keep_words(search, &fetched);
        if (!rank(search))
            reading = READ_NO_MEMORY;
    }
    if (reading == READ_NO_MEMORY)
        search_refuse_for_memory(request);
    else if (reading != READ)
        search_database(request);
    else if (search->lists->ranked_count == 0)
        answer_show(request); /* nothing was found in the snapshot of this very statement */
    else
        ask_passages(request);
}

static void ask_postings(struct quire_request *request) {
    const struct search *search = quire_request_state(request);
    const struct lists *lists = search->lists;
    struct quire_parameters *parameters = quire_request_parameters(request);
    quire_bind_uuid(parameters, lists->account.bytes);
    quire_bind_text(parameters, search->language);
    quire_bind_text_array(parameters, search->words, search->words_count);
    if (lists->stamp.size > 0)
        quire_bind_bytes(parameters, lists->stamp);
    else
        quire_bind_null(parameters);
    quire_bind_text_array(parameters, lists->terms, lists->terms_count);
    quire_bind_int32(parameters, (int32_t)search->context->settings.postings_max);
    quire_bind_int32(parameters, (int32_t)lists_max(search));
    quire_request_read(request, &search_postings_statement, parameters, on_postings);
}

void lists_search(struct quire_request *request) {
    struct search *search = quire_request_state(request);
    size_t unknown = 0;
    search->lists = quire_arena_zalloc(search->arena, sizeof(*search->lists));
    if (search->lists == NULL) {
        search_refuse_for_memory(request);
        return;
    }
    search->lists->account = (struct quire_slice){quire_request_account(request), RANKING_ID_BYTES};
    search->way = SEARCH_KEPT;
    if (lists_max(search) == 0) {
        search_database(request);
        return;
    }
    if (!find_corpus(search)) {
        ask_postings(request);
        return;
    }
    const enum finding finding = find_terms(search, &unknown) ? rank_kept(search, unknown == 0) : FOUND_NO_MEMORY;
    if (finding == FOUND_ALL)
        ask_passages(request);
    else if (finding == FOUND_SOME)
        ask_postings(request);
    else if (finding == FOUND_TOO_MANY)
        search_database(request);
    else
        search_refuse_for_memory(request);
}
