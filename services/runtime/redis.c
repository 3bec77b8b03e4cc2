#include "runtime/redis.h"

#include "base/clock.h"
#include "runtime/link.h"
#include "runtime/redis_tls.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define MS_NS UINT64_C(1000000)
#define WORDS_MAX 4096u

extern const char quire_redis_library[];
extern const char quire_redis_library_hash[];

struct session {
    redisContext *context; /* non-blocking */
    char run_id[QUIRE_RUN_ID_CHARACTERS + 1];
    uint64_t serial;
};

struct opening {
    char *host, *username, *password;
    struct quire_redis_tls *tls; /* NULL: without */
    int port;
    uint32_t connect_ms;
};

struct quire_redis {
    struct quire_link *link;
    struct session *session; /* the link's, or NULL */
    size_t owed;             /* replies */
};

static void opening_destroy(void *argument) {
    struct opening *opening = argument;
    if (opening == NULL)
        return;
    if (opening->password != NULL)
        explicit_bzero(opening->password, strlen(opening->password));
    free(opening->host);
    free(opening->username);
    free(opening->password);
    quire_redis_tls_destroy(opening->tls);
    free(opening);
}

static void session_close(void *argument) {
    struct session *session = argument;
    if (session->context != NULL)
        redisFree(session->context);
    free(session);
}

static bool append(redisContext *context, const struct quire_slice *words, size_t count) {
    const char *texts[WORDS_MAX];
    size_t sizes[WORDS_MAX];
    if (count > WORDS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        texts[i] = words[i].size == 0 ? "" : (const char *)words[i].bytes;
        sizes[i] = words[i].size;
    }
    return redisAppendCommandArgv(context, (int)count, texts, sizes) == REDIS_OK;
}

/* Reads while it writes: a server whose answers nobody takes would stop reading. NULL: lost, or late. */
static redisReply *next_reply(redisContext *context, uint64_t deadline_ns) {
    for (;;) {
        void *reply = NULL;
        if (redisGetReplyFromReader(context, &reply) != REDIS_OK)
            return NULL;
        if (reply != NULL)
            return reply;
        int written = 0;
        if (redisBufferWrite(context, &written) != REDIS_OK)
            return NULL;
        uint64_t now_ns = quire_monotonic_ns();
        if (now_ns >= deadline_ns)
            return NULL;
        struct pollfd fd = {.fd = context->fd, .events = (short)(POLLIN | (written ? 0 : POLLOUT))};
        int ready = poll(&fd, 1, (int)((deadline_ns - now_ns) / MS_NS) + 1);
        if (ready > 0 && (fd.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && redisBufferRead(context) != REDIS_OK)
            return NULL;
    }
}

static redisReply *ask(redisContext *context, const struct quire_slice *words, size_t count, uint64_t deadline_ns) {
    return append(context, words, count) ? next_reply(context, deadline_ns) : NULL;
}

static const char *reason(const redisContext *context, const redisReply *reply) {
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
        return reply->str;
    if (reply != NULL)
        return "an unexpected answer";
    return context->errstr[0] != '\0' ? context->errstr : "no answer in time";
}

static bool connect_within(redisContext *context, uint64_t deadline_ns) {
    uint64_t now_ns = quire_monotonic_ns();
    struct pollfd fd = {.fd = context->fd, .events = POLLOUT};
    if (now_ns >= deadline_ns || poll(&fd, 1, (int)((deadline_ns - now_ns) / MS_NS) + 1) != 1)
        return false;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(context->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
        (void)strerror_r(error, context->errstr,
                         sizeof context->errstr); /* a number it doesn't know is named by its number */
        return false;
    }
    (void)redisEnableKeepAlive(context); /* without it a dead peer is noticed by the next deadline only */
    return true;
}

static bool secure(redisContext *context, const struct opening *opening, uint64_t deadline_ns, char *ret_error) {
    char fault[QUIRE_TLS_ERROR_CHARACTERS];
    if (opening->tls == NULL || quire_redis_tls_start(opening->tls, context, opening->host, deadline_ns, fault))
        return true;
    snprintf(ret_error, QUIRE_LINK_ERROR_CHARACTERS, "TLS: %s", fault);
    return false;
}

static bool authenticate(redisContext *context, const struct opening *opening, uint64_t deadline_ns, char *ret_error) {
    if (opening->password == NULL)
        return true;
    struct quire_slice words[] = {QUIRE_SLICE_LITERAL("AUTH"),
                                  quire_slice_of(opening->username == NULL ? "default" : opening->username),
                                  quire_slice_of(opening->password)};
    redisReply *reply = ask(context, words, 3, deadline_ns);
    bool good = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (!good)
        snprintf(ret_error, QUIRE_LINK_ERROR_CHARACTERS, "AUTH: %s", reason(context, reply));
    freeReplyObject(reply);
    return good;
}

static bool learn_run_id(struct session *session, uint64_t deadline_ns, char *ret_error) {
    static const char field[] = "\nrun_id:";
    redisReply *reply =
        ask(session->context, (struct quire_slice[]){QUIRE_SLICE_LITERAL("INFO"), QUIRE_SLICE_LITERAL("server")}, 2,
            deadline_ns);
    bool textual = reply != NULL && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_VERB);
    const char *at = textual ? strstr(reply->str, field) : NULL;
    bool good = at != NULL && strspn(at + sizeof field - 1, "0123456789abcdef") == QUIRE_RUN_ID_CHARACTERS;
    if (good)
        memcpy(session->run_id, at + sizeof field - 1, QUIRE_RUN_ID_CHARACTERS);
    else
        snprintf(ret_error, QUIRE_LINK_ERROR_CHARACTERS, "INFO: %s", reason(session->context, reply));
    freeReplyObject(reply);
    return good;
}

/* The number behind "local VERSION = ". */
static long long library_version(void) {
    static const char declaration[] = "local VERSION = ";
    return strtoll(strstr(quire_redis_library, declaration) + sizeof declaration - 1, NULL, 10);
}

/* True when the server's library is this one or a newer. False with *ret_lost when it can't be told. */
static bool library_suits(redisContext *context, uint64_t deadline_ns, bool *ret_lost, char *ret_error) {
    redisReply *reply = ask(context,
                            (struct quire_slice[]){QUIRE_SLICE_LITERAL("FCALL_RO"),
                                                   QUIRE_SLICE_LITERAL("quire_library"), QUIRE_SLICE_LITERAL("0")},
                            3, deadline_ns);
    bool suits = false;
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
        reply->element[1]->type == REDIS_REPLY_STRING) {
        long long theirs = reply->element[0]->integer, ours = library_version();
        suits = theirs > ours || (theirs == ours && strcmp(reply->element[1]->str, quire_redis_library_hash) == 0);
    } else if (reply == NULL || reply->type != REDIS_REPLY_ERROR || strstr(reply->str, "not found") == NULL) {
        *ret_lost = true;
        snprintf(ret_error, QUIRE_LINK_ERROR_CHARACTERS, "FCALL: %s", reason(context, reply));
    }
    freeReplyObject(reply);
    return suits;
}

static bool load_library(redisContext *context, uint64_t deadline_ns, char *ret_error) {
    bool lost = false;
    if (library_suits(context, deadline_ns, &lost, ret_error))
        return true;
    if (lost)
        return false;
    struct quire_slice words[] = {QUIRE_SLICE_LITERAL("FUNCTION"), QUIRE_SLICE_LITERAL("LOAD"),
                                  QUIRE_SLICE_LITERAL("REPLACE"), quire_slice_of(quire_redis_library)};
    redisReply *reply = ask(context, words, 4, deadline_ns);
    bool good = reply != NULL && reply->type == REDIS_REPLY_STRING;
    if (!good)
        snprintf(ret_error, QUIRE_LINK_ERROR_CHARACTERS, "FUNCTION LOAD: %s", reason(context, reply));
    freeReplyObject(reply);
    return good;
}

static void *session_open(void *argument, char ret_error[QUIRE_LINK_ERROR_CHARACTERS]) {
    static atomic_uint_fast64_t serials;
    const struct opening *opening = argument;
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->serial = atomic_fetch_add(&serials, 1) + 1;
    session->context = redisConnectNonBlock(opening->host, opening->port);
    uint64_t deadline_ns = quire_monotonic_ns() + opening->connect_ms * MS_NS; /* behind the name's resolution */
    if (session->context == NULL || session->context->err != 0 || !connect_within(session->context, deadline_ns))
        snprintf(ret_error, QUIRE_LINK_ERROR_CHARACTERS, "connecting: %s",
                 session->context == NULL ? "out of memory" : reason(session->context, NULL));
    else if (secure(session->context, opening, deadline_ns, ret_error) &&
             authenticate(session->context, opening, deadline_ns, ret_error) &&
             learn_run_id(session, deadline_ns, ret_error) && load_library(session->context, deadline_ns, ret_error))
        return session;
    session_close(session);
    return NULL;
}

static void tell_setting(struct quire_log *log, const char *setting, const char *error) {
    QUIRE_LOG(log, QUIRE_ERROR, "redis.bad_setting", QUIRE_CTEXT("setting", setting), QUIRE_CTEXT("error", error));
}

/* False after logging why. */
static bool add_address(struct opening *opening, const char *address, struct quire_log *log) {
    const char *colon = strrchr(address, ':');
    char *end = NULL;
    long port = colon == NULL ? 0 : strtol(colon + 1, &end, 10);
    if (colon == NULL || colon == address || *end != '\0' || port < 1 || port > 65535) {
        tell_setting(log, "QUIRE_REDIS", "it should be host:port");
        return false;
    }
    size_t size = (size_t)(colon - address);
    bool brackets = size > 2 && address[0] == '[' && colon[-1] == ']';
    opening->host = brackets ? strndup(address + 1, size - 2) : strndup(address, size);
    opening->port = (int)port;
    return opening->host != NULL;
}

/* False after logging why. */
static bool add_tls(struct opening *opening, const struct quire_redis_access *access, struct quire_log *log) {
    char fault[QUIRE_TLS_ERROR_CHARACTERS];
    if (!access->tls)
        return true;
    opening->tls = quire_redis_tls_create(access->ca, fault);
    if (opening->tls == NULL)
        tell_setting(log, "QUIRE_REDIS_CA", fault);
    return opening->tls != NULL;
}

/* NULL in *ret_copy for an empty text. */
static bool copy(const char *text, char **ret_copy) {
    *ret_copy = text[0] == '\0' ? NULL : strdup(text);
    return text[0] == '\0' || *ret_copy != NULL;
}

static struct opening *opening_create(const struct quire_redis_options *options) {
    const struct quire_redis_access *access = options->access;
    struct opening *opening = calloc(1, sizeof *opening);
    if (opening == NULL)
        return NULL;
    opening->connect_ms = options->connect_ms;
    if (copy(access->username, &opening->username) && copy(access->password, &opening->password) &&
        add_address(opening, access->address, options->log) && add_tls(opening, access, options->log))
        return opening;
    opening_destroy(opening);
    return NULL;
}

struct quire_redis *quire_redis_create(const struct quire_redis_options *options) {
    struct opening *opening = opening_create(options);
    if (opening == NULL)
        return NULL;
    struct quire_redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL) {
        opening_destroy(opening);
        return NULL;
    }
    struct quire_family *open =
        quire_metrics_family(options->metrics, QUIRE_GAUGE, "quire_redis_connections", "Open connections.", "");
    struct quire_family *again = quire_metrics_family(options->metrics, QUIRE_COUNTER, "quire_redis_reconnects_total",
                                                      "Attempts to connect after the first.", "");
    redis->link = quire_link_create(&(struct quire_link_options){
        .server = "redis",
        .away_event = "redis.away",
        .back_event = "redis.connected",
        .open = session_open,
        .close = session_close,
        .context = opening,
        .destroy_context = opening_destroy,
        .first_wait_ms = options->connect_ms,
        .retry_ms = options->retry_ms,
        .log = options->log,
        .connected = quire_metrics_series(open, NULL),
        .reconnects = quire_metrics_series(again, NULL),
    });
    if (redis->link != NULL)
        return redis;
    free(redis);
    return NULL;
}

void quire_redis_destroy(struct quire_redis *redis) {
    if (redis == NULL)
        return;
    quire_link_destroy(redis->link);
    free(redis);
}

/* Redis says nothing unasked, so what can be read while nothing is owed is the end: it restarted, or closed us out. */
static void drop_if_closed(struct quire_redis *redis) {
    if (redis->session == NULL || redis->owed > 0)
        return;
    struct pollfd fd = {.fd = redis->session->context->fd, .events = POLLIN};
    if (poll(&fd, 1, 0) > 0)
        quire_redis_drop(redis, "the server closed the connection");
}

void quire_redis_tick(struct quire_redis *redis) {
    drop_if_closed(redis);
    if (redis->session == NULL)
        redis->session = quire_link_get(redis->link, 0);
}

bool quire_redis_ready(struct quire_redis *redis, uint64_t until_ns) {
    drop_if_closed(redis);
    if (redis->session == NULL)
        redis->session = quire_link_get(redis->link, until_ns);
    return redis->session != NULL;
}

bool quire_redis_settled(const struct quire_redis *redis) {
    return quire_link_settled(redis->link);
}

const char *quire_redis_run_id(const struct quire_redis *redis) {
    return redis->session == NULL ? NULL : redis->session->run_id;
}

uint64_t quire_redis_serial(const struct quire_redis *redis) {
    return redis->session == NULL ? 0 : redis->session->serial;
}

bool quire_redis_append(struct quire_redis *redis, const struct quire_slice *words, size_t count) {
    if (redis->session == NULL)
        return false;
    if (append(redis->session->context, words, count)) {
        redis->owed++;
        return true;
    }
    quire_redis_drop(redis, "out of memory");
    return false;
}

void quire_redis_send(struct quire_redis *redis) {
    int written = 0;
    if (redis->session != NULL)
        (void)redisBufferWrite(redis->session->context, &written); /* an error stays with the context */
}

redisReply *quire_redis_reply(struct quire_redis *redis, uint64_t deadline_ns) {
    if (redis->session == NULL || redis->owed == 0)
        return NULL;
    redisReply *reply = next_reply(redis->session->context, deadline_ns);
    if (reply == NULL)
        quire_redis_drop(redis, reason(redis->session->context, NULL));
    else
        redis->owed--;
    return reply;
}

void quire_redis_drop(struct quire_redis *redis, const char *error) {
    if (redis->session == NULL)
        return;
    char kept[QUIRE_LINK_ERROR_CHARACTERS]; /* error may be the context's own */
    snprintf(kept, sizeof kept, "%s", error);
    redis->session = NULL;
    redis->owed = 0;
    quire_link_drop(redis->link, kept);
}

bool quire_redis_unusable(const redisReply *reply) {
    static const char *const errors[] = {
        "ERR Function not found", "READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "NOPERM"};
    if (reply->type != REDIS_REPLY_ERROR)
        return false;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (strncmp(reply->str, errors[i], strlen(errors[i])) == 0)
            return true;
    return false;
}
