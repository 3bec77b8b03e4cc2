/* From method and path to a call of the contract or to an operation of the gateway's own. Built at start, constant
 * afterwards; any thread. */
#ifndef QUIRE_GATEWAY_ROUTE_H
#define QUIRE_GATEWAY_ROUTE_H

#include "base/contract.h"
#include "gateway/http.h"

#include <stdio.h>

struct router;

/* What the gateway answers by itself. ROUTE_CALL goes to a service. */
enum route_kind {
    ROUTE_CALL,
    ROUTE_LIVEZ,
    ROUTE_READYZ,
    ROUTE_HEALTH,
    ROUTE_OPENAPI,
    ROUTE_DOCS,
    ROUTE_DOCS_STYLE,
    ROUTE_DOCS_SCRIPT,
};

struct route {
    enum route_kind kind;
    uint32_t index; /* 0..router_routes_count - 1: for tables of the caller's */
    enum http_method method;
    const char *path;                             /* the template: "/documents/{id}" */
    const struct quire_contract_service *service; /* NULL unless ROUTE_CALL */
    const struct quire_call *call;
};

struct route_match {
    const struct route *route; /* NULL: 404 or, when `allow` isn't empty, 405 */
    const char *allow;         /* of the path: "GET, HEAD, OPTIONS"; "" when there is no such path */
};

/* NULL after writing why to `errors`: no memory, two calls with one method and path, a method that HTTP doesn't know.
 * The contract outlives the router. */
QUIRE_MUSTCHECK struct router *router_create(const struct quire_contract *contract, FILE *errors);
void router_destroy(struct router *router);

/* `segments` are decoded. A literal goes before a variable. HEAD finds what GET finds. */
struct route_match router_find(const struct router *router, enum http_method method, const struct quire_slice *segments,
                               size_t segments_count);
size_t router_routes_count(const struct router *router);
const struct route *router_route(const struct router *router, uint32_t index);
/* Every method that some path takes: the answer to OPTIONS *. */
const char *router_allow_all(const struct router *router);

#endif
