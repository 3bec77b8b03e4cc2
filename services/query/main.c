#include "query/search.h"
#include "runtime/service.h"

int main(int argc, char **argv) {
    static Quire__Query_Service handlers = QUIRE__QUERY__INIT(query_);
    static struct search_context context;
    const struct quire_setting_table settings = search_setting_table(&context.settings);
    struct quire_service_options options = {
        .name = "query",
        .handlers = &handlers.base,
        .settings = &settings,
        .context = &context,
        .start = search_start,
        .stop = search_stop,
    };
    options.statements = search_statements(&options.statements_count);
    return quire_service_main(argc, argv, &options);
}
