/* A topic of events that a service follows: messages that ask for no answer, such as quire.documents.events. The
 * service says the topic, the protobuf message that it carries, and what one event does to its own tables; each process
 * is a member of the consumer group `quire.<service>.<topic>`, on a thread of its own.
 *
 * At least once, and for one key in order: an offset is stored only after the effect is durable, so the same event may
 * come again, after a crash or when events are published anew. Handlers compare versions and lose nothing by it. What
 * fails because a server is away is tried until it is back, and the partition waits; what fails three times otherwise,
 * can't be read, or was being handled in two crashes goes to `<topic>-dlt`, and the next one is handled. */
#ifndef QUIRE_RUNTIME_SUBSCRIPTION_H
#define QUIRE_RUNTIME_SUBSCRIPTION_H

#include "runtime/background.h"

/* Takes one event into the service's tables (quire_background_sql). The subscription's thread; `event` and the
 * background's arena live until it returns. True: it is done, or there is nothing to do. False: it has failed, and is
 * handled again. */
typedef bool quire_on_event(struct quire_background *background, const ProtobufCMessage *event, void *context);

struct quire_subscription_options {
    const char *topic;
    const ProtobufCMessageDescriptor *message;
    quire_on_event *on_event;
};

#endif
