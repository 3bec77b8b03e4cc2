/* The gateway's process: settings, start, signals, stop. Only wiring. */
#define _GNU_SOURCE /* CPU_COUNT */
#include "base/admin.h"
#include "base/clock.h"
#include "gateway/probe.h"
#include "gateway/server.h"

#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define SERIES_MAX 4096u
#define FLUSH_MS 2000u
#define MAPPED_BYTES_MIN (256 * 1024) /* an allocation from here on has pages of its own */

struct process {
    struct gateway gateway;
    struct gateway_config config;
    uint8_t instance[QUIRE_INSTANCE_BYTES];
    char instance_text[2 * 4 + 1]; /* enough to tell two apart in a log */
    struct quire_admin *admin;
    struct server *server;
    struct quire_series *body_bytes;
};

static void refresh(void *context) {
    struct process *process = context;
    quire_series_set(process->body_bytes, (double)atomic_load(&process->gateway.budget.used_bytes));
}

static bool admin_ready(void *context) {
    return gateway_ready(&((const struct process *)context)->gateway);
}

static bool is_power_of_two(int64_t number) {
    return (number & (number - 1)) == 0;
}

/* What the table's types and ranges can't say. */
static bool check_settings(const struct gateway_config *config, enum quire_log_level *ret_level) {
    bool fine = true;
    if (!quire_log_level_parse(config->log_level, ret_level))
        fine = fprintf(stderr, "QUIRE_LOG_LEVEL must be debug, info, warn or error.\n") < 0;
    if (strcmp(config->limits, "on") != 0 && strcmp(config->limits, "off") != 0)
        fine = fprintf(stderr, "QUIRE_LIMITS must be on or off.\n") < 0;
    if (!is_power_of_two(config->ring_entries) || !is_power_of_two(config->receive_buffers))
        fine = fprintf(stderr, "QUIRE_RING_ENTRIES and QUIRE_RECEIVE_BUFFERS must be powers of two.\n") < 0;
    return quire_kafka_access_check(&config->kafka, stderr) && fine;
}

static uint32_t rings_wanted(const struct gateway_config *config) {
    cpu_set_t cpus;
    if (config->rings > 0)
        return (uint32_t)config->rings;
    return sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (uint32_t)CPU_COUNT(&cpus) : 1;
}

/* Each connection is a descriptor: what the hard limit allows is taken. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* else the soft one holds */
    }
}

/* Bodies go back to the system the moment they are freed, and grow without being copied. Left to itself glibc raises
 * this bound to the largest block that was ever freed, and bodies then share heaps, whose gaps hold as much again as
 * the budget counts (mallopt(3), M_MMAP_THRESHOLD). */
static void map_large_blocks(void) {
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES_MIN); /* 0 where another malloc stands in, as a sanitizer's */
}

static bool message_seals(const struct quire_message_spec *message, unsigned depth) {
    for (unsigned i = 0; depth > 0 && i < message->descriptor->n_fields; i++)
        if (message->fields[i].sealed ||
            (message->fields[i].message != NULL && message_seals(message->fields[i].message, depth - 1)))
            return true;
    return false;
}

static bool contract_seals(const struct quire_contract *contract) {
    for (size_t i = 0; i < contract->services_count; i++)
        for (size_t j = 0; j < contract->services[i].calls_count; j++)
            if (message_seals(contract->services[i].calls[j].input, 8))
                return true;
    return false;
}

static bool probe_io_uring(struct quire_log *log) {
    struct probe_facts facts;
    probe_gather(&facts);
    struct probe_verdict verdict = probe_judge(&facts);
    if (!verdict.usable)
        QUIRE_LOG(log, QUIRE_ERROR, "io_uring.unusable", QUIRE_CTEXT("cause", verdict.cause),
                  QUIRE_CTEXT("cure", verdict.cure), QUIRE_INTEGER("errno", facts.error),
                  QUIRE_CTEXT("kernel", facts.kernel), QUIRE_INTEGER("io_uring_disabled", facts.disabled),
                  QUIRE_INTEGER("seccomp", facts.seccomp));
    return verdict.usable;
}

/* Everything that can be wrong with the settings beyond their own ranges, all of it told at once. */
static bool settle(struct process *process) {
    struct gateway *gateway = &process->gateway;
    char fault[160];
    bool fine = probe_io_uring(gateway->log);
    if (!client_proxies_parse(process->config.trusted_proxies, &gateway->proxies, fault)) {
        QUIRE_LOG(gateway->log, QUIRE_ERROR, "setting.invalid", QUIRE_CTEXT("setting", "QUIRE_TRUSTED_PROXIES"),
                  QUIRE_CTEXT("value", fault));
        fine = false;
    }
    gateway->keyring = keyring_create(process->config.seal_keys_file, fault);
    if (gateway->keyring == NULL) {
        QUIRE_LOG(gateway->log, QUIRE_ERROR, "setting.invalid", QUIRE_CTEXT("setting", "QUIRE_SEAL_KEYS_FILE"),
                  QUIRE_CTEXT("reason", fault));
        fine = false;
    } else if (keyring_current(gateway->keyring) == NULL && contract_seals(gateway->contract)) {
        QUIRE_LOG(gateway->log, QUIRE_ERROR, "setting.invalid", QUIRE_CTEXT("setting", "QUIRE_SEAL_KEYS_FILE"),
                  QUIRE_CTEXT("reason", "the contract has sealed fields, so a file with public keys is needed"));
        fine = false;
    }
    gateway->router = router_create(gateway->contract, stderr);
    return fine && gateway->router != NULL;
}

static bool start_bus(struct process *process) {
    const struct gateway_config *config = &process->config;
    process->gateway.bus = bus_create(&(struct bus_options){
        .kafka = &config->kafka,
        .reply_topic = config->reply_topic,
        .bulk_reply_topic = config->bulk_reply_topic,
        .reply_partitions = (uint32_t)config->reply_partitions,
        .rings = process->gateway.rings_count,
        .instance = process->instance,
        .queue_messages_max = (size_t)config->producer_messages_max,
        .queue_bytes_max = (size_t)config->producer_bytes_max,
        .message_bytes_max = (size_t)config->message_bytes_max,
        .gather_us = (unsigned)config->gather_us,
        .crowd_us = (unsigned)config->crowd_us,
        .stuck_ms = (unsigned)config->stuck_ms,
        .contract = process->gateway.contract,
        .log = process->gateway.log,
        .metrics = process->gateway.metrics,
    });
    return process->gateway.bus != NULL;
}

static bool start(struct process *process) {
    struct gateway *gateway = &process->gateway;
    gateway->config = &process->config;
    gateway->contract = &quire_contract;
    gateway->rings_count = rings_wanted(&process->config);
    gateway->limits_off = strcmp(process->config.limits, "off") == 0;
    budget_init(&gateway->budget, (size_t)process->config.body_bytes_max,
                (size_t)process->config.body_bytes_an_address);
    if (!settle(process) || !start_bus(process))
        return false;
    process->body_bytes = quire_metrics_one(gateway->metrics, QUIRE_GAUGE, "quire_gateway_body_bytes",
                                            "Bytes of bodies held, every copy counted.", "", NULL);
    process->server = server_start(gateway);
    if (process->server == NULL)
        return false;
    process->admin = quire_admin_start(&(struct quire_admin_options){.address = process->config.admin_address,
                                                                     .port = (uint16_t)process->config.admin_port,
                                                                     .metrics = gateway->metrics,
                                                                     .log = gateway->log,
                                                                     .ready = admin_ready,
                                                                     .refresh = refresh,
                                                                     .context = process});
    return process->admin != NULL;
}

static void stop(struct process *process) {
    struct gateway *gateway = &process->gateway;
    atomic_store(&gateway->phase, GATEWAY_ENDING);
    server_join(process->server);
    quire_admin_stop(process->admin);
    bus_destroy(gateway->bus, FLUSH_MS);
    router_destroy(gateway->router);
    keyring_destroy(gateway->keyring);
    quire_metrics_destroy(gateway->metrics);
}

/* Waits for a signal of `signals` for at most `ms`. True when one came. */
static bool wait_for_signal(const sigset_t *signals, uint64_t ms) {
    struct timespec timeout = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    return sigtimedwait(signals, NULL, &timeout) > 0;
}

static void serve(struct process *process, const sigset_t *signals) {
    struct gateway *gateway = &process->gateway;
    while (!wait_for_signal(signals, 1000))
        keyring_refresh(gateway->keyring, gateway->log);
    QUIRE_LOG(gateway->log, QUIRE_INFO, "gateway.draining", QUIRE_INTEGER("drain_ms", process->config.drain_ms));
    atomic_store(&gateway->phase, GATEWAY_UNREADY);
    bool hurry = wait_for_signal(signals, (uint64_t)process->config.drain_ms);
    atomic_store(&gateway->phase, GATEWAY_CLOSING);
    uint64_t end_ms = quire_monotonic_ns() / 1000000 + (uint64_t)process->config.stop_ms;
    while (!hurry && server_running(process->server) && quire_monotonic_ns() / 1000000 < end_ms)
        hurry = wait_for_signal(signals, 20);
    QUIRE_LOG(gateway->log, QUIRE_INFO, "gateway.stopped",
              QUIRE_FLAG("all_answered", !server_running(process->server)));
}

int main(int argc, char **argv) {
    static struct process process; /* large; ends with the program */
    const struct quire_setting_table tables[] = {gateway_settings(&process.config),
                                                 quire_kafka_access_settings(&process.config.kafka)};
    const size_t tables_count = sizeof(tables) / sizeof(tables[0]);
    sigset_t signals;
    if (argc > 1 && strcmp(argv[1], "--settings") == 0) {
        quire_config_print(tables, tables_count, stdout);
        return EXIT_SUCCESS;
    }
    enum quire_log_level level = QUIRE_INFO;
    if (!quire_config_load(tables, tables_count, stderr) || !check_settings(&process.config, &level) ||
        sodium_init() < 0)
        return EXIT_FAILURE;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* before any thread is started, so that all inherit it */
    (void)signal(SIGPIPE, SIG_IGN);         /* can't fail for a valid signal */
    raise_descriptor_limit();
    map_large_blocks(); /* before a thread has a heap */
    randombytes_buf(process.instance, sizeof process.instance);
    sodium_bin2hex(process.instance_text, sizeof process.instance_text, process.instance, 4);
    process.gateway.log = quire_log_create("gateway", process.instance_text, level, STDOUT_FILENO);
    process.gateway.metrics = quire_metrics_create(SERIES_MAX);
    bool started = process.gateway.log != NULL && process.gateway.metrics != NULL && start(&process);
    if (started) {
        QUIRE_LOG(process.gateway.log, QUIRE_INFO, "gateway.started",
                  QUIRE_CTEXT("address", process.config.http_address),
                  QUIRE_INTEGER("port", server_port(process.server)),
                  QUIRE_INTEGER("admin_port", quire_admin_port(process.admin)),
                  QUIRE_INTEGER("rings", process.gateway.rings_count), QUIRE_CTEXT("limits", process.config.limits));
        serve(&process, &signals);
    }
    stop(&process);
    quire_log_destroy(process.gateway.log);
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}
