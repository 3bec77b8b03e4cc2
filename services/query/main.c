#include "query/search.h"
#include "runtime/service.h"

int main(int argc, char **argv) {
    static Quire__Query_Service handlers = QUIRE__QUERY__INIT(query_);
    static struct search_settings search_settings;
    static const struct quire_statement *const statements[] = {&search_statement, &search_lexemes_statement};
    const struct quire_setting_table settings = search_setting_table(&search_settings);
    return quire_service_main(argc, argv,
                              &(struct quire_service_options){
                                  .name = "query",
                                  .handlers = &handlers.base,
                                  .statements = statements,
                                  .statements_count = sizeof(statements) / sizeof(statements[0]),
                                  .settings = &settings,
                                  .context = &search_settings,
                              });
}
