/* What sessions.c (the connection, publications) and sessions_check.c (the check) share; for them only. */
#ifndef QUIRE_RUNTIME_SESSIONS_INTERNAL_H
#define QUIRE_RUNTIME_SESSIONS_INTERNAL_H

#include "runtime/sessions.h"

#define NUMBER_CHARACTERS 24u

/* A rate as redis/quire.lua takes it, and as the IETF draft "RateLimit header fields for HTTP" shows it. */
struct rate {
    uint32_t pace_us; /* the period */
    char period_us[NUMBER_CHARACTERS], burst[NUMBER_CHARACTERS];
    char name[16], policy[64];
};

struct quire_sessions {
    struct quire_redis *redis;
    struct quire_log *log;
    struct quire_limits limits;
    uint32_t command_ms;
    uint64_t ticked_ns;
    uint64_t serial; /* of the connection that `warm` speaks of */
    bool warm;       /* quire:epoch was the server's run id: all live sessions are in it */
    bool told_cold;  /* the log knows */
    struct rate account, address, log_ins, registrations;
    char concurrent[NUMBER_CHARACTERS];
    char failures[NUMBER_CHARACTERS], failures_address[NUMBER_CHARACTERS], window_s[NUMBER_CHARACTERS];
    struct quire_series *verdicts[QUIRE_SESSIONS_AWAY + 1];
    struct quire_series *check_seconds, *publish_failures, *warm_gauge;
};

/* Connected; and whether warm, asking where that isn't known yet. */
bool quire_sessions_ready(struct quire_sessions *sessions, uint64_t deadline_ns);
/* Appends one call of the library to the pipeline. False: it couldn't be sent, and owes no answer. */
QUIRE_MUSTCHECK bool quire_sessions_append(struct quire_sessions *sessions, const char *function,
                                           const struct quire_slice *keys, size_t keys_count,
                                           const struct quire_slice *arguments, size_t arguments_count);
/* GET quire:epoch, and its answer: whether all live sessions were in this very server when it answered. */
QUIRE_MUSTCHECK bool quire_sessions_append_epoch(struct quire_sessions *sessions);
bool quire_sessions_read_epoch(struct quire_sessions *sessions, uint64_t deadline_ns);
/* Until when a command of now may be waited for: CLOCK_MONOTONIC. */
uint64_t quire_sessions_bound(const struct quire_sessions *sessions, uint64_t now_ns, uint64_t deadline_ns);

#endif
