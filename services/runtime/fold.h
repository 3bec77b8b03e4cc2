/* Folding: reads of one batch that ask the same are run once. Worker thread only. */
#ifndef QUIRE_RUNTIME_FOLD_H
#define QUIRE_RUNTIME_FOLD_H

#include "runtime/request_internal.h"

/* Makes followers of the admitted (RECEIVED) requests that ask the same as an earlier one: the same call without
 * effect, by the same session, with the same input, against the same known watermark. By session, not by account: an
 * answer may tell which session is the caller's. The leader gets the latest deadline of its group. Returns the number
 * of followers. */
size_t quire_fold(struct quire_request *requests, size_t count);

#endif
