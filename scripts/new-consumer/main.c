#include "handlers.h"
#include "runtime/service.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

int main(int argc, char **argv) {
    static @Name@__@Name@_Service handlers = @NAME@__@NAME@__INIT(@name@_);
    static const struct quire_statement *const statements[] = {
        &@name@_add_statement,
        &@name@_sweep_statement,
    };
    static const struct quire_background_options background[] = {
        {.name = "once-sweep", .run = @name@_sweep_once},
    };
    return quire_service_main(argc, argv,
                              &(struct quire_service_options){
                                  .name = "@name@",
                                  .handlers = &handlers.base,
                                  .schema = "@name@",
                                  .statements = statements,
                                  .statements_count = COUNT_OF(statements),
                                  .background = background,
                                  .background_count = COUNT_OF(background),
                              });
}
