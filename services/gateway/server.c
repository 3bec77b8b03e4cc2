#include "gateway/server.h"

#include "gateway/listener.h"
#include "gateway/shard_run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct server_thread {
    struct server *server;
    struct shard shard;
    pthread_t thread;
    bool started;
};

/* `threads` is as long as gateway->rings_count. */
struct server {
    struct gateway *gateway;
    struct server_thread *threads;
    uint16_t port;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t serving, failed; /* by lock: threads that got as far as serving, and that didn't */
    atomic_uint running;      /* threads that haven't ended */
};

static void report(struct server *server, bool serving) {
    pthread_mutex_lock(&server->lock);
    if (serving)
        server->serving++;
    else
        server->failed++;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static void *run(void *argument) {
    struct server_thread *thread = argument;
    bool usable = shard_init(&thread->shard);
    report(thread->server, usable);
    if (usable) {
        shard_begin(&thread->shard);
        while (shard_turn(&thread->shard))
            ;
    }
    shard_deinit(&thread->shard);
    atomic_fetch_sub(&thread->server->running, 1);
    return NULL;
}

/* The first listener may let the system choose the port; the others follow it. */
static bool open_listeners(struct server *server) {
    struct gateway *gateway = server->gateway;
    server->port = (uint16_t)gateway->config->http_port;
    for (uint32_t i = 0; i < gateway->rings_count; i++) {
        int fd = listener_open(gateway->config->http_address, server->port);
        if (fd < 0) {
            QUIRE_LOG(gateway->log, QUIRE_ERROR, "listener.failed",
                      QUIRE_CTEXT("address", gateway->config->http_address), QUIRE_INTEGER("port", server->port),
                      QUIRE_CTEXT("reason", strerror(-fd)));
            return false;
        }
        server->threads[i].shard.listener_fd = fd;
        if (server->port == 0)
            server->port = listener_port(fd);
    }
    return true;
}

static bool start_threads(struct server *server) {
    uint32_t count = server->gateway->rings_count, started = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* signals are the main thread's */
    for (; started < count; started++) {
        struct server_thread *thread = &server->threads[started];
        atomic_fetch_add(&server->running, 1);
        thread->started = pthread_create(&thread->thread, NULL, run, thread) == 0;
        if (!thread->started) {
            atomic_fetch_sub(&server->running, 1);
            break;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_lock(&server->lock);
    while (server->serving + server->failed < started)
        pthread_cond_wait(&server->changed, &server->lock);
    bool usable = server->serving == count;
    pthread_mutex_unlock(&server->lock);
    return usable;
}

struct server *server_start(struct gateway *gateway) {
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->gateway = gateway;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    server->threads = calloc(gateway->rings_count, sizeof *server->threads);
    if (server->threads == NULL)
        goto fail;
    for (uint32_t i = 0; i < gateway->rings_count; i++) {
        server->threads[i].server = server;
        server->threads[i].shard = (struct shard){.gateway = gateway, .index = i, .listener_fd = -1};
    }
    if (!open_listeners(server) || !start_threads(server))
        goto fail;
    return server;
fail:
    atomic_store(&gateway->phase, GATEWAY_ENDING);
    server_join(server);
    return NULL;
}

uint16_t server_port(const struct server *server) {
    return server->port;
}

bool server_running(const struct server *server) {
    return atomic_load(&server->running) > 0;
}

void server_join(struct server *server) {
    if (server == NULL)
        return;
    for (uint32_t i = 0; server->threads != NULL && i < server->gateway->rings_count; i++) {
        struct server_thread *thread = &server->threads[i];
        if (thread->started)
            pthread_join(thread->thread, NULL);
        if (thread->shard.listener_fd >= 0)
            (void)close(thread->shard.listener_fd); /* never served */
    }
    free(server->threads);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
