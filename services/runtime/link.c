#include "runtime/link.h"

#include "base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define SETTLE_NS UINT64_C(50000000)
#define LAST_WAIT_NS UINT64_C(2500000000) /* more than libpq's shortest time-out */
#define STACK_BYTES (1u << 20)            /* getaddrinfo and TLS are the deepest callers */
#define MS_NS UINT64_C(1000000)

/* What the worker and the thread of an attempt share; freed by whoever leaves last. */
struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t done_changed;
    void *(*open)(void *context, char *ret_error);
    void (*close)(void *object);
    void (*destroy_context)(void *context);
    void *context; /* of the thread while one runs */
    /* Under mutex. */
    unsigned references;
    bool done;      /* object or error is set */
    bool abandoned; /* nobody will take the object */
    void *object;
    char error[QUIRE_LINK_ERROR_CHARACTERS];
};

struct quire_link {
    struct quire_link_options options;
    struct shared *shared;
    void *object;    /* not NULL: no attempt is running */
    bool attempting; /* thread runs, or has ended and isn't joined */
    pthread_t thread;
    bool tried;           /* an attempt has ended */
    bool hopeless;        /* the last one failed: nobody waits for the next */
    bool away;            /* an outage was logged, its end wasn't */
    uint64_t attempt_ns;  /* when the last attempt began */
    uint64_t retry_at_ns; /* no attempt before */
};

static void shared_unref(struct shared *shared) {
    pthread_mutex_lock(&shared->mutex);
    bool last = --shared->references == 0;
    pthread_mutex_unlock(&shared->mutex);
    if (!last)
        return;
    if (shared->destroy_context != NULL)
        shared->destroy_context(shared->context);
    pthread_cond_destroy(&shared->done_changed);
    pthread_mutex_destroy(&shared->mutex);
    free(shared);
}

static void *attempt_main(void *argument) {
    struct shared *shared = argument;
    char error[QUIRE_LINK_ERROR_CHARACTERS] = "";
    void *object = shared->open(shared->context, error);
    pthread_mutex_lock(&shared->mutex);
    if (shared->abandoned && object != NULL) {
        shared->close(object);
        object = NULL;
    }
    shared->object = object;
    memcpy(shared->error, error, sizeof error);
    shared->done = true;
    pthread_cond_signal(&shared->done_changed);
    pthread_mutex_unlock(&shared->mutex);
    shared_unref(shared);
    return NULL;
}

static bool start_thread(struct shared *shared, pthread_t *ret_thread) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES); /* else the default, larger one */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the process's own threads */
    bool started = pthread_create(ret_thread, &attributes, attempt_main, shared) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

struct quire_link *quire_link_create(const struct quire_link_options *options) {
    struct quire_link *link = calloc(1, sizeof *link);
    struct shared *shared = calloc(1, sizeof *shared);
    if (link == NULL || shared == NULL) {
        free(link);
        free(shared);
        if (options->destroy_context != NULL)
            options->destroy_context(options->context);
        return NULL;
    }
    pthread_mutex_init(&shared->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&shared->done_changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    shared->open = options->open;
    shared->close = options->close;
    shared->context = options->context;
    shared->destroy_context = options->destroy_context;
    shared->references = 1;
    link->options = *options;
    link->shared = shared;
    return link;
}

/* Waits until the attempt has ended or until_ns; false when it hasn't ended. */
static bool attempt_wait(struct shared *shared, uint64_t until_ns) {
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000u), .tv_nsec = (long)(until_ns % 1000000000u)};
    while (!shared->done && quire_monotonic_ns() < until_ns)
        (void)pthread_cond_timedwait(&shared->done_changed, &shared->mutex, &until); /* the loop looks itself */
    return shared->done;
}

/* The process may be about to end, and OpenSSL's clean-up must not meet a handshake; but a name server that doesn't
 * answer must not hold up the stop. */
static void leave_thread(struct quire_link *link) {
    pthread_mutex_lock(&link->shared->mutex);
    bool done = attempt_wait(link->shared, quire_monotonic_ns() + LAST_WAIT_NS);
    pthread_mutex_unlock(&link->shared->mutex);
    if (done)
        pthread_join(link->thread, NULL);
    else
        pthread_detach(link->thread);
}

void quire_link_destroy(struct quire_link *link) {
    if (link == NULL)
        return;
    if (link->object != NULL) {
        quire_series_add(link->options.connected, -1);
        link->options.close(link->object);
    }
    struct shared *shared = link->shared;
    pthread_mutex_lock(&shared->mutex);
    shared->abandoned = true;
    void *untaken = shared->object;
    shared->object = NULL;
    pthread_mutex_unlock(&shared->mutex);
    if (untaken != NULL)
        link->options.close(untaken);
    if (link->attempting)
        leave_thread(link);
    shared_unref(shared);
    free(link);
}

static void note_away(struct quire_link *link, const char *error) {
    if (link->away)
        return;
    link->away = true;
    QUIRE_LOG(link->options.log, QUIRE_WARN, link->options.away_event, QUIRE_CTEXT("server", link->options.server),
              QUIRE_CTEXT("error", error));
}

static void note_back(struct quire_link *link) {
    quire_series_add(link->options.connected, 1);
    if (link->away || !link->tried)
        QUIRE_LOG(link->options.log, QUIRE_INFO, link->options.back_event, QUIRE_CTEXT("server", link->options.server));
    link->away = false;
}

static void attempt_begin(struct quire_link *link, uint64_t now_ns) {
    struct shared *shared = link->shared;
    pthread_mutex_lock(&shared->mutex);
    shared->references++;
    shared->done = false;
    pthread_mutex_unlock(&shared->mutex);
    link->attempt_ns = now_ns;
    link->attempting = start_thread(shared, &link->thread);
    if (link->tried)
        quire_series_add(link->options.reconnects, 1);
    if (!link->attempting) {
        shared_unref(shared);
        link->tried = true;
        link->retry_at_ns = now_ns + link->options.retry_ms * MS_NS;
        note_away(link, "no thread to connect with");
    }
}

static uint64_t patience(const struct quire_link *link) {
    if (!link->tried)
        return link->options.first_wait_ms * MS_NS;
    return link->hopeless ? 0 : SETTLE_NS;
}

void *quire_link_get(struct quire_link *link, uint64_t until_ns) {
    if (link->object != NULL)
        return link->object;
    uint64_t now_ns = quire_monotonic_ns();
    if (!link->attempting) {
        if (now_ns < link->retry_at_ns)
            return NULL;
        attempt_begin(link, now_ns);
        if (!link->attempting)
            return NULL;
    }
    uint64_t patience_ns = link->attempt_ns + patience(link);
    struct shared *shared = link->shared;
    pthread_mutex_lock(&shared->mutex);
    bool done = attempt_wait(shared, until_ns < patience_ns ? until_ns : patience_ns);
    if (done) {
        link->object = shared->object;
        shared->object = NULL;
    }
    pthread_mutex_unlock(&shared->mutex);
    if (!done)
        return NULL;
    pthread_join(link->thread, NULL); /* it has nothing left to do */
    link->attempting = false;
    if (link->object != NULL) {
        note_back(link);
    } else {
        link->retry_at_ns = quire_monotonic_ns() + link->options.retry_ms * MS_NS;
        note_away(link, shared->error);
    }
    link->tried = true;
    link->hopeless = link->object == NULL;
    return link->object;
}

bool quire_link_settled(const struct quire_link *link) {
    return link->object != NULL || link->tried;
}

void quire_link_drop(struct quire_link *link, const char *error) {
    if (link->object == NULL)
        return;
    quire_series_add(link->options.connected, -1);
    link->options.close(link->object);
    link->object = NULL;
    /* A connection that had lasted is asked for again at once; one that breaks as soon as it stands is not. */
    link->retry_at_ns = link->attempt_ns + link->options.retry_ms * MS_NS;
    note_away(link, error);
}
