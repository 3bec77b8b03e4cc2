/* A document on its way into the database: judged, cut into chunks, its words gathered, and then bound to a write's
 * parameters.
 *
 * Worker thread only; slices point into the request's input, which outlives the draft; all else is the request's
 * arena's. */
#ifndef QUIRE_DOCUMENTS_DRAFT_H
#define QUIRE_DOCUMENTS_DRAFT_H

#include "documents/postings.h"
#include "runtime/request.h"

#include <quire/documents.pb-c.h>

/* What Create, an item of CreateBatch and Put have in common. */
struct draft_source {
    char *title, *content, *metadata, *language; /* NULL: absent */
    char **tags;
    size_t tags_count;
};

struct draft {
    uint8_t id[16];
    struct quire_slice title, content, metadata, language; /* language: given or detected; empty: unknown */
    struct quire_slice tags;                               /* text[] as PostgreSQL reads it */
    struct chunk *chunks;
    size_t chunks_count;
    struct postings *postings;
    struct postings_row *rows; /* after drafts_take_lexemes */
    size_t rows_count;
};

/* What is wrong with it, as far as the gateway can't know or a stranger on the topic could have got round it. */
struct draft_fault {
    const char *field, *message; /* NULL: nothing */
};

/* NULL fields in ret_fault: good. */
void draft_judge(const struct draft_source *source, struct draft_fault *ret_fault);
/* Source must be judged good. `id` 16 bytes. False without memory. */
QUIRE_MUSTCHECK bool draft_prepare(struct quire_arena *arena, const struct draft_source *source, const uint8_t *id,
                                   struct draft *ret_draft);

/* Asks for the lexemes of all drafts' words; on_result gives what comes to drafts_take_lexemes. Any replica may answer.
 */
void drafts_ask_lexemes(struct quire_request *request, const struct draft *drafts, size_t count,
                        quire_on_result *on_result);
/* Fills the drafts' rows. False without memory. */
QUIRE_MUSTCHECK bool drafts_take_lexemes(struct quire_request *request, const PGresult *result, struct draft *drafts,
                                         size_t count);
/* Binds the last seven parameters of documents.store and documents.replace: chunks, then postings. */
void drafts_bind_passages(struct quire_parameters *parameters, const struct draft *drafts, size_t count);

extern const struct quire_statement draft_lexemes_statement;

#endif
