#include "runtime/settings.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

#define LANE_SETTINGS 3u /* workers, batch_max and nice */
#define MIB (1024 * 1024)

#define TEXT(name_, member, fallback_, about_)                                                                         \
    {.name = name_,                                                                                                    \
     .type = QUIRE_SETTING_TEXT,                                                                                       \
     .offset = offsetof(struct quire_runtime_settings, member),                                                        \
     .fallback = fallback_,                                                                                            \
     .unit = "",                                                                                                       \
     .about = about_}
#define SECRET(name_, member, about_)                                                                                  \
    {.name = name_,                                                                                                    \
     .type = QUIRE_SETTING_TEXT,                                                                                       \
     .offset = offsetof(struct quire_runtime_settings, member),                                                        \
     .fallback = "",                                                                                                   \
     .secret = true,                                                                                                   \
     .unit = "",                                                                                                       \
     .about = about_}
#define INTEGER(name_, member, fallback_, min_, max_, unit_, about_)                                                   \
    {.name = name_,                                                                                                    \
     .type = QUIRE_SETTING_INTEGER,                                                                                    \
     .offset = offsetof(struct quire_runtime_settings, member),                                                        \
     .fallback = fallback_,                                                                                            \
     .min = min_,                                                                                                      \
     .max = max_,                                                                                                      \
     .unit = unit_,                                                                                                    \
     .about = about_}

static const struct quire_setting shared[] = {
    TEXT("QUIRE_REPLY_TOPIC", reply_topic, "quire.replies",
         "The topic that gateways have their replies come back on: looked up before it is needed."),
    TEXT("QUIRE_BULK_REPLY_TOPIC", bulk_reply_topic, "quire.replies.bulk", "The same for large replies."),
    TEXT("QUIRE_POSTGRES_PRIMARY", primary, NULL, "The primary, as a libpq connection string."),
    TEXT("QUIRE_POSTGRES_REPLICAS", replicas, "", "The replicas, as libpq connection strings with semicolons between."),
    SECRET("QUIRE_POSTGRES_PASSWORD", postgres_password,
           "The service role's password, where the connection strings have none."),
    TEXT("QUIRE_REDIS", redis.address, NULL, "Redis' address, host:port."),
    TEXT("QUIRE_REDIS_USERNAME", redis.username, "", "The name to log in to Redis with; without it, the default user."),
    SECRET("QUIRE_REDIS_PASSWORD", redis.password, "The password of Redis."),
    {.name = "QUIRE_REDIS_TLS",
     .type = QUIRE_SETTING_BOOLEAN,
     .offset = offsetof(struct quire_runtime_settings, redis.tls),
     .fallback = "off",
     .unit = "",
     .about = "Whether Redis is spoken to by TLS; its certificate must bear the host's name or address."},
    TEXT("QUIRE_REDIS_CA", redis.ca, "",
         "The authorities (PEM) that Redis' certificate must come from; the system's when empty."),
    TEXT("QUIRE_LANES", lane_names, "", "The lanes that this process serves, with commas between; all when empty."),
    TEXT("QUIRE_ADMIN_ADDRESS", admin_address, "127.0.0.1",
         "Where the admin port listens (/metrics, /livez, /readyz)."),
    INTEGER("QUIRE_ADMIN_PORT", admin_port, "0", 0, 65535, "",
            "The admin port; 0: the system chooses, and the log says which."),
    TEXT("QUIRE_LOG_LEVEL", log_level, "info", "The least level that is logged: debug, info, warn or error."),
    INTEGER("QUIRE_LOG_REQUEST_SAMPLE", log_request_sample, "1", 1, 1000000, "",
            "One request in this many is logged, chosen by its id; failed and slow ones always are."),
    INTEGER("QUIRE_LOG_SLOW_MS", log_slow_ms, "1000", 1, 3600000, "ms",
            "A request that took so long is slow. A consumer counts from the topic on, and from half of this."),
    TEXT("QUIRE_INSTANCE", instance, "", "The name of this process in log lines; the host's name when empty."),
    INTEGER("QUIRE_CONNECT_MS", connect_ms, "1000", 10, 60000, "ms",
            "How long connecting to PostgreSQL or Redis may take."),
    INTEGER("QUIRE_RETRY_MS", retry_ms, "500", 10, 60000, "ms",
            "How long a backend that is away is left alone between two attempts."),
    INTEGER("QUIRE_COMMAND_MS", command_ms, "1000", 10, 60000, "ms", "How long Redis may take to answer one pipeline."),
    INTEGER("QUIRE_BACKGROUND_MS", background_ms, "10000", 100, 600000, "ms",
            "How long one statement or command of background work may take."),
    INTEGER("QUIRE_CLOCK_SKEW_MS", skew_ms_max, "1000", 0, 60000, "ms",
            "How far a gateway's clock may be ahead of ours before a deadline is cut."),
    INTEGER("QUIRE_KAFKA_HEARTBEAT_MS", heartbeat_ms, "100", 50, 800, "ms",
            "How soon a worker hears that its group is changing, twice for each change. Each one costs the broker."),
    INTEGER(
        "QUIRE_KAFKA_FETCH_WAIT_MS", fetch_wait_ms, "100", 10, 1000, "ms",
        "How long the broker holds a fetch when there is nothing: as long waits a partition that was just assigned."),
    INTEGER("QUIRE_BATCH_BYTES_MAX", batch_bytes_max, "33554432", 1 * MIB, 1024 * MIB, "bytes",
            "How many bytes of requests a worker takes at once; one request may be more."),
    INTEGER("QUIRE_ARENA_BYTES_MAX", arena_bytes_max, "268435456", 16 * MIB, INT64_C(8192) * MIB, "bytes",
            "How much memory the requests and answers of one batch may take; more is answered 503."),
    {.name = "QUIRE_LIMITS",
     .type = QUIRE_SETTING_BOOLEAN,
     .offset = offsetof(struct quire_runtime_settings, limits.on),
     .fallback = "on",
     .unit = "",
     .about = "Whether the limits below hold."},
    INTEGER("QUIRE_LIMIT_ACCOUNT_RATE", limits.account_rate, "200", 1, 1000000, "/s",
            "Requests an account may make in a second, to all services together: give each the same."),
    INTEGER("QUIRE_LIMIT_ACCOUNT_BURST", limits.account_burst, "400", 1, 1000000, "",
            "Requests an account may make at once before the rate holds."),
    INTEGER("QUIRE_LIMIT_ACCOUNT_CONCURRENT", limits.account_concurrent, "32", 1, 100000, "",
            "Requests of an account that may be unanswered at once."),
    INTEGER("QUIRE_LIMIT_ADDRESS_RATE", limits.address_rate, "50", 1, 1000000, "/s",
            "Requests without a session an address may make in a second."),
    INTEGER("QUIRE_LIMIT_ADDRESS_BURST", limits.address_burst, "200", 1, 1000000, "",
            "Requests without a session an address may make at once."),
    INTEGER("QUIRE_LIMIT_LOG_IN_RATE", limits.log_in_rate, "10", 1, 1000000, "/s",
            "Log-ins, right and wrong, an address may try in a second."),
    INTEGER("QUIRE_LIMIT_LOG_IN_BURST", limits.log_in_burst, "60", 1, 1000000, "",
            "Log-ins an address may try at once."),
    INTEGER("QUIRE_LIMIT_LOG_IN_FAILURES", limits.log_in_failures, "10", 1, 100000, "",
            "Failed log-ins of an account from an address within the window; a change of password counts as one."),
    INTEGER("QUIRE_LIMIT_LOG_IN_FAILURES_ADDRESS", limits.log_in_failures_address, "300", 1, 1000000, "",
            "Failed log-ins from an address, at all accounts together, within the window."),
    INTEGER("QUIRE_LIMIT_LOG_IN_WINDOW_S", limits.log_in_window_s, "900", 1, 86400, "s",
            "The window of both; it doubles each time it is filled."),
    INTEGER("QUIRE_LIMIT_REGISTRATIONS_HOUR", limits.registrations_hour, "60", 1, 1000000, "/h",
            "Registrations an address may make in an hour."),
    INTEGER("QUIRE_LIMIT_REGISTRATIONS_BURST", limits.registrations_burst, "20", 1, 1000000, "",
            "Registrations an address may make at once."),
};

#define SHARED_COUNT (sizeof(shared) / sizeof(shared[0]))

/* "QUIRE_<LANE>_<what>" */
static char *lane_setting_name(const char *lane, const char *what) {
    char *name = NULL;
    if (asprintf(&name, "QUIRE_%s_%s", lane, what) < 0)
        return NULL;
    for (char *character = name; *character != '\0'; character++)
        *character = *character == '-' ? '_' : (char)toupper((unsigned char)*character);
    return name;
}

static char *number_text(uint32_t number) {
    char *text = NULL;
    return asprintf(&text, "%u", number) < 0 ? NULL : text;
}

static bool fill_lane_settings(const struct quire_contract_service *service, size_t lane,
                               struct quire_setting *settings) {
    const size_t offset = offsetof(struct quire_runtime_settings, lanes) + lane * sizeof(struct quire_lane_settings);

    settings[0] = (struct quire_setting){.name = lane_setting_name(service->lanes[lane].name, "WORKERS"),
                                         .type = QUIRE_SETTING_INTEGER,
                                         .offset = offset + offsetof(struct quire_lane_settings, workers),
                                         .fallback = number_text(service->lanes[lane].workers),
                                         .min = 1,
                                         .max = 64,
                                         .unit = "threads",
                                         .about = "Worker threads of this lane, each with its own connections."};
    settings[1] = (struct quire_setting){.name = lane_setting_name(service->lanes[lane].name, "BATCH_MAX"),
                                         .type = QUIRE_SETTING_INTEGER,
                                         .offset = offset + offsetof(struct quire_lane_settings, batch_max),
                                         .fallback = number_text(service->lanes[lane].batch_max),
                                         .min = 1,
                                         .max = 4096,
                                         .unit = "messages",
                                         .about = "How many requests of this lane a worker takes at once."};
    settings[2] = (struct quire_setting){.name = lane_setting_name(service->lanes[lane].name, "NICE"),
                                         .type = QUIRE_SETTING_INTEGER,
                                         .offset = offset + offsetof(struct quire_lane_settings, nice),
                                         .fallback = number_text(service->lanes[lane].nice),
                                         .min = 0,
                                         .max = 19,
                                         .unit = "",
                                         .about = "How far this lane's workers stand back where processors are scarce, "
                                                  "as nice(1) has it."};
    for (size_t i = 0; i < LANE_SETTINGS; i++) {
        if (settings[i].name == NULL || settings[i].fallback == NULL)
            return false;
    }
    return true;
}

bool quire_runtime_setting_table(const struct quire_contract_service *service, struct quire_runtime_settings *target,
                                 struct quire_setting_table *ret_table) {
    assert(service->lanes_count <= QUIRE_LANES_MAX);
    const size_t count = SHARED_COUNT + LANE_SETTINGS * service->lanes_count;
    struct quire_setting *settings = calloc(count, sizeof(*settings));
    bool filled = settings != NULL;

    if (filled)
        memcpy(settings, shared, sizeof(shared));
    for (size_t i = 0; filled && i < service->lanes_count; i++)
        filled = fill_lane_settings(service, i, &settings[SHARED_COUNT + LANE_SETTINGS * i]);
    if (filled)
        *ret_table = (struct quire_setting_table){.settings = settings, .count = count, .target = target};
    return filled; /* without memory the process ends: nothing is given back */
}

static bool choose_lane(const struct quire_contract_service *service, struct quire_runtime_settings *settings,
                        struct quire_slice name) {
    for (size_t i = 0; i < service->lanes_count; i++) {
        if (quire_slice_equal(name, quire_slice_of(service->lanes[i].name))) {
            settings->lanes[i].served = true;
            return true;
        }
    }
    return false;
}

static bool check_lanes(const struct quire_contract_service *service, struct quire_runtime_settings *settings,
                        FILE *errors) {
    const char *rest = settings->lane_names;
    bool fine = true;

    for (size_t i = 0; i < service->lanes_count; i++)
        settings->lanes[i].served = *rest == '\0';
    while (*rest != '\0') {
        const size_t size = strcspn(rest, ",");
        if (!choose_lane(service, settings, (struct quire_slice){(const uint8_t *)rest, size})) {
            fprintf(errors, "QUIRE_LANES names \"%.*s\", which is no lane of %s.\n", (int)size, rest, service->name);
            fine = false;
        }
        rest += size;
        rest += *rest == ',';
    }
    return fine;
}

bool quire_runtime_settings_check(const struct quire_contract_service *service, struct quire_runtime_settings *settings,
                                  FILE *errors) {
    const bool level = quire_log_level_parse(settings->log_level, &settings->level);

    if (!level)
        fprintf(errors, "QUIRE_LOG_LEVEL must be debug, info, warn or error.\n");
    return check_lanes(service, settings, errors) && level;
}
