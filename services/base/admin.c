#define _GNU_SOURCE /* strerrordesc_np */

#include "base/admin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>

#define CONNECTIONS_MAX 16u
#define IDLE_S 10u

struct quire_admin {
    struct quire_admin_options options;
    struct MHD_Daemon *daemon;
    uint16_t port;
};

/* Queues a response and lets go of it. */
static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *type,
                               struct MHD_Response *response) {
    if (response == NULL)
        return MHD_NO; /* no memory: the connection is closed */
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  type); /* fails without memory only; the body speaks for itself */
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result respond_text(struct MHD_Connection *connection, unsigned status, const char *text) {
    return respond(connection, status, "text/plain; charset=utf-8",
                   MHD_create_response_from_buffer_static(strlen(text), text));
}

static enum MHD_Result respond_metrics(struct quire_admin *admin, struct MHD_Connection *connection,
                                       void (*print)(struct quire_metrics *metrics, FILE *out)) {
    char *text = NULL;
    size_t size = 0;
    if (admin->options.refresh != NULL)
        admin->options.refresh(admin->options.context);
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return MHD_NO;
    print(admin->options.metrics, out);
    bool whole = ferror(out) == 0;
    if (fclose(out) != 0 || !whole) {
        free(text);
        return MHD_NO;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(size, text, free);
    if (response == NULL)
        free(text);
    return respond(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", response);
}

static enum MHD_Result handle_request(void *context, struct MHD_Connection *connection, const char *url,
                                      const char *method, const char *version, const char *upload, size_t *upload_bytes,
                                      void **request_context) {
    struct quire_admin *admin = context;
    (void)version;
    (void)upload;
    (void)upload_bytes;
    (void)request_context;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return respond_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed\n");
    if (strcmp(url, "/metrics") == 0)
        return respond_metrics(admin, connection, quire_metrics_print);
    if (strcmp(url, "/metrics/about") == 0)
        return respond_metrics(admin, connection, quire_metrics_describe);
    if (strcmp(url, "/livez") == 0)
        return respond_text(connection, MHD_HTTP_OK, "alive\n");
    if (strcmp(url, "/readyz") == 0) {
        bool ready = admin->options.ready == NULL || admin->options.ready(admin->options.context);
        return ready ? respond_text(connection, MHD_HTTP_OK, "ready\n")
                     : respond_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready\n");
    }
    return respond_text(connection, MHD_HTTP_NOT_FOUND, "not found\n");
}

/* False: no address. */
static bool socket_address(const char *text, uint16_t port, struct sockaddr_storage *ret_address) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    *ret_address = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        memcpy(ret_address, &v4, sizeof(v4));
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        memcpy(ret_address, &v6, sizeof(v6));
    else
        return false;
    return true;
}

static struct MHD_Daemon *start_daemon(struct quire_admin *admin, const struct sockaddr_storage *address) {
    unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD;
    if (address->ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(flags, admin->options.port, NULL, NULL, handle_request, admin, MHD_OPTION_SOCK_ADDR,
                            (const struct sockaddr *)address, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_END);
}

struct quire_admin *quire_admin_start(const struct quire_admin_options *options) {
    struct sockaddr_storage address;
    const char *reason = "no memory";
    struct quire_admin *admin = calloc(1, sizeof(*admin));
    if (admin == NULL)
        goto fail;
    admin->options = *options;
    reason = "QUIRE_ADMIN_ADDRESS is no IPv4 or IPv6 address";
    if (!socket_address(options->address, options->port, &address))
        goto fail;
    errno = 0;
    admin->daemon = start_daemon(admin, &address);
    reason = errno == 0 ? "libmicrohttpd can't start" : strerrordesc_np(errno);
    if (admin->daemon == NULL)
        goto fail;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_BIND_PORT);
    admin->port = info == NULL ? options->port : info->port;
    return admin;

fail:
    QUIRE_LOG(options->log, QUIRE_ERROR, "admin.start_failed", QUIRE_CTEXT("address", options->address),
              QUIRE_INTEGER("port", options->port), QUIRE_CTEXT("reason", reason));
    quire_admin_stop(admin);
    return NULL;
}

uint16_t quire_admin_port(const struct quire_admin *admin) {
    return admin->port;
}

void quire_admin_stop(struct quire_admin *admin) {
    if (admin == NULL)
        return;
    if (admin->daemon != NULL)
        MHD_stop_daemon(admin->daemon);
    free(admin);
}
