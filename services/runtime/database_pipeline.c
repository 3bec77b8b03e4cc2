#include "base/clock.h"
#include "runtime/database_internal.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define TIMEOUT_MIN_MS 20u /* less would now and then end what takes no time at all, on a machine that is busy */
#define GRACE_NS (UINT64_C(100) * MS_NS) /* the server's own time-out answers first, if it answers at all */

uint32_t pipeline_timeout_step(uint64_t remaining_ms) {
    if (remaining_ms < TIMEOUT_MIN_MS)
        return TIMEOUT_MIN_MS;
    if (remaining_ms > 3600000)
        remaining_ms = 3600000;
    unsigned shift = 0;
    while (remaining_ms >> shift > 15) /* four significant bits: at most an eighth is given away */
        shift++;
    return (uint32_t)(remaining_ms >> shift << shift);
}

static void lose(struct pipeline *pipeline, const char *error) {
    if (pipeline->lost)
        return;
    pipeline->lost = true;
    snprintf(pipeline->error, sizeof pipeline->error, "%s",
             error[0] == '\0' ? "the server closed the connection" : error);
    for (char *c = pipeline->error; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
}

static struct entry *entry_add(struct pipeline *pipeline) {
    if (pipeline->count == pipeline->capacity) {
        size_t capacity = pipeline->capacity == 0 ? 16 : pipeline->capacity * 2;
        struct entry *entries = realloc(pipeline->entries, capacity * sizeof *entries);
        if (entries == NULL)
            return NULL;
        pipeline->entries = entries;
        pipeline->capacity = capacity;
    }
    struct entry *entry = &pipeline->entries[pipeline->count++];
    *entry = (struct entry){0};
    return entry;
}

/* Queues one statement with its sync. libpq buffers what the socket doesn't take, and reads while it writes, so this
 * never blocks. */
static bool send_entry(struct pipeline *pipeline, struct entry *entry, int count, const char *const *values,
                       const int *lengths) {
    static const int binary[QUIRE_PARAMETERS_MAX] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    PGconn *pg = pipeline->connection->pg;
    if (PQsendQueryPrepared(pg, entry->name, count, values, lengths, binary, 1) == 1 && PQsendPipelineSync(pg) == 1)
        return true;
    pipeline->count--; /* it owes nothing that could be told apart */
    lose(pipeline, PQerrorMessage(pg));
    return false;
}

/* statement_timeout must end a statement before its deadline, but is changed (a statement of its own) only where it is
 * too long, or cuts off more than a quarter of the time that is left. */
static bool suit_timeout(struct pipeline *pipeline, uint64_t remaining_ms, uint64_t deadline_ns) {
    struct connection *connection = pipeline->connection;
    uint32_t now_ms = connection->timeout_ms;
    if (now_ms != 0 && (now_ms <= remaining_ms || now_ms == TIMEOUT_MIN_MS) &&
        (now_ms >= remaining_ms / 4 * 3 || now_ms == pipeline_timeout_step(remaining_ms)))
        return true;
    uint32_t timeout_ms = pipeline_timeout_step(remaining_ms);
    struct entry *entry = entry_add(pipeline);
    if (entry == NULL)
        return false;
    char text[16];
    int length = snprintf(text, sizeof text, "%" PRIu32, timeout_ms);
    entry->name = STATEMENT_TIMEOUT;
    entry->deadline_ns = deadline_ns;
    entry->timeout_ms = now_ms == 0 ? timeout_ms : now_ms;
    if (!send_entry(pipeline, entry, 1, (const char *const[]){text}, &length))
        return false;
    connection->timeout_ms = timeout_ms; /* if it fails, take() says that it is unknown */
    return true;
}

bool pipeline_push(struct pipeline *pipeline, const char *name, const struct quire_parameters *parameters,
                   uint64_t deadline_ns, struct quire_query *query) {
    if (pipeline->connection == NULL || pipeline->lost)
        return false;
    uint64_t now_ns = quire_monotonic_ns();
    uint64_t remaining_ms = deadline_ns > now_ns ? (deadline_ns - now_ns) / MS_NS : 0;
    if (!suit_timeout(pipeline, remaining_ms, deadline_ns))
        return false;
    struct entry *entry = entry_add(pipeline);
    if (entry == NULL)
        return false;
    entry->name = name;
    entry->parameters = parameters;
    entry->deadline_ns = deadline_ns;
    entry->timeout_ms = pipeline->connection->timeout_ms;
    entry->query = query;
    return send_entry(pipeline, entry, parameters == NULL ? 0 : parameters->count,
                      parameters == NULL ? NULL : parameters->values, parameters == NULL ? NULL : parameters->lengths);
}

static bool active(const struct pipeline *pipeline) {
    return pipeline->connection != NULL && !pipeline->lost && pipeline->head < pipeline->count;
}

/* When the head must have been answered: its deadline, or the whole time that the server gives it since its turn came,
 * whichever is later, but never past the latest deadline of the run: a caller with hardly any time left must not cost
 * the others the connection. */
static uint64_t head_bound(const struct pipeline *pipeline, uint64_t last_deadline_ns) {
    const struct entry *head = &pipeline->entries[pipeline->head];
    uint64_t bound_ns = pipeline->head_ns + head->timeout_ms * MS_NS;
    if (bound_ns < head->deadline_ns)
        bound_ns = head->deadline_ns;
    if (bound_ns > last_deadline_ns)
        bound_ns = last_deadline_ns;
    bound_ns += GRACE_NS;
    bool silent = pipeline->head == 0 && pipeline->owes == OWES_RESULT;
    uint64_t first_ns = pipeline->begun_ns + pipeline->first_answer_ms * MS_NS;
    return silent && pipeline->first_answer_ms != 0 && first_ns < bound_ns ? first_ns : bound_ns;
}

static uint64_t last_deadline(const struct pipeline *pipeline) {
    uint64_t last_ns = 0;
    for (size_t i = 0; i < pipeline->count; i++)
        if (pipeline->entries[i].deadline_ns > last_ns)
            last_ns = pipeline->entries[i].deadline_ns;
    return last_ns;
}

/* Takes one result; false when the connection is lost. */
static bool take(struct pipeline *pipeline, PGresult *result) {
    struct entry *head = &pipeline->entries[pipeline->head];
    ExecStatusType status = result == NULL ? PGRES_EMPTY_QUERY : PQresultStatus(result);
    switch (pipeline->owes) {
    case OWES_RESULT:
        if (result == NULL || status == PGRES_PIPELINE_SYNC)
            break;
        if (status != PGRES_TUPLES_OK && strcmp(head->name, STATEMENT_TIMEOUT) == 0)
            pipeline->connection->timeout_ms = 0; /* set again by the next push */
        head->result = result;
        if (head->query != NULL)
            head->query->kept = pipeline->connection->kept;
        pipeline->connection->kept = false;
        pipeline->owes = OWES_NULL;
        return true;
    case OWES_NULL:
        if (result != NULL)
            break;
        pipeline->owes = OWES_SYNC;
        return true;
    case OWES_SYNC:
        if (result == NULL || status != PGRES_PIPELINE_SYNC)
            break;
        PQclear(result);
        pipeline->owes = OWES_RESULT;
        pipeline->head++;
        pipeline->head_ns = quire_monotonic_ns();
        if (head->query != NULL)
            head->query->took_ns = pipeline->head_ns - pipeline->begun_ns;
        return true;
    }
    PQclear(result);
    return false;
}

/* Takes all results that have arrived. */
static void gather(struct pipeline *pipeline) {
    PGconn *pg = pipeline->connection->pg;
    while (active(pipeline) && PQisBusy(pg) == 0) {
        if (!take(pipeline, PQgetResult(pg)) || PQstatus(pg) == CONNECTION_BAD)
            lose(pipeline, PQerrorMessage(pg));
    }
}

static void serve(struct pipeline *pipeline, short events) {
    PGconn *pg = pipeline->connection->pg;
    if ((events & (POLLIN | POLLERR | POLLHUP | POLLNVAL)) != 0) {
        int consumed = PQconsumeInput(pg);
        gather(pipeline); /* what came before the end still counts */
        if (consumed != 1)
            lose(pipeline, PQerrorMessage(pg));
    }
    if (active(pipeline) && PQflush(pg) < 0)
        lose(pipeline, PQerrorMessage(pg));
}

/* One poll over all that are active; false when none is. */
static bool turn(struct pipeline *const *pipelines, const uint64_t *deadlines_ns, size_t count) {
    struct pollfd fds[SERVERS_MAX];
    uint64_t bound_ns = UINT64_MAX, now_ns = quire_monotonic_ns();
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        fds[i] = (struct pollfd){.fd = -1};
        struct pipeline *pipeline = pipelines[i];
        int unsent = active(pipeline) ? PQflush(pipeline->connection->pg) : 0;
        if (unsent < 0)
            lose(pipeline, PQerrorMessage(pipeline->connection->pg));
        if (!active(pipeline))
            continue;
        any = true;
        fds[i].fd = PQsocket(pipeline->connection->pg);
        fds[i].events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0));
        uint64_t head_ns = head_bound(pipeline, deadlines_ns[i]);
        if (head_ns < bound_ns)
            bound_ns = head_ns;
    }
    if (!any)
        return false;
    int ready = poll(fds, count, bound_ns > now_ns ? (int)((bound_ns - now_ns) / MS_NS) + 1 : 0);
    now_ns = quire_monotonic_ns();
    for (size_t i = 0; i < count; i++) {
        if (ready > 0 && fds[i].fd >= 0 && fds[i].revents != 0)
            serve(pipelines[i], fds[i].revents);
        if (active(pipelines[i]) && now_ns >= head_bound(pipelines[i], deadlines_ns[i])) {
            pipelines[i]->late = true;
            lose(pipelines[i], "no answer in time");
        }
    }
    return true;
}

void pipelines_run(struct pipeline *const *pipelines, size_t count) {
    uint64_t deadlines_ns[SERVERS_MAX] = {0}, now_ns = quire_monotonic_ns();
    for (size_t i = 0; i < count; i++) {
        pipelines[i]->begun_ns = pipelines[i]->head_ns = now_ns;
        deadlines_ns[i] = last_deadline(pipelines[i]);
        if (active(pipelines[i]))
            gather(pipelines[i]); /* libpq may have read already while it wrote */
    }
    while (turn(pipelines, deadlines_ns, count))
        ;
}

void pipeline_reset(struct pipeline *pipeline) {
    for (size_t i = 0; i < pipeline->count; i++)
        PQclear(pipeline->entries[i].result);
    pipeline->count = pipeline->head = 0;
    pipeline->owes = OWES_RESULT;
    pipeline->first_answer_ms = 0;
    pipeline->lost = pipeline->late = false;
    pipeline->error[0] = '\0';
}

void pipeline_deinit(struct pipeline *pipeline) {
    pipeline_reset(pipeline);
    free(pipeline->entries);
    *pipeline = (struct pipeline){0};
}
