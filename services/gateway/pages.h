/* Pages that are built into the program: pages/ as bytes. Constant; any thread. */
#ifndef QUIRE_GATEWAY_PAGES_H
#define QUIRE_GATEWAY_PAGES_H

#include "gateway/route.h"

/* What the pages may do in a browser: load what stands beside them and call this origin, nothing else. */
#define PAGES_SECURITY_POLICY                                                                                          \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "    \
    "form-action 'none'; frame-ancestors 'none'"

struct page {
    const char *type, *subtype; /* of its media type: "text", "html" */
    const char *content_type;
    struct quire_slice content;
};

/* False when the route is none of a page. */
QUIRE_MUSTCHECK bool page_find(enum route_kind kind, struct page *ret_page);

#endif
