#include "documents/draft.h"
#include "documents/handlers.h"
#include "runtime/service.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

int main(int argc, char **argv) {
    static Quire__Documents_Service handlers = QUIRE__DOCUMENTS__INIT(documents_);
    static const struct quire_statement *const statements[] = {
        &draft_lexemes_statement,         &documents_store_statement,       &documents_replace_statement,
        &documents_remove_statement,      &documents_get_statement,         &documents_page_statement,
        &documents_outbox_take_statement, &documents_outbox_drop_statement, &documents_sweep_statement,
    };
    static const struct quire_background_options background[] = {
        {.name = "outbox", .run = documents_relay_events},
        {.name = "once-sweep", .run = documents_sweep_once},
    };
    return quire_service_main(argc, argv,
                              &(struct quire_service_options){
                                  .name = "documents",
                                  .handlers = &handlers.base,
                                  .schema = "documents",
                                  .statements = statements,
                                  .statements_count = COUNT_OF(statements),
                                  .background = background,
                                  .background_count = COUNT_OF(background),
                              });
}
