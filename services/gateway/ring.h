/* One thread's io_uring: operations that are armed here and completions that come back as events.
 *
 * One thread creates and uses a ring (IORING_SETUP_SINGLE_ISSUER). Every operation ends in exactly one final event,
 * also when it is cancelled; a multishot one ends in the event whose `more` is false, and is then armed again by its
 * owner, on success too. An event finds its object by slot and generation. Knows no HTTP. */
#ifndef QUIRE_GATEWAY_RING_H
#define QUIRE_GATEWAY_RING_H

#include "base/slice.h"

#include <sys/socket.h>

struct ring;

enum ring_op { RING_ACCEPT = 1, RING_RECEIVE, RING_SEND, RING_READ, RING_CANCEL, RING_CLOSE };

#define RING_SLOT_MAX ((1u << 24) - 1)

/* Whose completion it is; slot is at most RING_SLOT_MAX. */
struct ring_key {
    uint32_t slot, generation;
};

struct ring_event {
    enum ring_op op;
    struct ring_key key;
    int result;               /* of the system call: 0 or more, or a negative errno */
    bool more;                /* a multishot operation is still armed */
    struct quire_slice bytes; /* RING_RECEIVE: valid during the handler only */
};

struct ring_options {
    unsigned
        entries; /* of the submission queue, a power of two; the completion queue has RING_CQ_FACTOR times as many */
    unsigned buffers;      /* receive buffers, a power of two, at most 32768 */
    unsigned buffer_bytes; /* of each */
    /* Called before anything that is armed begins: in each ring_wait, and wherever the submission queue is full. It may
     * arm nothing. NULL: none. */
    void (*before_submit)(void *context);
    void *context;
};

/* What a ring has done so far. */
struct ring_counts {
    uint64_t enters, submitted, completed, receives, buffers_exhausted;
};

/* 0 or a negative errno; see probe.h for what it means. */
QUIRE_MUSTCHECK int ring_create(const struct ring_options *options, struct ring **ret_ring);
/* Pending operations are given up by the kernel. Takes NULL. */
void ring_destroy(struct ring *ring);

/* Each arms one operation; it is submitted with the next ring_wait. */
void ring_add_accept(struct ring *ring, int fd, struct ring_key key);  /* multishot */
void ring_add_receive(struct ring *ring, int fd, struct ring_key key); /* multishot */
/* Reads the 8 bytes of an eventfd, waiting for them: one completion wakes the ring and empties the counter. One at a
 * time a ring. */
void ring_add_read(struct ring *ring, int fd, struct ring_key key);
/* `message` and what it points to must live until the event. */
void ring_add_send(struct ring *ring, int fd, struct ring_key key, const struct msghdr *message);
/* Asks for the end of op of key; its final event comes as always (-ECANCELED when it was still armed). */
void ring_add_cancel(struct ring *ring, enum ring_op op, struct ring_key key);
/* Closes fd once everything armed before has been submitted. */
void ring_add_close(struct ring *ring, int fd);

/* Submits, waits for at least one completion or until timeout_ns has passed, and hands out every completion that is
 * there. */
void ring_wait(struct ring *ring, uint64_t timeout_ns, void (*handle)(void *context, const struct ring_event *event),
               void *context);

const struct ring_counts *ring_counts_of(const struct ring *ring);

/* user_data: 63..56 op | 55..32 slot | 31..0 generation */
uint64_t ring_key_pack(enum ring_op op, struct ring_key key);
enum ring_op ring_key_unpack(uint64_t user_data, struct ring_key *ret_key);

#endif
