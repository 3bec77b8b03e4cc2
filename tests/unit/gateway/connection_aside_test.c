/* Large bodies and values on a connection: if it failed, one person's upload would be everybody's wait, or memory be
 * given back that the other thread still reads. */
#define _GNU_SOURCE /* memmem */
#include "connection_fixture.h"

#include "gateway/exchange.h"

#include "quire/documents.pb-c.h"

#include <fcntl.h>
#include <semaphore.h>

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
    budget_init(&f.gateway.budget, 16 << 20, 16 << 20);
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
    budget_init(&f.gateway.budget, 1 << 20, 1 << 20);
}

/* The other thread has its body in hands then: nothing of it may be given back before. */
static void who_leaves_while_his_body_is_with_the_other_thread_is_forgotten(void) {
    struct hold held;
    open_connection();
    budget_init(&f.gateway.budget, 16 << 20, 16 << 20);
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
    budget_init(&f.gateway.budget, 1 << 20, 1 << 20);
}

static void a_deadline_that_passes_while_the_other_thread_is_busy_is_a_504(void) {
    struct hold held;
    open_connection();
    budget_init(&f.gateway.budget, 16 << 20, 16 << 20);
    hold(&held);
    send_large("Request-Timeout: 0.05\r\n");
    TURN_UNTIL(inflight_count(f.shard.inflight) == 1);
    TURN_UNTIL(inflight_count(f.shard.inflight) == 0);
    let_go(&held);
    TURN_UNTIL(answers(0, "", NULL) == 1);
    CU_ASSERT_TRUE(has_status(0, 504));
    CU_ASSERT_EQUAL(fake_bus.port.sent_count, 0);
    close_connection();
    budget_init(&f.gateway.budget, 1 << 20, 1 << 20);
}
#define TEST(function) {#function, function}
QUIRE_TEST_MAIN("connection_aside", set_up, tear_down, TEST(large_bodies_and_values_keep_nobody_else_waiting),
                TEST(who_leaves_while_his_body_is_with_the_other_thread_is_forgotten),
                TEST(a_deadline_that_passes_while_the_other_thread_is_busy_is_a_504))
