/* A real ring: if it failed, an answer would leave before what must come first, its line in the log. */
#include "gateway/ring.h"

#include "unit/suite.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENTRIES 8u

static struct fixture {
    int pair[2];
    struct ring *ring;
    unsigned calls, calls_too_late; /* of before_submit; those that found the byte of this turn with the peer */
    unsigned sent;                  /* completions of sends */
} f;

static size_t received(void) {
    char bytes[64];
    const ssize_t size = recv(f.pair[1], bytes, sizeof bytes, MSG_DONTWAIT);
    return size < 0 ? 0 : (size_t)size;
}

static void before_submit(void *context) {
    struct fixture *fixture = context;
    fixture->calls++;
    fixture->calls_too_late += received() > 0;
}

static int set_up(void) {
    const struct ring_options options = {
        .entries = ENTRIES, .buffers = 8, .buffer_bytes = 4096, .before_submit = before_submit, .context = &f};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f.pair) != 0)
        return 1;
    return ring_create(&options, &f.ring);
}

static int tear_down(void) {
    ring_destroy(f.ring);
    close(f.pair[0]);
    close(f.pair[1]);
    return 0;
}

static void count_sent(void *context, const struct ring_event *event) {
    (void)context;
    f.sent += event->op == RING_SEND && event->result == 1;
}

static void send_byte(void) {
    static char byte = 'a';
    static struct iovec piece = {&byte, 1};
    static const struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    ring_add_send(f.ring, f.pair[0], (struct ring_key){1, 1}, &message);
}

/* Also where the queue of what is armed is full, and goes to the kernel in the middle of a turn. */
static void what_must_come_first_has_come_before_anything_armed_begins(void) {
    for (unsigned i = 0; i < ENTRIES; i++)
        send_byte();
    CU_ASSERT_EQUAL(f.calls, 0);
    send_byte();
    CU_ASSERT_EQUAL(f.calls, 1);
    CU_ASSERT_EQUAL(received(), ENTRIES); /* they are under way, and the ninth isn't */
    ring_wait(f.ring, 1000000, count_sent, NULL);
    CU_ASSERT_EQUAL(f.calls, 2);
    CU_ASSERT_EQUAL(received(), 1);
    CU_ASSERT_EQUAL(f.calls_too_late, 0);
    for (unsigned turns = 0; f.sent < ENTRIES + 1 && turns < 100; turns++)
        ring_wait(f.ring, 1000000, count_sent, NULL);
    CU_ASSERT_EQUAL(f.sent, ENTRIES + 1);
}

static void key_comes_back_as_it_was_packed(void) {
    struct ring_key key;
    CU_ASSERT_EQUAL(ring_key_unpack(ring_key_pack(RING_CLOSE, (struct ring_key){RING_SLOT_MAX, UINT32_MAX}), &key),
                    RING_CLOSE);
    CU_ASSERT_TRUE(key.slot == RING_SLOT_MAX && key.generation == UINT32_MAX);
}

QUIRE_TEST_MAIN("ring", set_up, tear_down,
                {"what_must_come_first_has_come_before_anything_armed_begins",
                 what_must_come_first_has_come_before_anything_armed_begins},
                {"key_comes_back_as_it_was_packed", key_comes_back_as_it_was_packed})
