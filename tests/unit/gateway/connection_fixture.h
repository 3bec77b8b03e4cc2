/* What the tests of connections share: a shard with a real ring, socket pairs, and Kafka played by the test. */
#ifndef QUIRE_UNIT_GATEWAY_CONNECTION_FIXTURE_H
#define QUIRE_UNIT_GATEWAY_CONNECTION_FIXTURE_H

#ifndef _GNU_SOURCE
#error "memmem: define _GNU_SOURCE before anything is included"
#endif

#include "unit/suite.h"

#include "case_file.h"
#include "fake_bus.h"

#include "base/clock.h"
#include "gateway/connection_internal.h"
#include "gateway/shard_run.h"

#include "quire/session.pb-c.h"

#include <errno.h>
#include <sodium.h>
#include <sys/socket.h>

#define PATIENCE_NS 3000000000u
#define TOKEN "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ"
#define ME "GET /auth/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " TOKEN "\r\nX-Request-ID: "

static struct fixture {
    struct gateway_config config;
    struct gateway gateway;
    struct shard shard;
    int client; /* the other end of the connection under test */
    struct case_buffer received;
    bool ended; /* the gateway's side is shut */
    uint8_t account[128];
    size_t account_bytes;
} f;
/* A public key whose secret half nobody has. */
static inline struct keyring *make_keyring(void) {
    static char path[] = "/tmp/quire-connection-test-XXXXXX";
    uint8_t public_key[crypto_box_PUBLICKEYBYTES], secret_key[crypto_box_SECRETKEYBYTES];
    char hex[2 * sizeof public_key + 1], line[128], fault[160];
    crypto_box_keypair(public_key, secret_key);
    int size = snprintf(line, sizeof line, "1 %s\n", sodium_bin2hex(hex, sizeof hex, public_key, sizeof public_key));
    int fd = mkstemp(path);
    bool written = fd >= 0 && write(fd, line, (size_t)size) == size;
    struct keyring *keyring = written ? keyring_create(path, fault) : NULL;
    close(fd);
    unlink(path);
    return keyring;
}

static inline int set_up(void) {
    const struct quire_setting_table table = gateway_settings(&f.config);
    setenv("QUIRE_KAFKA_BROKERS", "none", 1);
    if (!quire_config_load(&table, 1, stderr))
        return 1;
    f.config.pipeline_max = 4;
    f.config.head_ms = f.config.body_ms = 300;
    f.config.idle_ms = 600;
    f.config.linger_ms = 300;
    f.config.write_ms = 400;
    f.config.connections_max = 8;
    f.config.inflight_max = 8;
    f.gateway.config = &f.config;
    f.gateway.contract = &quire_contract;
    f.gateway.rings_count = 1;
    f.gateway.log = quire_log_create("gateway", "test", QUIRE_ERROR, STDERR_FILENO);
    f.gateway.metrics = quire_metrics_create(1024);
    f.gateway.router = router_create(&quire_contract, stderr);
    f.gateway.keyring = make_keyring();
    f.gateway.bus = &fake_bus;
    budget_init(&f.gateway.budget, 1 << 20, 1 << 20);
    fake_bus.port.event_fd = eventfd(0, EFD_CLOEXEC);
    fake_reset();
    f.shard = (struct shard){.gateway = &f.gateway, .listener_fd = -1};
    if (f.gateway.log == NULL || f.gateway.metrics == NULL || f.gateway.router == NULL || f.gateway.keyring == NULL ||
        !shard_init(&f.shard))
        return 1;
    f.shard.accepting = true; /* there is no listener */
    shard_begin(&f.shard);
    Quire__Account account = QUIRE__ACCOUNT__INIT;
    uint8_t id[16] = {0};
    account.id = (ProtobufCBinaryData){sizeof id, id};
    account.email = (char *)"a@b.c";
    f.account_bytes = quire__account__pack(&account, f.account);
    return 0;
}

static inline int tear_down(void) {
    bool nothing_is_held = atomic_load(&f.gateway.budget.used_bytes) == 0;
    shard_deinit(&f.shard);
    keyring_destroy(f.gateway.keyring);
    router_destroy(f.gateway.router);
    quire_metrics_destroy(f.gateway.metrics);
    quire_log_destroy(f.gateway.log);
    close(fake_bus.port.event_fd);
    free(f.received.bytes);
    return nothing_is_held ? 0 : 1;
}

static inline void open_connection(void) {
    int pair[2];
    fake_reset();
    pacer_destroy(f.shard.pacer); /* what another test has had refused */
    f.shard.pacer = pacer_create((uint32_t)f.config.paced_max);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.shard.pacer);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    CU_ASSERT_TRUE_FATAL(connection_open(&f.shard, pair[0]));
    f.client = pair[1];
    f.received.size = 0;
    f.ended = false;
}

static inline void take_turn(void) {
    CU_ASSERT_TRUE(shard_turn(&f.shard));
    uint8_t bytes[65536];
    ssize_t size;
    while (!f.ended && (size = recv(f.client, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0) {
        f.ended = size == 0;
        case_put(&f.received, bytes, (size_t)size);
    }
    if (!f.ended && errno != EAGAIN)
        f.ended = true; /* reset */
}

/* Turns until the condition holds, or patience ends: then the caller's asserts say what is missing. */
#define TURN_UNTIL(condition)                                                                                          \
    for (uint64_t begun_ns_ = quire_monotonic_ns(); !(condition) && quire_monotonic_ns() - begun_ns_ < PATIENCE_NS;)   \
    take_turn()

static inline void send_bytes(const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    for (uint64_t begun_ns = quire_monotonic_ns(); size > 0 && quire_monotonic_ns() - begun_ns < PATIENCE_NS;) {
        ssize_t sent = send(f.client, at, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return; /* closed: what came back is looked at */
        at += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
        if (sent < 0)
            take_turn();
    }
}

static inline void send_text(const char *text) {
    send_bytes(text, strlen(text));
}

static inline void close_connection(void) {
    close(f.client);
    f.ended = true; /* nothing to be received any more */
    TURN_UNTIL(connections_count(&f.shard) == 0);
    CU_ASSERT_EQUAL(connections_count(&f.shard), 0);
    CU_ASSERT_EQUAL(inflight_count(f.shard.inflight), 0);
}

/* The answers so far: how many are whole, and where the nth begins and ends. An answer to HEAD has no content:
 * `without_content` says which. */
static inline size_t answers(size_t nth, const char *without_content, struct quire_slice *ret_answer) {
    size_t at = 0, count = 0;
    while (at < f.received.size) {
        const char *text = (const char *)f.received.bytes + at, *end = strstr(text, "\r\n\r\n"),
                   *length = strstr(text, "\r\nContent-Length: ");
        if (end == NULL)
            break;
        bool bare = strncmp(text, "HTTP/1.1 100", 12) == 0 ||
                    (strlen(without_content) > count && without_content[count] == 'n');
        size_t size =
            (size_t)(end - text) + 4 + (length != NULL && length < end && !bare ? strtoul(length + 18, NULL, 10) : 0);
        if (at + size > f.received.size)
            break;
        if (count == nth && ret_answer != NULL)
            *ret_answer = (struct quire_slice){f.received.bytes + at, size};
        at += size;
        count++;
    }
    return count;
}

static inline bool contains(struct quire_slice text, const char *part, size_t size) {
    return size == 0 || (text.size > 0 && memmem(text.bytes, text.size, part, size) != NULL);
}

static inline bool has_status(size_t nth, unsigned status) {
    struct quire_slice answer = {NULL, 0};
    char line[32];
    (void)answers(nth, "", &answer);
    (void)snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    return answer.size > 0 && memcmp(answer.bytes, line, strlen(line)) == 0;
}
static inline void reply_to_all(void) {
    for (size_t i = 0; i < fake_bus.port.sent_count; i++) {
        struct fake_sent *sent = &fake_bus.port.sent[i];
        if (sent->answered)
            continue;
        bool me = strcmp(sent->method, "quire.Session/Me") == 0;
        fake_reply(i, me ? 200 : 204, (struct quire_slice){f.account, me ? f.account_bytes : 0});
    }
}

#endif
