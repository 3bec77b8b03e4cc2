#include "handlers.h"
#include "runtime/service.h"

#include <quire/events.pb-c.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

int main(int argc, char **argv) {
    static Stats__Stats_Service handlers = STATS__STATS__INIT(stats_);
    static const struct quire_statement *const statements[] = {&stats_get_statement, &stats_text_statement,
                                                               &stats_keep_statement, &stats_forget_statement};
    static const struct quire_subscription_options subscriptions[] = {
        {.topic = "quire.documents.events",
         .message = &quire__document_event__descriptor,
         .on_event = stats_on_document_event},
    };
    return quire_service_main(argc, argv,
                              &(struct quire_service_options){
                                  .name = "stats",
                                  .handlers = &handlers.base,
                                  .schema = "stats",
                                  .statements = statements,
                                  .statements_count = COUNT_OF(statements),
                                  .subscriptions = subscriptions,
                                  .subscriptions_count = COUNT_OF(subscriptions),
                              });
}
