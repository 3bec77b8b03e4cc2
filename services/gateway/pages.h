/* Pages that are built into the program: pages/ as bytes. Any thread. */
#ifndef QUIRE_GATEWAY_PAGES_H
#define QUIRE_GATEWAY_PAGES_H

#include "base/slice.h"

/* HTML: reads /openapi.json and lets one try the calls. */
struct quire_slice pages_docs(void);

#endif
