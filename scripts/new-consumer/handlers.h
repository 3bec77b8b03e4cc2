/* What the @name@ service does, a file a call. Worker thread only (runtime/request.h). */
#ifndef @NAME@_HANDLERS_H
#define @NAME@_HANDLERS_H

#include "runtime/background.h"
#include "runtime/request.h"

#include <@name@.pb-c.h>

void @name@_add(@parameters@);
/* Removes idempotency records whose time is over. */
unsigned @name@_sweep_once(struct quire_background *background, void *context);

extern const struct quire_statement @name@_add_statement, @name@_sweep_statement;

#endif
