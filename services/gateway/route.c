#include "gateway/route.h"

#include <stdlib.h>

#define ROUTE_ALLOW_CHARACTERS 64u

/* A place in the tree of paths: what can follow, and which methods end here.
 * A literal's name points into the contract; the variable is the child without one. */
struct route_node {
    struct quire_slice literal; /* empty with is_variable */
    bool is_variable;
    struct route_node *children, *next; /* literals first, the variable last */
    const struct route *routes[HTTP_METHODS];
    char allow[ROUTE_ALLOW_CHARACTERS]; /* "" when no route ends here */
};

struct router {
    struct route_node root;
    struct route *routes;
    size_t routes_count;
    char allow_all[ROUTE_ALLOW_CHARACTERS];
};

static const struct route own_routes[] = {
    {.kind = ROUTE_LIVEZ, .method = HTTP_METHOD_GET, .path = "/livez"},
    {.kind = ROUTE_READYZ, .method = HTTP_METHOD_GET, .path = "/readyz"},
    {.kind = ROUTE_HEALTH, .method = HTTP_METHOD_GET, .path = "/health"},
    {.kind = ROUTE_OPENAPI, .method = HTTP_METHOD_GET, .path = "/openapi.json"},
    {.kind = ROUTE_DOCS, .method = HTTP_METHOD_GET, .path = "/docs"},
    {.kind = ROUTE_DOCS_STYLE, .method = HTTP_METHOD_GET, .path = "/docs.css"},
    {.kind = ROUTE_DOCS_SCRIPT, .method = HTTP_METHOD_GET, .path = "/docs.js"},
};
#define OWN_ROUTES (sizeof own_routes / sizeof own_routes[0])

static struct route_node *find_child(const struct route_node *node, struct quire_slice literal, bool is_variable) {
    for (struct route_node *child = node->children; child != NULL; child = child->next)
        if (child->is_variable == is_variable && quire_slice_equal(child->literal, literal))
            return child;
    return NULL;
}

/* NULL: no memory. */
static struct route_node *get_child(struct route_node *node, struct quire_slice literal, bool is_variable) {
    struct route_node *child = find_child(node, literal, is_variable);
    if (child != NULL)
        return child;
    child = calloc(1, sizeof *child);
    if (child == NULL)
        return NULL;
    child->literal = literal;
    child->is_variable = is_variable;
    struct route_node **link = &node->children;
    while (is_variable && *link != NULL)
        link = &(*link)->next;
    child->next = *link;
    *link = child;
    return child;
}

static void write_allow(const struct route *const *routes, char *allow) {
    size_t size = 0;
    for (unsigned method = 0; method < HTTP_METHODS; method++) {
        bool allowed = routes[method] != NULL || method == HTTP_METHOD_OPTIONS ||
                       (method == HTTP_METHOD_HEAD && routes[HTTP_METHOD_GET] != NULL);
        if (allowed)
            size += (size_t)snprintf(allow + size, ROUTE_ALLOW_CHARACTERS - size, "%s%s", size == 0 ? "" : ", ",
                                     http_method_text((enum http_method)method));
    }
}

static bool end_here(struct route_node *node, const struct route *route, FILE *errors) {
    if (node->routes[route->method] != NULL) {
        fprintf(errors, "Two calls are bound to %s %s; give one another path in proto/.\n",
                http_method_text(route->method), route->path);
        return false;
    }
    node->routes[route->method] = route;
    write_allow(node->routes, node->allow);
    return true;
}

static bool add_call(struct router *router, const struct route *route, FILE *errors) {
    struct route_node *node = &router->root;
    for (size_t i = 0; i < route->call->segments_count && node != NULL; i++) {
        const struct quire_path_segment *segment = &route->call->segments[i];
        node = get_child(node, quire_slice_of(segment->literal), segment->literal == NULL);
    }
    return node != NULL && end_here(node, route, errors);
}

static bool add_own(struct router *router, const struct route *route, FILE *errors) {
    struct route_node *node = get_child(&router->root, quire_slice_of(route->path + 1), false);
    return node != NULL && end_here(node, route, errors);
}

static bool add_service(struct router *router, const struct quire_contract_service *service, FILE *errors) {
    for (size_t i = 0; i < service->calls_count; i++) {
        const struct quire_call *call = &service->calls[i];
        struct route *route = &router->routes[router->routes_count];
        *route = (struct route){
            .kind = ROUTE_CALL,
            .index = (uint32_t)router->routes_count,
            .method = http_method_of(quire_slice_of(call->http_method)),
            .path = call->path,
            .service = service,
            .call = call,
        };
        router->routes_count++;
        if (route->method == HTTP_METHOD_UNKNOWN) {
            fprintf(errors, "%s is bound to %s, which HTTP doesn't have.\n", call->method, call->http_method);
            return false;
        }
        if (!add_call(router, route, errors))
            return false;
    }
    return true;
}

static void collect_methods(const struct router *router, char *allow) {
    const struct route *taken[HTTP_METHODS] = {NULL};
    for (size_t i = 0; i < router->routes_count; i++)
        taken[router->routes[i].method] = &router->routes[i];
    write_allow(taken, allow);
}

struct router *router_create(const struct quire_contract *contract, FILE *errors) {
    struct router *router = calloc(1, sizeof *router);
    size_t routes_max = OWN_ROUTES;
    if (router == NULL)
        return NULL;
    for (size_t i = 0; i < contract->services_count; i++)
        routes_max += contract->services[i].calls_count;
    router->routes = calloc(routes_max, sizeof *router->routes);
    if (router->routes == NULL)
        goto fail;
    for (size_t i = 0; i < OWN_ROUTES; i++) {
        struct route *route = &router->routes[router->routes_count];
        *route = own_routes[i];
        route->index = (uint32_t)router->routes_count++;
        if (!add_own(router, route, errors))
            goto fail;
    }
    for (size_t i = 0; i < contract->services_count; i++)
        if (!add_service(router, &contract->services[i], errors))
            goto fail;
    collect_methods(router, router->allow_all);
    return router;
fail:
    router_destroy(router);
    return NULL;
}

static void free_children(struct route_node *node) {
    while (node->children != NULL) {
        struct route_node *child = node->children;
        node->children = child->next;
        free_children(child);
        free(child);
    }
}

void router_destroy(struct router *router) {
    if (router == NULL)
        return;
    free_children(&router->root);
    free(router->routes);
    free(router);
}

/* Depth is bounded by the segments of a target. A literal that leads nowhere gives way to the variable. */
static const struct route_node *descend(const struct route_node *node, const struct quire_slice *segments,
                                        size_t count) {
    if (count == 0)
        return node->allow[0] == '\0' ? NULL : node;
    for (const struct route_node *child = node->children; child != NULL; child = child->next) {
        bool fits = child->is_variable ? segments[0].size > 0 : quire_slice_equal(child->literal, segments[0]);
        const struct route_node *end = fits ? descend(child, segments + 1, count - 1) : NULL;
        if (end != NULL)
            return end;
    }
    return NULL;
}

struct route_match router_find(const struct router *router, enum http_method method, const struct quire_slice *segments,
                               size_t segments_count) {
    const struct route_node *node = descend(&router->root, segments, segments_count);
    if (node == NULL)
        return (struct route_match){NULL, ""};
    return (struct route_match){node->routes[method == HTTP_METHOD_HEAD ? HTTP_METHOD_GET : method], node->allow};
}

size_t router_routes_count(const struct router *router) {
    return router->routes_count;
}

const struct route *router_route(const struct router *router, uint32_t index) {
    return &router->routes[index];
}

const char *router_allow_all(const struct router *router) {
    return router->allow_all;
}
