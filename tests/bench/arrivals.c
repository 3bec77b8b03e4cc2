/* Open loop: requests arrive at a constant rate, whether or not the earlier ones have been answered.
 *
 *     arrivals PORT REQUESTS_FILE RATE SECONDS CONNECTIONS
 *
 * A closed loop asks less of a server that is slow, and so leaves out the waiting that people would do. Here a latency
 * counts from the moment at which its request was due, also when all connections were busy then ("coordinated
 * omission"; Tene, "How NOT to Measure Latency"). What has no answer DRAIN_NS after the last was sent counts with the
 * time that it has waited; what was never sent is told apart from what was and has failed. `outcomes` tells the same by
 * kind of answer, and beside it the time from sending alone, which is the server's. An answer's time is when its last
 * bytes reached the socket, as the kernel noted it (SO_TIMESTAMPNS, socket(7)): how long they then lie there is this
 * program's doing, and on a busy machine that is a lot. REQUESTS_FILE: for each request a line with its bytes, in
 * decimal, then the bytes; sent to 127.0.0.1:PORT one after the other, again and again. Answers must carry a
 * Content-Length. Prints one JSON line. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_A_SECOND 1000000000ull
#define LATE_NS NS_A_SECOND /* behind the end: what couldn't be sent by then is sent no more */
#define DRAIN_NS (5 * NS_A_SECOND)
#define IDLE_WAIT_NS (NS_A_SECOND / 10)
#define HEAD_BYTES_MAX 8192
#define REQUESTS_MAX 65536
#define ARRIVALS_MAX 50000000ull
#define CONNECTIONS_MAX 60000ul
#define EVENTS_MAX 512
#define STARTS_MAX                                                                                                     \
    64 /* between two looks at the answers: who is late sends no crowd at once, which nobody asked for                 \
        */

struct call {
    char *bytes;
    size_t size;
};

/* Busy from the start of a call until its answer is whole; else its index stands in the queue of the idle. */
struct connection {
    int fd;
    bool busy, told_room; /* told_room: epoll tells when there is room to send, as a large call once found none */
    uint64_t due_ns, begun_ns;
    const struct call *call;
    size_t sent_bytes, head_bytes, body_left_bytes;
    bool in_body, closes;
    int status;
    char head[HEAD_BYTES_MAX + 1];
};

/* UNSENT: this program never got round to it, or every connection still waited for an answer. */
enum outcome { SERVED, LIMITED, REFUSED, EXPIRED, FAILED, UNSENT, OUTCOMES };
static const char *const outcome_names[OUTCOMES] = {"served", "limited", "refused", "expired", "failed", "unsent"};

struct sample {
    uint32_t due_us, sent_us; /* from when it was due, from when it was sent */
    uint8_t outcome;
    bool in_time; /* answered before the end */
};

struct run {
    uint16_t port;
    struct call *calls;
    size_t calls_count;
    struct connection *connections;
    size_t connections_count;
    size_t *idle; /* a ring, so that all connections are used in turn */
    size_t idle_first, idle_count;
    int epoll;
    uint64_t begin_ns, end_ns, rate;
    uint64_t arrivals, started; /* in all; begun so far */
    struct sample *samples;
    size_t samples_count, answered_in_time, status_errors, socket_errors;
    uint64_t wall_ahead_ns; /* of CLOCK_REALTIME, whose times the kernel notes, before CLOCK_MONOTONIC */
};

static uint64_t ns_of(struct timespec time) {
    return (uint64_t)time.tv_sec * NS_A_SECOND + (uint64_t)time.tv_nsec;
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return ns_of(now);
}

static uint64_t now_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL)
        die("calloc");
    return memory;
}

static void read_calls(struct run *run, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        die(path);
    run->calls = allocate(REQUESTS_MAX, sizeof(*run->calls));
    size_t size = 0;
    while (run->calls_count < REQUESTS_MAX && fscanf(file, "%zu", &size) == 1 && fgetc(file) == '\n') {
        struct call *call = &run->calls[run->calls_count++];
        call->size = size;
        call->bytes = allocate(1, size);
        if (fread(call->bytes, 1, size, file) != size)
            die("a request is shorter than its line says");
    }
    fclose(file);
    if (run->calls_count == 0)
        die("no request");
}

static void watch(const struct run *run, struct connection *connection, int how) {
    struct epoll_event event = {.events = EPOLLIN | (connection->told_room ? EPOLLOUT : 0) | EPOLLRDHUP | EPOLLET,
                                .data.ptr = connection};
    if (epoll_ctl(run->epoll, how, connection->fd, &event) != 0)
        die("epoll_ctl");
}

static void open_connection(struct run *run, struct connection *connection) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(run->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int yes = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connect(connection->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        die("connect");
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (setsockopt(connection->fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes)) != 0)
        die("SO_TIMESTAMPNS");
    if (fcntl(connection->fd, F_SETFL, O_NONBLOCK) != 0)
        die("fcntl");
    connection->told_room = false;
    watch(run, connection, EPOLL_CTL_ADD);
}

static void give_idle(struct run *run, const struct connection *connection) {
    run->idle[(run->idle_first + run->idle_count++) % run->connections_count] = (size_t)(connection - run->connections);
}

static struct connection *take_idle(struct run *run) {
    struct connection *connection = &run->connections[run->idle[run->idle_first]];
    run->idle_first = (run->idle_first + 1) % run->connections_count;
    run->idle_count--;
    return connection;
}

static enum outcome outcome_of(int status) {
    return status >= 200 && status <= 399 ? SERVED
           : status == 429                ? LIMITED
           : status == 503                ? REFUSED
           : status == 504                ? EXPIRED
                                          : FAILED;
}

static void note(struct run *run, uint64_t due_ns, uint64_t sent_ns, uint64_t now, enum outcome outcome) {
    run->samples[run->samples_count++] = (struct sample){.due_us = (uint32_t)((now - due_ns) / 1000),
                                                         .sent_us = (uint32_t)((now - sent_ns) / 1000),
                                                         .outcome = (uint8_t)outcome,
                                                         .in_time = outcome < FAILED && now <= run->end_ns};
}

static void finish(struct run *run, struct connection *connection, uint64_t now) {
    note(run, connection->due_ns, connection->begun_ns, now, outcome_of(connection->status));
    run->answered_in_time += now <= run->end_ns;
    run->status_errors += connection->status < 200 || connection->status > 399;
    connection->busy = false;
    if (connection->closes) {
        close(connection->fd);
        open_connection(run, connection);
    }
    give_idle(run, connection);
}

/* The peer has closed. A call that waited there has failed; its wait is noted all the same. */
static void lose(struct run *run, struct connection *connection, uint64_t now) {
    close(connection->fd);
    open_connection(run, connection);
    if (!connection->busy)
        return; /* it stays in the queue of the idle */
    run->socket_errors++;
    note(run, connection->due_ns, connection->begun_ns, now, FAILED);
    connection->busy = false;
    give_idle(run, connection);
}

/* False when the connection is lost. Most calls never find the socket full, and would be woken up for nothing. */
static bool send_more(const struct run *run, struct connection *connection) {
    while (connection->busy && connection->sent_bytes < connection->call->size) {
        const ssize_t count = send(connection->fd, connection->call->bytes + connection->sent_bytes,
                                   connection->call->size - connection->sent_bytes, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN && !connection->told_room) {
            connection->told_room = true;
            watch(run, connection, EPOLL_CTL_MOD);
        }
        if (count < 0)
            return errno == EAGAIN || errno == EINTR;
        connection->sent_bytes += (size_t)count;
    }
    return true;
}

static void start(struct run *run, struct connection *connection) {
    connection->busy = true;
    connection->due_ns = run->begin_ns + run->started * NS_A_SECOND / run->rate;
    connection->begun_ns = now_ns();
    connection->call = &run->calls[run->started % run->calls_count];
    connection->sent_bytes = connection->head_bytes = connection->body_left_bytes = 0;
    connection->in_body = connection->closes = false;
    connection->status = 0;
    run->started++;
    if (!send_more(run, connection))
        lose(run, connection, now_ns());
}

/* True once the head is whole: what of the body came with it is taken off. False: more is to come. */
static bool read_head(struct connection *connection) {
    connection->head[connection->head_bytes] = '\0';
    const char *end = strstr(connection->head, "\r\n\r\n");
    if (end == NULL)
        return false;
    const char *length = strcasestr(connection->head, "\r\ncontent-length:");
    const size_t body_bytes = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
    const size_t came = connection->head_bytes - (size_t)(end + 4 - connection->head);
    const char *close_header = strcasestr(connection->head, "\r\nconnection: close");
    connection->closes = close_header != NULL && close_header < end;
    connection->status = atoi(connection->head + strlen("HTTP/1.1 "));
    connection->body_left_bytes = body_bytes > came ? body_bytes - came : 0;
    connection->in_body = true;
    return true;
}

/* As recv(2); and when the last of the bytes had come. */
static ssize_t receive(const struct run *run, int fd, void *target, size_t room, uint64_t *ret_arrived_ns) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec piece = {.iov_base = target, .iov_len = room};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    const ssize_t count = recvmsg(fd, &message, 0);
    const struct cmsghdr *note = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    const uint64_t now = now_ns();
    *ret_arrived_ns = now;
    if (note != NULL && note->cmsg_level == SOL_SOCKET && note->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec noted;
        memcpy(&noted, CMSG_DATA(note), sizeof(noted));
        if (ns_of(noted) - run->wall_ahead_ns < now)
            *ret_arrived_ns = ns_of(noted) - run->wall_ahead_ns;
    }
    return count;
}

/* Reads until the socket is empty. False when the connection is lost. */
static bool receive_more(struct run *run, struct connection *connection) {
    static char scrap[1 << 16];
    uint64_t arrived_ns;
    while (true) {
        char *target = connection->in_body ? scrap : connection->head + connection->head_bytes;
        const size_t room = connection->in_body ? sizeof(scrap) : HEAD_BYTES_MAX - connection->head_bytes;
        const ssize_t count = receive(run, connection->fd, target, room, &arrived_ns);
        if (count < 0)
            return errno == EAGAIN || errno == EINTR;
        if (count == 0 || !connection->busy)
            return false; /* closed, a head that is too long, or an answer to nothing */
        if (connection->in_body) {
            connection->body_left_bytes -=
                (size_t)count < connection->body_left_bytes ? (size_t)count : connection->body_left_bytes;
        } else {
            connection->head_bytes += (size_t)count;
            (void)read_head(connection);
        }
        if (connection->in_body && connection->body_left_bytes == 0) {
            finish(run, connection, arrived_ns < connection->begun_ns ? connection->begun_ns : arrived_ns);
            return true; /* nothing more is asked of it until it is busy again */
        }
    }
}

static bool may_start(const struct run *run, uint64_t now) {
    return run->started < run->arrivals && run->idle_count > 0 && now < run->end_ns + LATE_NS;
}

static void start_due(struct run *run, uint64_t now) {
    if (now < run->begin_ns || !may_start(run, now))
        return;
    uint64_t due = (now - run->begin_ns) * run->rate / NS_A_SECOND + 1;
    if (due > run->arrivals)
        due = run->arrivals;
    for (unsigned i = 0; i < STARTS_MAX && run->started < due && run->idle_count > 0; i++)
        start(run, take_idle(run));
}

static void wait_for_events(struct run *run, uint64_t now) {
    struct epoll_event events[EVENTS_MAX];
    uint64_t wait_ns = IDLE_WAIT_NS;
    if (may_start(run, now)) {
        const uint64_t due_ns = run->begin_ns + run->started * NS_A_SECOND / run->rate;
        wait_ns = due_ns > now ? due_ns - now : 0;
    }
    const struct timespec wait = {.tv_sec = (time_t)(wait_ns / NS_A_SECOND), .tv_nsec = (long)(wait_ns % NS_A_SECOND)};
    const int count = epoll_pwait2(run->epoll, events, EVENTS_MAX, &wait, NULL);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if (!send_more(run, connection) || !receive_more(run, connection))
            lose(run, connection, now_ns());
    }
}

/* Returns how many were never answered. */
static size_t run_arrivals(struct run *run) {
    const uint64_t last_ns = run->end_ns + LATE_NS;
    uint64_t now = now_ns();
    while (now < last_ns + DRAIN_NS && run->samples_count < (now < last_ns ? run->arrivals : run->started)) {
        run->wall_ahead_ns = clock_ns(CLOCK_REALTIME) - now_ns(); /* it may be set meanwhile */
        start_due(run, now);
        wait_for_events(run, now);
        now = now_ns();
    }
    const size_t unanswered = (size_t)run->arrivals - run->samples_count;
    for (size_t i = 0; i < run->connections_count; i++)
        if (run->connections[i].busy)
            note(run, run->connections[i].due_ns, run->connections[i].begun_ns, now, FAILED);
    for (; run->started < run->arrivals; run->started++) {
        const uint64_t due_ns = run->begin_ns + run->started * NS_A_SECOND / run->rate;
        note(run, due_ns, due_ns, now, UNSENT);
    }
    return unanswered;
}

static int ascending(const void *a, const void *b) {
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* The due or sent times of one outcome, or of all (OUTCOMES), in ascending order. Returns how many. */
static size_t gather(const struct run *run, enum outcome outcome, bool sent, uint32_t *ret_us) {
    size_t count = 0;
    for (size_t i = 0; i < run->samples_count; i++)
        if (outcome == OUTCOMES || run->samples[i].outcome == outcome)
            ret_us[count++] = sent ? run->samples[i].sent_us : run->samples[i].due_us;
    qsort(ret_us, count, sizeof(*ret_us), ascending);
    return count;
}

static void print_times(const char *prefix, const uint32_t *us, size_t count) {
    printf(", \"%sp50_us\": %u, \"%sp95_us\": %u, \"%sp99_us\": %u, \"%smax_us\": %u", prefix,
           count == 0 ? 0 : us[count / 2], prefix, count == 0 ? 0 : us[count * 95 / 100], prefix,
           count == 0 ? 0 : us[count * 99 / 100], prefix, count == 0 ? 0 : us[count - 1]);
}

static void print_outcome(const struct run *run, enum outcome outcome, uint32_t *us) {
    size_t in_time = 0;
    for (size_t i = 0; i < run->samples_count; i++)
        in_time += run->samples[i].outcome == outcome && run->samples[i].in_time;
    const size_t count = gather(run, outcome, false, us);
    printf("%s\"%s\": {\"count\": %zu, \"in_time\": %zu", outcome == 0 ? "" : ", ", outcome_names[outcome], count,
           in_time);
    print_times("", us, count);
    print_times("sent_", us, gather(run, outcome, true, us));
    printf("}");
}

static void print_figures(struct run *run, double seconds, size_t unanswered) {
    uint32_t *us = allocate(run->samples_count, sizeof(*us));
    const size_t count = gather(run, OUTCOMES, false, us);
    printf("{\"requests\": %zu, \"offered_per_s\": %" PRIu64 ", \"requests_per_s\": %.1f, \"p50_us\": %u, "
           "\"p95_us\": %u, \"p99_us\": %u, \"max_us\": %u, \"status_errors\": %zu, \"socket_errors\": %zu, "
           "\"unanswered\": %zu, \"drained_s\": %.3f, \"outcomes\": {",
           count, run->rate, (double)run->answered_in_time / seconds, us[count / 2], us[count * 95 / 100],
           us[count * 99 / 100], us[count - 1], run->status_errors, run->socket_errors, unanswered,
           (double)(now_ns() - run->end_ns) / (double)NS_A_SECOND);
    for (enum outcome outcome = 0; outcome < OUTCOMES; outcome++)
        print_outcome(run, outcome, us);
    printf("}}\n");
    free(us);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: arrivals PORT REQUESTS_FILE RATE SECONDS CONNECTIONS\n");
        return 2;
    }
    const double seconds = strtod(argv[4], NULL);
    struct run run = {.port = (uint16_t)strtoul(argv[1], NULL, 10),
                      .rate = strtoull(argv[3], NULL, 10),
                      .connections_count = strtoul(argv[5], NULL, 10),
                      .epoll = epoll_create1(EPOLL_CLOEXEC)};
    run.arrivals = (uint64_t)((double)run.rate * seconds);
    if (run.epoll < 0 || run.arrivals == 0 || run.arrivals > ARRIVALS_MAX || run.connections_count == 0 ||
        run.connections_count > CONNECTIONS_MAX) {
        fprintf(stderr, "arrivals: a rate, a time or a number of connections that it can't do\n");
        return 2;
    }
    read_calls(&run, argv[2]);
    run.samples = allocate(run.arrivals, sizeof(*run.samples));
    run.idle = allocate(run.connections_count, sizeof(*run.idle));
    run.connections = allocate(run.connections_count, sizeof(*run.connections));
    for (size_t i = 0; i < run.connections_count; i++) {
        open_connection(&run, &run.connections[i]);
        give_idle(&run, &run.connections[i]);
    }
    run.begin_ns = now_ns() + NS_A_SECOND / 10;
    run.end_ns = run.begin_ns + (uint64_t)(seconds * (double)NS_A_SECOND);
    print_figures(&run, seconds, run_arrivals(&run));
    return 0;
}
