/* Open loop: requests arrive at a constant rate, whether or not the earlier ones have been answered.
 *
 *     arrivals PORT REQUESTS_FILE RATE SECONDS CONNECTIONS
 *
 * A closed loop asks less of a server that is slow, and so leaves out the waiting that people would do. Here a latency
 * counts from the moment at which its request was due, also when all connections were busy then ("coordinated
 * omission"; Tene, "How NOT to Measure Latency"). What has no answer DRAIN_NS after the end counts with the time that
 * it has waited. REQUESTS_FILE: for each request a line with its bytes, in decimal, then the bytes; sent to
 * 127.0.0.1:PORT one after the other, again and again. Answers must carry a Content-Length. Prints one JSON line. */
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
#define DRAIN_NS (5 * NS_A_SECOND)
#define IDLE_WAIT_NS (NS_A_SECOND / 10)
#define HEAD_BYTES_MAX 8192
#define REQUESTS_MAX 65536
#define ARRIVALS_MAX 50000000ull
#define CONNECTIONS_MAX 60000ul
#define EVENTS_MAX 512

struct call {
    char *bytes;
    size_t size;
};

/* Busy from the start of a call until its answer is whole; else its index stands in the queue of the idle. */
struct connection {
    int fd;
    bool busy;
    uint64_t due_ns;
    const struct call *call;
    size_t sent_bytes, head_bytes, body_left_bytes;
    bool in_body, closes;
    int status;
    char head[HEAD_BYTES_MAX + 1];
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
    uint32_t *samples_us;
    size_t samples, answered_in_time, status_errors, socket_errors;
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
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

static void open_connection(struct run *run, struct connection *connection) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(run->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int yes = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connect(connection->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        die("connect");
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (fcntl(connection->fd, F_SETFL, O_NONBLOCK) != 0)
        die("fcntl");
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        die("epoll_ctl");
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

static void note_latency(struct run *run, uint64_t from_ns, uint64_t to_ns) {
    run->samples_us[run->samples++] = (uint32_t)((to_ns - from_ns) / 1000);
}

static void finish(struct run *run, struct connection *connection, uint64_t now) {
    note_latency(run, connection->due_ns, now);
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
    note_latency(run, connection->due_ns, now);
    connection->busy = false;
    give_idle(run, connection);
}

/* False when the connection is lost. */
static bool send_more(struct connection *connection) {
    while (connection->busy && connection->sent_bytes < connection->call->size) {
        const ssize_t count = send(connection->fd, connection->call->bytes + connection->sent_bytes,
                                   connection->call->size - connection->sent_bytes, MSG_NOSIGNAL);
        if (count < 0)
            return errno == EAGAIN || errno == EINTR;
        connection->sent_bytes += (size_t)count;
    }
    return true;
}

static void start(struct run *run, struct connection *connection) {
    connection->busy = true;
    connection->due_ns = run->begin_ns + run->started * NS_A_SECOND / run->rate;
    connection->call = &run->calls[run->started % run->calls_count];
    connection->sent_bytes = connection->head_bytes = connection->body_left_bytes = 0;
    connection->in_body = connection->closes = false;
    connection->status = 0;
    run->started++;
    if (!send_more(connection))
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

/* Reads until the socket is empty. False when the connection is lost. */
static bool receive_more(struct run *run, struct connection *connection) {
    static char scrap[1 << 16];
    while (true) {
        char *target = connection->in_body ? scrap : connection->head + connection->head_bytes;
        const size_t room = connection->in_body ? sizeof(scrap) : HEAD_BYTES_MAX - connection->head_bytes;
        const ssize_t count = recv(connection->fd, target, room, 0);
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
            finish(run, connection, now_ns());
            return true; /* nothing more is asked of it until it is busy again */
        }
    }
}

static void start_due(struct run *run, uint64_t now) {
    if (now < run->begin_ns)
        return;
    uint64_t due = (now - run->begin_ns) * run->rate / NS_A_SECOND + 1;
    if (due > run->arrivals)
        due = run->arrivals;
    while (run->started < due && run->idle_count > 0)
        start(run, take_idle(run));
}

static void wait_for_events(struct run *run, uint64_t now) {
    struct epoll_event events[EVENTS_MAX];
    uint64_t wait_ns = IDLE_WAIT_NS;
    if (run->started < run->arrivals && run->idle_count > 0) {
        const uint64_t due_ns = run->begin_ns + run->started * NS_A_SECOND / run->rate;
        wait_ns = due_ns > now ? due_ns - now : 0;
    }
    const struct timespec wait = {.tv_sec = (time_t)(wait_ns / NS_A_SECOND), .tv_nsec = (long)(wait_ns % NS_A_SECOND)};
    const int count = epoll_pwait2(run->epoll, events, EVENTS_MAX, &wait, NULL);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if (!send_more(connection) || !receive_more(run, connection))
            lose(run, connection, now_ns());
    }
}

/* Returns how many were never answered. */
static size_t run_arrivals(struct run *run) {
    const uint64_t given_up_ns = run->end_ns + DRAIN_NS;
    uint64_t now = now_ns();
    while (now < given_up_ns && run->samples < run->arrivals) {
        start_due(run, now);
        wait_for_events(run, now);
        now = now_ns();
    }
    const size_t unanswered = (size_t)run->arrivals - run->samples;
    for (size_t i = 0; i < run->connections_count; i++)
        if (run->connections[i].busy)
            note_latency(run, run->connections[i].due_ns, now);
    for (; run->started < run->arrivals; run->started++)
        note_latency(run, run->begin_ns + run->started * NS_A_SECOND / run->rate, now);
    return unanswered;
}

static int ascending(const void *a, const void *b) {
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void print_figures(struct run *run, double seconds, size_t unanswered) {
    const uint32_t *us = run->samples_us;
    const size_t count = run->samples;
    qsort(run->samples_us, count, sizeof(*run->samples_us), ascending);
    printf("{\"requests\": %zu, \"offered_per_s\": %" PRIu64 ", \"requests_per_s\": %.1f, \"p50_us\": %u, "
           "\"p95_us\": %u, \"p99_us\": %u, \"max_us\": %u, \"status_errors\": %zu, \"socket_errors\": %zu, "
           "\"unanswered\": %zu}\n",
           count, run->rate, (double)run->answered_in_time / seconds, us[count / 2], us[count * 95 / 100],
           us[count * 99 / 100], us[count - 1], run->status_errors, run->socket_errors, unanswered);
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
    run.samples_us = allocate(run.arrivals, sizeof(*run.samples_us));
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
