/* Connections over a real ring and socket pairs, with Kafka played by the test: if it failed, answers would be cut off,
 * out of order, or another's. */
#define _GNU_SOURCE /* memmem */
#include "unit/suite.h"

#include "case_file.h"
#include "fake_bus.h"

#include "base/clock.h"
#include "gateway/connection_internal.h"
#include "gateway/exchange.h"
#include "gateway/shard_run.h"

#include "quire/documents.pb-c.h"
#include "quire/session.pb-c.h"
#include "quire/wire.pb-c.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <sodium.h>
#include <sys/socket.h>

#define PATIENCE_NS 3000000000u
#define TOKEN "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ"
#define OTHER_TOKEN "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIg"
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
static struct keyring *make_keyring(void) {
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

static int set_up(void) {
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
    budget_init(&f.gateway.budget, 1 << 20);
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

static int tear_down(void) {
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

static void open_connection(void) {
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

static void take_turn(void) {
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

static void send_bytes(const void *bytes, size_t size) {
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

static void send_text(const char *text) {
    send_bytes(text, strlen(text));
}

static void close_connection(void) {
    close(f.client);
    f.ended = true; /* nothing to be received any more */
    TURN_UNTIL(connections_count(&f.shard) == 0);
    CU_ASSERT_EQUAL(connections_count(&f.shard), 0);
    CU_ASSERT_EQUAL(inflight_count(f.shard.inflight), 0);
}

/* The answers so far: how many are whole, and where the nth begins and ends. An answer to HEAD has no content:
 * `without_content` says which. */
static size_t answers(size_t nth, const char *without_content, struct quire_slice *ret_answer) {
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

static bool contains(struct quire_slice text, const char *part, size_t size) {
    return size == 0 || (text.size > 0 && memmem(text.bytes, text.size, part, size) != NULL);
}

static bool has_status(size_t nth, unsigned status) {
    struct quire_slice answer = {NULL, 0};
    char line[32];
    (void)answers(nth, "", &answer);
    (void)snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    return answer.size > 0 && memcmp(answer.bytes, line, strlen(line)) == 0;
}

/* answer: STATUS [nobody] [~ text that must stand in it] */
static bool answer_fits(const struct case_line *line, struct quire_slice answer) {
    const char *text = (const char *)line->bytes, *tilde = strchr(text, '~');
    char status[32];
    (void)snprintf(status, sizeof status, "HTTP/1.1 %.3s ", text);
    bool fits =
        contains((struct quire_slice){answer.bytes, answer.size < 13 ? answer.size : 13}, status, strlen(status));
    bool final = strncmp(text, "100", 3) != 0;
    if (final)
        fits = fits && contains(answer, "\r\nX-Request-ID: ", 16) && contains(answer, "\r\nX-Process-Time: ", 18) &&
               contains(answer, "\r\nDate: ", 8);
    if (atoi(text) >= 400)
        fits = fits && contains(answer, "application/problem+json", 24);
    return fits && (tilde == NULL || contains(answer, tilde + 2, strlen(tilde + 2)));
}

static void reply_to_all(void) {
    for (size_t i = 0; i < fake_bus.port.sent_count; i++) {
        struct fake_sent *sent = &fake_bus.port.sent[i];
        if (sent->answered)
            continue;
        bool me = strcmp(sent->method, "quire.Session/Me") == 0;
        fake_reply(i, me ? 200 : 204, (struct quire_slice){f.account, me ? f.account_bytes : 0});
    }
}

static void run_block(const struct case_block *block) {
    char without_content[CASE_LINES_MAX + 1] = "";
    size_t count = 0, seen = 0;
    open_connection();
    for (size_t i = 0; i < block->lines_count; i++) {
        const struct case_line *line = &block->lines[i];
        if (strcmp(line->key, "answer") == 0)
            without_content[count++] = strstr((const char *)line->bytes, "nobody") != NULL ? 'n' : 'y';
    }
    bool good = true;
    for (size_t i = 0; i < block->lines_count; i++) {
        const struct case_line *line = &block->lines[i];
        struct quire_slice answer = {NULL, 0};
        if (strcmp(line->key, "send") == 0)
            send_bytes(line->bytes, line->size);
        else if (strcmp(line->key, "half-close") == 0)
            shutdown(f.client, SHUT_WR);
        else if (strcmp(line->key, "answer") == 0) {
            TURN_UNTIL((reply_to_all(), answers(seen, without_content, &answer)) > seen || f.ended);
            (void)answers(seen++, without_content, &answer);
            good = good && answer_fits(line, answer);
        } else if (strcmp(line->key, "end") == 0) {
            TURN_UNTIL(f.ended);
            good = good && f.ended && answers(0, without_content, NULL) == count;
        }
        if (!good) {
            printf("\n%s: at \"%s: %.60s\" got\n%.600s\n----\n", block->name, line->key, (const char *)line->bytes,
                   (const char *)f.received.bytes);
            break;
        }
    }
    CU_ASSERT_TRUE(good);
    close_connection();
}

static void every_answer_case_in_the_folder_holds(void) {
    CU_ASSERT(case_read_folder(QUIRE_TEST_FOLDER "/unit/gateway/answer_cases", run_block) > 30);
}

static void answers_keep_the_order_of_requests_whatever_the_order_of_replies(void) {
    struct quire_slice first = {NULL, 0}, second = {NULL, 0};
    open_connection();
    send_text(ME "one\r\n\r\n" ME "two\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    CU_ASSERT_EQUAL_FATAL(fake_bus.port.sent_count, 2);
    fake_reply(1, 200, (struct quire_slice){f.account, f.account_bytes});
    for (int i = 0; i < 3; i++)
        take_turn();
    CU_ASSERT_EQUAL(answers(0, "", NULL), 0);
    fake_reply(0, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(answers(0, "", &first) == 2);
    (void)answers(0, "", &first);
    (void)answers(1, "", &second);
    CU_ASSERT_TRUE(contains(first, "X-Request-ID: one", 17));
    CU_ASSERT_TRUE(contains(second, "X-Request-ID: two", 17));
    close_connection();
}

static void a_request_that_changes_something_runs_alone(void) {
    open_connection();
    send_text(ME "one\r\n\r\nPOST /auth/logout HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " TOKEN "\r\n\r\n" ME
                 "three\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    for (int i = 0; i < 3; i++)
        take_turn();
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 1);
    fake_reply(0, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    for (int i = 0; i < 3; i++)
        take_turn();
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 2);
    CU_ASSERT_STRING_EQUAL(fake_bus.port.sent[1].method, "quire.Session/LogOut");
    fake_reply(1, 204, quire_slice_of(NULL));
    TURN_UNTIL(fake_bus.port.sent_count == 3);
    fake_reply(2, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(answers(0, "", NULL) == 3);
    CU_ASSERT_EQUAL(answers(0, "", NULL), 3);
    close_connection();
}

static void beyond_the_pipeline_bound_reading_waits_and_goes_on(void) {
    open_connection();
    for (int i = 0; i < 20; i++)
        send_text(ME "many\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 4);
    for (int i = 0; i < 5; i++)
        take_turn();
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 4); /* pipeline_max */
    TURN_UNTIL((reply_to_all(), answers(0, "", NULL)) == 20);
    CU_ASSERT_EQUAL(answers(0, "", NULL), 20);
    close_connection();
}

static void a_deadline_is_a_504_and_the_late_reply_meets_nobody(void) {
    open_connection();
    send_text("GET /auth/me HTTP/1.1\r\nHost: a\r\nRequest-Timeout: 0.05\r\nAuthorization: Bearer " TOKEN "\r\n\r\n");
    TURN_UNTIL(answers(0, "", NULL) == 1);
    CU_ASSERT_TRUE(has_status(0, 504));
    fake_reply(0, 200, (struct quire_slice){f.account, f.account_bytes});
    send_text(ME "next\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    CU_ASSERT_EQUAL(answers(0, "", NULL), 1);
    fake_reply(1, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(answers(0, "", NULL) == 2);
    CU_ASSERT_TRUE(has_status(1, 200));
    close_connection();
}

static void a_full_producer_and_a_lost_kafka_are_503_at_once(void) {
    open_connection();
    fake_bus.port.result = BUS_FULL;
    send_text(ME "full\r\n\r\n");
    TURN_UNTIL(answers(0, "", NULL) == 1);
    CU_ASSERT_TRUE(has_status(0, 503));
    fake_bus.port.result = BUS_SENT;
    fake_bus.port.ready = false;
    send_text(ME "away\r\n\r\n");
    TURN_UNTIL(answers(0, "", NULL) == 2);
    CU_ASSERT_TRUE(has_status(1, 503));
    fake_bus.port.ready = true;
    send_text(ME "back\r\n\r\n");
    TURN_UNTIL((reply_to_all(), answers(0, "", NULL)) == 3);
    CU_ASSERT_TRUE(has_status(2, 200));
    close_connection();
}

static void a_full_table_of_waiting_requests_is_a_503(void) {
    f.config.pipeline_max = 10;
    open_connection();
    for (int i = 0; i < 9; i++) /* inflight_max is 8 */
        send_text(ME "many\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 8);
    TURN_UNTIL((reply_to_all(), answers(0, "", NULL)) == 9);
    CU_ASSERT_TRUE(has_status(7, 200));
    CU_ASSERT_TRUE(has_status(8, 503));
    f.config.pipeline_max = 4;
    close_connection();
}

static void who_leaves_while_waiting_is_forgotten(void) {
    open_connection();
    send_text(ME "gone\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    struct linger reset = {1, 0};
    setsockopt(f.client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(f.client);
    f.ended = true;
    fake_reply(0, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(connections_count(&f.shard) == 0);
    CU_ASSERT_EQUAL(connections_count(&f.shard), 0);
    CU_ASSERT_EQUAL(inflight_count(f.shard.inflight), 0);
}

static void bodies_beyond_the_budget_are_503_and_the_budget_comes_back(void) {
    open_connection();
    char head[256];
    static char part[65536];
    memset(part, 'x', sizeof part);
    (void)snprintf(head, sizeof head,
                   "POST /documents HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " TOKEN
                   "\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                   32 * 65536);
    send_text(head);
    for (int i = 0; i < 32; i++)
        send_bytes(part, sizeof part); /* 2 MiB; the budget is 1 */
    TURN_UNTIL(answers(0, "", NULL) == 1);
    CU_ASSERT_TRUE(has_status(0, 503));
    send_text(ME "next\r\n\r\n");
    TURN_UNTIL((reply_to_all(), answers(0, "", NULL)) == 2);
    CU_ASSERT_TRUE(has_status(1, 200));
    close_connection();
    CU_ASSERT_EQUAL(atomic_load(&f.gateway.budget.used_bytes), 0);
}

static void an_answer_that_nobody_reads_ends_the_connection(void) {
    open_connection();
    int small = 4096;
    setsockopt(f.client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 400; i++) {
        static const char request[] = "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
        (void)!send(f.client, request, sizeof request - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    f.ended = true; /* take_turn doesn't read */
    TURN_UNTIL(connections_count(&f.shard) == 0);
    CU_ASSERT_EQUAL(connections_count(&f.shard), 0);
    close_connection();
}

static void an_idle_connection_is_closed_without_a_word(void) {
    open_connection();
    TURN_UNTIL(f.ended);
    CU_ASSERT_TRUE(f.ended);
    CU_ASSERT_EQUAL(f.received.size, 0);
    close_connection();
}

static void health_is_asked_once_for_all_who_want_to_know(void) {
    open_connection();
    send_text("GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    TURN_UNTIL(answers(0, "", NULL) == 2); /* nobody replies: the question's own deadline */
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, quire_contract.services_count);
    CU_ASSERT_STRING_EQUAL(fake_bus.port.sent[0].method, QUIRE_HEALTH_METHOD);
    CU_ASSERT_TRUE(has_status(0, 503));
    CU_ASSERT_TRUE(has_status(1, 503));
    struct quire_slice answer = {NULL, 0};
    (void)answers(0, "", &answer);
    CU_ASSERT_TRUE(contains(answer, "\"status\":\"unhealthy\"", 20));
    CU_ASSERT_TRUE(contains(answer, "\"gateway\":{\"status\":\"healthy\"", 29));
    close_connection();
}

static void a_closing_gateway_says_so_and_ends_idle_connections(void) {
    struct quire_slice answer = {NULL, 0};
    open_connection();
    send_text(ME "last\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    atomic_store(&f.gateway.phase, GATEWAY_CLOSING);
    reply_to_all();
    for (uint64_t begun_ns = quire_monotonic_ns(); !f.ended && quire_monotonic_ns() - begun_ns < PATIENCE_NS;)
        take_turn();
    (void)answers(0, "", &answer);
    CU_ASSERT_TRUE(has_status(0, 200));
    CU_ASSERT_TRUE(contains(answer, "\r\nConnection: close\r\n", 21));
    close(f.client);
    while (shard_turn(&f.shard)) /* until nothing is owed */
        ;
    CU_ASSERT_EQUAL(connections_count(&f.shard), 0);
    atomic_store(&f.gateway.phase, GATEWAY_SERVING);
}

/* Else whoever asks while a crowd is answered waits for all of its answers. */
static void a_crowd_of_replies_is_taken_in_portions(void) {
    open_connection();
    send_text(ME "first\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    for (unsigned i = 0; i < 200; i++) { /* too late, all of them: nobody waits */
        fake_reply(0, 200, quire_slice_of(NULL));
        fake_bus.port.replies[i].generation++;
    }
    fake_bus.port.sent[0].answered = false;
    send_text(ME "second\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    CU_ASSERT_TRUE(fake_bus.port.replies_taken < 200);
    TURN_UNTIL(fake_bus.port.replies_taken == 200); /* though nothing more comes to wake the ring */
    CU_ASSERT_EQUAL(fake_bus.port.replies_taken, 200);
    reply_to_all();
    TURN_UNTIL(answers(0, "", NULL) == 2);
    CU_ASSERT_TRUE(has_status(0, 200) && has_status(1, 200));
    close_connection();
}

/* Large bodies and values. */

#define LARGE_BYTES (EXCHANGE_ASIDE_BYTES + 1000)

/* Keeps the thread beside the ring busy until it is let go. */
struct hold {
    struct aside_job job; /* first */
    sem_t may_end;
    bool done;
};

static void hold_thread(struct aside_job *job) {
    sem_wait(&((struct hold *)job)->may_end);
}

static void note_done(struct aside_job *job) {
    ((struct hold *)job)->done = true;
}

static void hold(struct hold *hold) {
    *hold = (struct hold){.job = {.run = hold_thread, .done = note_done}};
    sem_init(&hold->may_end, 0, 0);
    CU_ASSERT_TRUE_FATAL(aside_give(f.shard.aside, &hold->job));
}

static void let_go(struct hold *hold) {
    sem_post(&hold->may_end);
    TURN_UNTIL(hold->done);
    CU_ASSERT_TRUE(hold->done);
    sem_destroy(&hold->may_end);
}

/* A second connection; the first one's client is returned, for change_back(). */
static int open_another(void) {
    int first = f.client, pair[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    CU_ASSERT_TRUE_FATAL(connection_open(&f.shard, pair[0]));
    f.client = pair[1];
    f.received.size = 0;
    return first;
}

static void change_back(int first) {
    close(f.client);
    f.client = first;
    f.received.size = 0;
    TURN_UNTIL(connections_count(&f.shard) == 1);
}

static void send_large(const char *more) {
    static char content[LARGE_BYTES + 1];
    memset(content, 'x', LARGE_BYTES);
    struct case_buffer request = {.bytes = NULL};
    char head[512];
    (void)snprintf(head, sizeof head,
                   "POST /documents HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " TOKEN "\r\nX-Request-ID: large\r\n"
                   "Content-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n{\"title\":\"t\",\"content\":\"",
                   more, sizeof "{\"title\":\"t\",\"content\":\"\"}" - 1 + LARGE_BYTES);
    case_put(&request, head, strlen(head));
    case_put(&request, content, LARGE_BYTES);
    case_put(&request, "\"}", 2);
    send_bytes(request.bytes, request.size);
    free(request.bytes);
}

static void reply_large(size_t sent) {
    static char content[LARGE_BYTES + 1];
    static uint8_t packed[LARGE_BYTES + 512];
    Quire__Document document = QUIRE__DOCUMENT__INIT;
    uint8_t id[16] = {0};
    memset(content, 'y', LARGE_BYTES);
    document.id = (ProtobufCBinaryData){sizeof id, id};
    document.title = document.metadata = (char *)"{}";
    document.content = content;
    fake_reply(sent, 201, (struct quire_slice){packed, quire__document__pack(&document, packed)});
}

/* Else one person's upload is everybody's wait. */
static void large_bodies_and_values_keep_nobody_else_waiting(void) {
    struct hold first, second;
    open_connection();
    budget_init(&f.gateway.budget, 16 << 20);
    hold(&first);
    send_large("Idempotency-Key: k\r\n");
    int large = open_another();
    send_text(ME "small\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    CU_ASSERT_STRING_EQUAL(fake_bus.port.sent[0].request_id, "small");
    let_go(&first);
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    CU_ASSERT_STRING_EQUAL(fake_bus.port.sent[1].request_id, "large");
    CU_ASSERT_TRUE(fake_bus.port.sent[1].value_bytes > LARGE_BYTES);
    hold(&second);
    reply_large(1);
    fake_reply(0, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(answers(0, "", NULL) == 1);
    CU_ASSERT_TRUE(has_status(0, 200));
    change_back(large);
    CU_ASSERT_EQUAL(answers(0, "", NULL), 0);
    let_go(&second);
    TURN_UNTIL(answers(0, "", NULL) == 1);
    CU_ASSERT_TRUE(has_status(0, 201) && f.received.size > LARGE_BYTES);
    close_connection();
    budget_init(&f.gateway.budget, 1 << 20);
}

/* The other thread has its body in hands then: nothing of it may be given back before. */
static void who_leaves_while_his_body_is_with_the_other_thread_is_forgotten(void) {
    struct hold held;
    open_connection();
    budget_init(&f.gateway.budget, 16 << 20);
    hold(&held);
    send_large("");
    TURN_UNTIL(inflight_count(f.shard.inflight) == 1);
    for (uint32_t slot = 0; slot < f.shard.slots.slots_max; slot++)
        if (f.shard.slots.tenants[slot] != NULL)
            connection_abort(f.shard.slots.tenants[slot]); /* as after a reset */
    close_connection();
    CU_ASSERT_TRUE(atomic_load(&f.gateway.budget.used_bytes) > LARGE_BYTES);
    f.client = open("/dev/null", O_RDONLY | O_CLOEXEC); /* for take_turn */
    let_go(&held);
    TURN_UNTIL(atomic_load(&f.gateway.budget.used_bytes) == 0);
    CU_ASSERT_EQUAL(atomic_load(&f.gateway.budget.used_bytes), 0);
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 0);
    close(f.client);
    budget_init(&f.gateway.budget, 1 << 20);
}

static void a_deadline_that_passes_while_the_other_thread_is_busy_is_a_504(void) {
    struct hold held;
    open_connection();
    budget_init(&f.gateway.budget, 16 << 20);
    hold(&held);
    send_large("Request-Timeout: 0.05\r\n");
    TURN_UNTIL(inflight_count(f.shard.inflight) == 1);
    TURN_UNTIL(inflight_count(f.shard.inflight) == 0);
    let_go(&held);
    TURN_UNTIL(answers(0, "", NULL) == 1);
    CU_ASSERT_TRUE(has_status(0, 504));
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 0);
    close_connection();
    budget_init(&f.gateway.budget, 1 << 20);
}

/* The reply to a request that met a rate: one each minute. */
static void refuse_by_rate(size_t sent) {
    static uint8_t bytes[128];
    Quire__Problem problem = QUIRE__PROBLEM__INIT;
    problem.status = 429;
    problem.has_retry_after_s = problem.has_pace_us = true;
    problem.retry_after_s = 2;
    problem.pace_us = 60000000;
    problem.rate_limit = (char *)"\"account\";r=0;t=2";
    problem.rate_limit_policy = (char *)"\"account\";q=10;w=2";
    fake_reply(sent, 429, (struct quire_slice){bytes, quire__problem__pack(&problem, bytes)});
}

/* Else a storm of one account's requests goes all the way to the service and back, to be refused there. */
static void a_session_over_its_rate_is_answered_in_the_service_s_place(void) {
    struct quire_slice told = {NULL, 0}, own = {NULL, 0};
    open_connection();
    send_text(ME "same\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    refuse_by_rate(0);
    TURN_UNTIL(answers(0, "", NULL) == 1);
    send_text(ME "passes\r\n\r\n" ME "same\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    fake_reply(1, 200, (struct quire_slice){f.account, f.account_bytes});
    TURN_UNTIL(answers(0, "", NULL) == 3);
    CU_ASSERT_TRUE(has_status(1, 200));
    CU_ASSERT_TRUE(has_status(2, 429));
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 2);
    (void)answers(0, "", &told);
    (void)answers(2, "", &own);
    static const char *const parts[] = {"\r\nRetry-After: 2\r\n", "\r\nRateLimit: \"account\";r=0;t=2\r\n",
                                        "\r\nRateLimit-Policy: \"account\";q=10;w=2\r\n", "\"instance\":\"same\""};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        CU_ASSERT_TRUE(contains(told, parts[i], strlen(parts[i])) && contains(own, parts[i], strlen(parts[i])));
    CU_ASSERT_EQUAL(told.size, own.size); /* nothing else differs either, but times */
    /* Another session, and another service with the same one, go as ever. */
    send_text("GET /auth/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " OTHER_TOKEN "\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 3);
    reply_to_all();
    send_text("GET /documents HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " TOKEN "\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 4);
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 4);
    close_connection();
}

/* It would hear 429 until the refusal is forgotten. */
static void a_paced_session_that_has_ended_is_401(void) {
    static uint8_t bytes[16];
    Quire__Problem problem = QUIRE__PROBLEM__INIT;
    problem.status = 401;
    const size_t size = quire__problem__pack(&problem, bytes);
    open_connection();
    send_text(ME "one\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 1);
    refuse_by_rate(0);
    TURN_UNTIL(answers(0, "", NULL) == 1);
    send_text(ME "two\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 2);
    fake_reply(1, 401, (struct quire_slice){bytes, size});
    TURN_UNTIL(answers(0, "", NULL) == 2);
    send_text(ME "three\r\n\r\n");
    TURN_UNTIL(fake_bus.port.sent_count == 3);
    CU_ASSERT_EQUAL_FATAL(fake_bus.port.sent_count, 3);
    fake_reply(2, 401, (struct quire_slice){bytes, size});
    TURN_UNTIL(answers(0, "", NULL) == 3);
    CU_ASSERT_TRUE(has_status(1, 401) && has_status(2, 401));
    close_connection();
}

static void states_move_only_as_the_table_allows(void) {
    CU_ASSERT_TRUE(connection_may_move(CONNECTION_IDLE, CONNECTION_HEAD));
    CU_ASSERT_FALSE(connection_may_move(CONNECTION_IDLE, CONNECTION_BODY));
    CU_ASSERT_FALSE(connection_may_move(CONNECTION_LAST, CONNECTION_IDLE));
    CU_ASSERT_FALSE(connection_may_move(CONNECTION_LINGER, CONNECTION_HEAD));
    for (unsigned from = 0; from < CONNECTION_STATES; from++) { /* every state but the last can end at once */
        CU_ASSERT_EQUAL(connection_may_move((enum connection_state)from, CONNECTION_CLOSING),
                        from != CONNECTION_CLOSING);
        CU_ASSERT_FALSE(connection_may_move(CONNECTION_CLOSING, (enum connection_state)from));
    }
}

#define TEST(function) {#function, function}
QUIRE_TEST_MAIN("connection", set_up, tear_down, TEST(every_answer_case_in_the_folder_holds),
                TEST(answers_keep_the_order_of_requests_whatever_the_order_of_replies),
                TEST(a_request_that_changes_something_runs_alone),
                TEST(beyond_the_pipeline_bound_reading_waits_and_goes_on),
                TEST(a_deadline_is_a_504_and_the_late_reply_meets_nobody),
                TEST(a_full_producer_and_a_lost_kafka_are_503_at_once), TEST(a_full_table_of_waiting_requests_is_a_503),
                TEST(who_leaves_while_waiting_is_forgotten),
                TEST(bodies_beyond_the_budget_are_503_and_the_budget_comes_back),
                TEST(an_answer_that_nobody_reads_ends_the_connection),
                TEST(an_idle_connection_is_closed_without_a_word), TEST(health_is_asked_once_for_all_who_want_to_know),
                TEST(a_closing_gateway_says_so_and_ends_idle_connections),
                TEST(a_crowd_of_replies_is_taken_in_portions), TEST(large_bodies_and_values_keep_nobody_else_waiting),
                TEST(who_leaves_while_his_body_is_with_the_other_thread_is_forgotten),
                TEST(a_deadline_that_passes_while_the_other_thread_is_busy_is_a_504),
                TEST(a_session_over_its_rate_is_answered_in_the_service_s_place),
                TEST(a_paced_session_that_has_ended_is_401), TEST(states_move_only_as_the_table_allows))
