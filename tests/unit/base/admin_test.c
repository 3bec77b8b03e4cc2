#include "base/admin.h"

#include "unit/suite.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    struct quire_metrics *metrics;
    struct quire_log *log;
    struct quire_admin *admin;
    struct quire_series *gauge;
    atomic_bool ready;
    int null;
    char answer[65536];
} f;

static bool is_ready(void *context) {
    (void)context;
    return atomic_load(&f.ready);
}

static void set_gauge(void *context) {
    quire_series_set(f.gauge, *(const double *)context);
}

static double gauge_value = 42;

static struct quire_admin_options options(const char *address, uint16_t port) {
    return (struct quire_admin_options){.address = address,
                                        .port = port,
                                        .metrics = f.metrics,
                                        .log = f.log,
                                        .ready = is_ready,
                                        .refresh = set_gauge,
                                        .context = &gauge_value};
}

static int set_up(void) {
    f.null = open("/dev/null", O_WRONLY);
    f.log = quire_log_create("tester", "i1", QUIRE_INFO, f.null);
    f.metrics = quire_metrics_create(10);
    f.gauge = quire_metrics_series(quire_metrics_family(f.metrics, QUIRE_GAUGE, "answer", "Of all.", ""), NULL);
    struct quire_admin_options chosen = options("127.0.0.1", 0);
    f.admin = quire_admin_start(&chosen);
    return f.admin == NULL;
}

static int tear_down(void) {
    quire_admin_stop(f.admin);
    quire_admin_stop(NULL);
    quire_metrics_destroy(f.metrics);
    quire_log_destroy(f.log);
    close(f.null);
    return 0;
}

/* The whole answer to a request line. */
static const char *ask(const char *request_line) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(quire_admin_port(f.admin)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[256];
    size_t size = 0;
    f.answer[0] = '\0';
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        int length =
            snprintf(request, sizeof(request), "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", request_line);
        if (write(fd, request, (size_t)length) == length) {
            ssize_t got;
            while ((got = read(fd, f.answer + size, sizeof(f.answer) - 1 - size)) > 0)
                size += (size_t)got;
        }
    }
    close(fd);
    f.answer[size] = '\0';
    return f.answer;
}

static bool answers(const char *request_line, unsigned status) {
    char start[32];
    (void)snprintf(start, sizeof(start), "HTTP/1.1 %u ", status);
    return strncmp(ask(request_line), start, strlen(start)) == 0;
}

static void metrics_are_refreshed_and_printed(void) {
    CU_ASSERT_TRUE(answers("GET /metrics", 200));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.answer, "text/plain; version=0.0.4"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.answer, "\nanswer 42\n"));
    gauge_value = 43;
    CU_ASSERT_TRUE(answers("GET /metrics", 200));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.answer, "\nanswer 43\n"));
}

static void metrics_are_explained(void) {
    CU_ASSERT_TRUE(answers("GET /metrics/about", 200));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.answer, "| Metric | Type | Labels | Meaning |\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.answer, "\n| `answer` | gauge | |"));
}

static void readiness_follows_the_process_and_life_does_not(void) {
    atomic_store(&f.ready, false);
    CU_ASSERT_TRUE(answers("GET /readyz", 503));
    CU_ASSERT_TRUE(answers("GET /livez", 200));
    atomic_store(&f.ready, true);
    CU_ASSERT_TRUE(answers("GET /readyz", 200));
    CU_ASSERT_TRUE(answers("GET /livez", 200));
}

static void other_paths_and_methods_are_refused(void) {
    CU_ASSERT_TRUE(answers("GET /", 404));
    CU_ASSERT_TRUE(answers("GET /metrics/x", 404));
    CU_ASSERT_TRUE(answers("POST /metrics", 405));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.answer, "Allow: GET, HEAD"));
    CU_ASSERT_TRUE(answers("HEAD /livez", 200));
    CU_ASSERT_PTR_NULL(strstr(f.answer, "alive"));
}

static void broken_request_harms_nothing(void) {
    CU_ASSERT_TRUE(strncmp(ask("\x01\x02 nonsense"), "HTTP/1.1 200", 12) != 0);
    CU_ASSERT_TRUE(answers("GET /livez", 200));
}

/* A process that can't be seen must say so at start. */
static void taken_port_and_bad_address_are_told(void) {
    struct quire_admin_options taken = options("127.0.0.1", quire_admin_port(f.admin)), bad = options("localhost", 0);
    CU_ASSERT_PTR_NULL(quire_admin_start(&taken));
    CU_ASSERT_PTR_NULL(quire_admin_start(&bad));
}

QUIRE_TEST_MAIN("admin", set_up, tear_down, {"metrics_are_refreshed_and_printed", metrics_are_refreshed_and_printed},
                {"metrics_are_explained", metrics_are_explained},
                {"readiness_follows_the_process_and_life_does_not", readiness_follows_the_process_and_life_does_not},
                {"other_paths_and_methods_are_refused", other_paths_and_methods_are_refused},
                {"broken_request_harms_nothing", broken_request_harms_nothing},
                {"taken_port_and_bad_address_are_told", taken_port_and_bad_address_are_told})
