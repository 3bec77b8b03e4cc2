/* The documents service's calls, from a message's bytes to SQL parameters and back to an answer: see consumer.h. */
#include "consumer.h"

#include "documents/draft.h"
#include "documents/handlers.h"

static const struct consumer_statement statements[] = {
    {&draft_lexemes_statement, "TT", "W", .rows_min = 1, .rows_max = 1},
    {&documents_store_statement, "utbitUTTTTTIIITTITT", "ut?iz", .owned = true, .rows_of = 6},
    {&documents_replace_statement, "utbituL?tttttiIITTITTLo", "lt?izz", .owned = true, .rows_min = 1, .rows_max = 1},
    {&documents_remove_statement, "utbituL?Lo", "", .owned = true},
    {&documents_get_statement, "uuLo", "tt?Tjt?lizz", .owned = true, .rows_max = 1},
    {&documents_page_statement, "uiz?u?t?T?", "utTjt?lizz", .owned = true, .rows_max = 15},
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    static Quire__Documents_Service handlers = QUIRE__DOCUMENTS__INIT(documents_);
    static const struct consumer documents = {.service = "documents",
                                              .handlers = &handlers.base,
                                              .statements = statements,
                                              .statements_count = sizeof(statements) / sizeof(statements[0])};
    consumer_begin(&documents);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return consumer_run(data, size);
}
