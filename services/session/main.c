#include "session/handlers.h"

int main(int argc, char **argv) {
    static Quire__Session_Service handlers = QUIRE__SESSION__INIT(session_);
    static struct session_context context;
    static const struct quire_background_options background[] = {{.name = "loader", .run = loader_run},
                                                                 {.name = "upkeep", .run = upkeep_run}};
    const struct quire_setting_table settings = session_settings_table(&context.settings);
    struct quire_service_options options = {
        .name = "session",
        .handlers = &handlers.base,
        .schema = "session",
        .settings = &settings,
        .context = &context,
        .start = session_start,
        .stop = session_stop,
        .background = background,
        .background_count = sizeof background / sizeof background[0],
    };
    options.statements = session_statements(&options.statements_count);
    return quire_service_main(argc, argv, &options);
}
