/* Why a message becomes a dead letter: one table that gives the reason's name in headers and metrics, the caller's
 * status and sentence. Any thread. */
#ifndef QUIRE_RUNTIME_REASON_H
#define QUIRE_RUNTIME_REASON_H

#include "base/slice.h"

/* identifier, name, status, detail */
#define QUIRE_REASONS(X)                                                                                               \
    X(QUIRE_REASON_NONE, "none", 0, "")                                                                                \
    X(QUIRE_REASON_HEADERS, "bad-headers", 400, "The message's headers can't be read.")                                \
    X(QUIRE_REASON_METHOD, "unknown-method", 404, "No such method is served here.")                                    \
    X(QUIRE_REASON_PAYLOAD, "bad-payload", 400, "The message's value can't be read.")                                  \
    X(QUIRE_REASON_FAILED, "failed", 500, NULL)                                                                        \
    X(QUIRE_REASON_UNANSWERED, "unanswered", 500, NULL)                                                                \
    X(QUIRE_REASON_CRASHED, "crashed", 500, NULL)

#define QUIRE_REASON_ENUM(identifier, name, status, detail) identifier,
enum quire_reason { QUIRE_REASONS(QUIRE_REASON_ENUM) QUIRE_REASONS_COUNT };
#undef QUIRE_REASON_ENUM

const char *quire_reason_name(enum quire_reason reason);
unsigned quire_reason_status(enum quire_reason reason);
const char *quire_reason_detail(enum quire_reason reason); /* NULL: the status says it all */

#endif
