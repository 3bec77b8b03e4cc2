/* A question on its way to its answer, as the files of this service share it; one thread, in the request's arena. */
#ifndef QUIRE_QUERY_SEARCH_INTERNAL_H
#define QUIRE_QUERY_SEARCH_INTERNAL_H

#include "query/search.h"

#include "query/highlight.h"

struct lists;

struct search {
    const Quire__SearchRequest *input;
    const struct search_context *context;
    struct quire_arena *arena;
    uint64_t started_ns;
    enum search_way way;
    struct quire_slice question, language; /* language "": unknown */
    struct quire_slice words[SEARCH_WORDS_MAX];
    size_t words_count;
    bool failed;         /* no memory */
    struct lists *lists; /* lists.c's own */
    /* answer.c's own. */
    Quire__SearchResult *results;
    Quire__SearchResult **pointers;
    struct quire_slice *languages; /* of each result */
    size_t results_count;
    struct highlight_words highlight;
    struct quire_slice *lexemes; /* of highlight.words; bytes NULL: not known yet */
};

/* 5 where the request says nothing. */
size_t search_top(const struct search *search);
void search_refuse_for_memory(struct quire_request *request);
/* Has documents.search() answer, in one snapshot and with filters. */
void search_database(struct quire_request *request);

/* Answers from postings lists, those that are kept and those that are fetched; by search_database() where these can't
 * be had. No filters, and context->cache is set. */
void lists_search(struct quire_request *request);

/* Room for so many results. False without memory. */
QUIRE_MUSTCHECK bool answer_begin(struct search *search, size_t results_max);
/* The next result; texts are copied. False without memory. */
QUIRE_MUSTCHECK bool answer_add(struct search *search, struct quire_slice document, struct quire_slice title,
                                uint32_t chunk, struct quire_slice text, double score, struct quire_slice language);
/* Highlights what was found, and replies. */
void answer_show(struct quire_request *request);

#endif
