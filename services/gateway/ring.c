#include "gateway/ring.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

/* A multishot receive can complete many times for one submission, so completions outnumber submissions. */
#define RING_CQ_FACTOR 8u
#define RING_BUFFER_GROUP 0
#define RING_EVENTS_AT_ONCE 256u

struct ring {
    struct io_uring uring;
    struct io_uring_buf_ring *buffer_ring;
    uint8_t *buffers; /* buffers_count * buffer_bytes; buffer i stands at i * buffer_bytes */
    unsigned buffers_count, buffer_bytes;
    uint64_t eventfd_count; /* where an eventfd is read to; nobody looks at it */
    struct ring_counts counts;
    void (*before_submit)(void *context);
    void *context;
};

uint64_t ring_key_pack(enum ring_op op, struct ring_key key) {
    assert(key.slot <= RING_SLOT_MAX);
    return (uint64_t)op << 56 | (uint64_t)key.slot << 32 | key.generation;
}

enum ring_op ring_key_unpack(uint64_t user_data, struct ring_key *ret_key) {
    ret_key->slot = (uint32_t)(user_data >> 32) & RING_SLOT_MAX;
    ret_key->generation = (uint32_t)user_data;
    return (enum ring_op)(user_data >> 56);
}

static uint8_t *buffer_of(const struct ring *ring, unsigned id) {
    return ring->buffers + (size_t)id * ring->buffer_bytes;
}

static void give_buffer(struct ring *ring, unsigned id) {
    io_uring_buf_ring_add(ring->buffer_ring, buffer_of(ring, id), ring->buffer_bytes, (unsigned short)id,
                          io_uring_buf_ring_mask(ring->buffers_count), 0);
    io_uring_buf_ring_advance(ring->buffer_ring, 1);
}

static int create_buffers(struct ring *ring, const struct ring_options *options) {
    int error = 0;
    ring->buffers_count = options->buffers;
    ring->buffer_bytes = options->buffer_bytes;
    ring->buffers = malloc((size_t)options->buffers * options->buffer_bytes);
    if (ring->buffers == NULL)
        return -ENOMEM;
    ring->buffer_ring = io_uring_setup_buf_ring(&ring->uring, options->buffers, RING_BUFFER_GROUP, 0, &error);
    if (ring->buffer_ring == NULL)
        return error;
    for (unsigned id = 0; id < options->buffers; id++)
        give_buffer(ring, id);
    return 0;
}

int ring_create(const struct ring_options *options, struct ring **ret_ring) {
    struct ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL)
        return -ENOMEM;
    ring->before_submit = options->before_submit;
    ring->context = options->context;
    struct io_uring_params params = {
        .flags =
            IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
        .cq_entries = options->entries * RING_CQ_FACTOR,
    };
    int error = io_uring_queue_init_params(options->entries, &ring->uring, &params);
    if (error != 0) {
        free(ring);
        return error;
    }
    error = create_buffers(ring, options);
    if (error != 0) {
        ring_destroy(ring);
        return error;
    }
    *ret_ring = ring;
    return 0;
}

void ring_destroy(struct ring *ring) {
    if (ring == NULL)
        return;
    if (ring->buffer_ring != NULL)
        (void)io_uring_free_buf_ring(&ring->uring, ring->buffer_ring, ring->buffers_count,
                                     RING_BUFFER_GROUP); /* ends anyway */
    io_uring_queue_exit(&ring->uring);
    free(ring->buffers);
    free(ring);
}

static void prepare_enter(struct ring *ring) {
    ring->counts.enters++;
    if (ring->before_submit != NULL)
        ring->before_submit(ring->context);
}

/* A full submission queue is emptied into the kernel: that is what makes it have room again. */
static struct io_uring_sqe *next_sqe(struct ring *ring) {
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
    while (sqe == NULL) {
        prepare_enter(ring);
        (void)io_uring_submit(&ring->uring); /* -EBUSY and -EAGAIN pass; the next turn tries again */
        sqe = io_uring_get_sqe(&ring->uring);
    }
    ring->counts.submitted++;
    return sqe;
}

void ring_add_accept(struct ring *ring, int fd, struct ring_key key) {
    struct io_uring_sqe *sqe = next_sqe(ring);
    io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(sqe, ring_key_pack(RING_ACCEPT, key));
}

void ring_add_receive(struct ring *ring, int fd, struct ring_key key) {
    struct io_uring_sqe *sqe = next_sqe(ring);
    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = RING_BUFFER_GROUP;
    io_uring_sqe_set_data64(sqe, ring_key_pack(RING_RECEIVE, key));
}

void ring_add_read(struct ring *ring, int fd, struct ring_key key) {
    struct io_uring_sqe *sqe = next_sqe(ring);
    io_uring_prep_read(sqe, fd, &ring->eventfd_count, sizeof ring->eventfd_count, 0);
    io_uring_sqe_set_data64(sqe, ring_key_pack(RING_READ, key));
}

void ring_add_send(struct ring *ring, int fd, struct ring_key key, const struct msghdr *message) {
    struct io_uring_sqe *sqe = next_sqe(ring);
    io_uring_prep_sendmsg(sqe, fd, message, MSG_NOSIGNAL);
    io_uring_sqe_set_data64(sqe, ring_key_pack(RING_SEND, key));
}

void ring_add_cancel(struct ring *ring, enum ring_op op, struct ring_key key) {
    struct io_uring_sqe *sqe = next_sqe(ring);
    io_uring_prep_cancel64(sqe, ring_key_pack(op, key), 0);
    io_uring_sqe_set_data64(sqe, ring_key_pack(RING_CANCEL, key));
}

void ring_add_close(struct ring *ring, int fd) {
    struct io_uring_sqe *sqe = next_sqe(ring);
    io_uring_prep_close(sqe, fd);
    io_uring_sqe_set_data64(sqe, ring_key_pack(RING_CLOSE, (struct ring_key){0, 0}));
}

/* The buffer goes back right after its bytes were handled: idle connections hold none, and -ENOBUFS can only mean that
 * one turn brought more than all buffers hold. */
static void handle_completion(struct ring *ring, const struct io_uring_cqe *cqe,
                              void (*handle)(void *context, const struct ring_event *event), void *context) {
    struct ring_event event = {.result = cqe->res, .more = (cqe->flags & IORING_CQE_F_MORE) != 0};
    event.op = ring_key_unpack(cqe->user_data, &event.key);
    bool has_buffer = (cqe->flags & IORING_CQE_F_BUFFER) != 0;
    unsigned buffer_id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    if (event.op == RING_RECEIVE) {
        ring->counts.receives++;
        ring->counts.buffers_exhausted += cqe->res == -ENOBUFS;
        if (has_buffer && cqe->res > 0)
            event.bytes = (struct quire_slice){buffer_of(ring, buffer_id), (size_t)cqe->res};
    }
    handle(context, &event);
    if (has_buffer)
        give_buffer(ring, buffer_id);
}

void ring_wait(struct ring *ring, uint64_t timeout_ns, void (*handle)(void *context, const struct ring_event *event),
               void *context) {
    struct __kernel_timespec timeout = {.tv_sec = (long long)(timeout_ns / 1000000000u),
                                        .tv_nsec = (long long)(timeout_ns % 1000000000u)};
    struct io_uring_cqe *cqes[RING_EVENTS_AT_ONCE];
    struct io_uring_cqe *first = NULL;
    prepare_enter(ring);
    /* -ETIME, -EINTR, -EAGAIN and -EBUSY all mean: look at what is there and come back. */
    (void)io_uring_submit_and_wait_timeout(&ring->uring, &first, 1, &timeout, NULL);
    unsigned count;
    while ((count = io_uring_peek_batch_cqe(&ring->uring, cqes, RING_EVENTS_AT_ONCE)) > 0) {
        for (unsigned i = 0; i < count; i++)
            handle_completion(ring, cqes[i], handle, context);
        io_uring_cq_advance(&ring->uring, count);
        ring->counts.completed += count;
        if (count < RING_EVENTS_AT_ONCE)
            break; /* what arrived meanwhile waits for the caller's timers */
    }
}

const struct ring_counts *ring_counts_of(const struct ring *ring) {
    return &ring->counts;
}
