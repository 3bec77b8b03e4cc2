/* One request from its head to its answer: the file where HTTP, transcoding, the table of waiting requests and Kafka
 * meet.
 *
 * Ring thread only. A connection owns its exchanges; an exchange is in exactly one of the states below, and exchange.c
 * alone moves it. While it WAITS, or its body is ASIDE, the inflight table (or the health question) knows it too, and
 * exchange_abandon makes them forget it. */
#ifndef QUIRE_GATEWAY_EXCHANGE_H
#define QUIRE_GATEWAY_EXCHANGE_H

#include "gateway/fields.h"
#include "gateway/shard.h"
#include "gateway/target.h"
#include "gateway/transcode.h"

enum exchange_state {
    EXCHANGE_READING,  /* head or body are still coming */
    EXCHANGE_QUEUED,   /* complete; not begun */
    EXCHANGE_ASIDE,    /* in the hands of the thread beside the ring: its body before it WAITS, or its reply after */
    EXCHANGE_WAITING,  /* for a reply, or for the health question */
    EXCHANGE_ANSWERED, /* `answer` is ready to be sent */
};

#define EXCHANGE_FINGERPRINT_BYTES 32u /* SHA-256 */

/* Bodies and values from here on are transcoded by the thread beside the ring: a megabyte takes two to five
 * milliseconds, and 15 of them are within the contract. */
#define EXCHANGE_ASIDE_BYTES (256u * 1024)

/* What the inflight table holds. The first member of whatever waits. */
struct waiter {
    enum waiter_kind { WAITER_EXCHANGE, WAITER_HEALTH } kind;
};

struct exchange {
    struct waiter waiter;
    enum exchange_state state;
    struct shard *shard;
    struct connection *connection;
    struct exchange *next;        /* the connection's next younger one */
    struct exchange *next_asking; /* for /health */
    struct quire_arena arena;     /* head, answer's head */
    struct quire_arena work;      /* transcoding, answer's content */
    struct http_head head;
    struct target target;
    struct route_match match;
    struct body body;
    uint32_t share;         /* of the body budget: the client's, from the head on */
    size_t held_bytes;      /* of it, beside `body` */
    struct problem refusal; /* status 0: none. What the head alone settles */
    struct quire_slice request_id, traceparent, idempotency_key;
    struct inflight_id id;       /* while WAITING for a reply, or ASIDE with a body */
    struct admission_lane *lane; /* from sending on; it counts this exchange while WAITING for a reply */
    struct aside_job job;        /* while ASIDE; what it leaves is below. given_up: nobody waits for that any more */
    bool transcoded, given_up, expired;
    struct problem problem; /* of a body that was not transcoded */
    struct transcode_encoded encoded;
    struct transcode_decoded decoded;
    uint8_t *given_value; /* of the encoded, on the heap: the producer's when it is sent. NULL: it is copied */
    uint8_t fingerprint[EXCHANGE_FINGERPRINT_BYTES];
    struct bus_reply reply;                                                       /* while it is decoded */
    uint64_t begun_ns, complete_ns, started_ns, sent_ns, replied_ns, answered_ns; /* 0: not yet */
    uint64_t deadline_ns, deadline_ms;                                            /* monotonic; wall clock */
    uint32_t timeout_ms;
    bool has_session, keeps_body, wants_continue, close_after;
    bool refused; /* met a bound of the gateway's, or is paced */
    unsigned status;
    struct quire_slice answer_head, answer_content; /* content is empty for HEAD */
    uint8_t session[QUIRE_SESSION_BYTES];
    char token[47]; /* minted for this request; wiped */
    char own_request_id[37], own_traceparent[FIELDS_TRACEPARENT_CHARACTERS + 1];
    char client[CLIENT_ADDRESS_CHARACTERS + 1];
};

/* NULL without memory. */
QUIRE_MUSTCHECK struct exchange *exchange_take(struct shard *shard, struct connection *connection);
/* Back to the shard; everything it held is given back. It doesn't wait. One that is ASIDE comes back later by itself.
 */
void exchange_give(struct exchange *exchange);
/* Frees the shard's spare ones. */
void exchange_pool_clear(struct shard *shard);

/* The head is complete: settles everything that it alone settles (`refusal`), and whether the body is kept. `peer` is
 * who is connected. */
void exchange_read_head(struct exchange *exchange, const struct http_head *head, struct client_address peer);
/* A piece of the body: kept or dropped. */
void exchange_read_body(struct exchange *exchange, struct quire_slice piece);
/* True when the refusal has to be sent before the body has come: it isn't worth reading. */
bool exchange_refuses_early(const struct exchange *exchange);
/* The message is complete: READING -> QUEUED. */
void exchange_end_body(struct exchange *exchange);
/* Sends the refusal now, with the body unread: READING -> ANSWERED, and the connection closes after it. */
void exchange_refuse(struct exchange *exchange);
/* The message can't be read further: READING -> ANSWERED, and the connection closes after it. `head` is what is known
 * of it. */
void exchange_break(struct exchange *exchange, const struct http_head *head, struct client_address peer,
                    unsigned status, const char *detail);
/* The lane, of the call's service, that a message goes to. */
static inline uint32_t exchange_lane(const struct quire_call *call, size_t message_bytes) {
    return message_bytes > QUIRE_BULK_BYTES ? call->bulk_lane : call->lane;
}
/* Whether the call's lane has room for the request, whose message is taken to be as large as its body. */
QUIRE_MUSTCHECK bool exchange_has_room(struct exchange *exchange, size_t body_bytes);
/* Does it change nothing (RFC 9110 9.2.1)? Then it may run beside others of its connection. */
bool exchange_is_safe(const struct exchange *exchange);
/* QUEUED -> ASIDE, WAITING or ANSWERED. */
void exchange_start(struct exchange *exchange);
/* WAITING -> ANSWERED, or ASIDE: then the reply is taken over. The exchange is out of the inflight table already. */
void exchange_receive(struct exchange *exchange, struct bus_reply *reply);
/* WAITING -> ANSWERED; ASIDE: it is answered so when it comes back. */
void exchange_expire(struct exchange *exchange);
/* WAITING -> ANSWERED: the answer to /health, which is copied. */
void exchange_receive_health(struct exchange *exchange, bool healthy, struct quire_slice json);
/* Its connection is gone: nobody waits any more. Any state; one that is ASIDE stays so. */
void exchange_abandon(struct exchange *exchange);

#endif
