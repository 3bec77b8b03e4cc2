/* The settings that all topic consumers share, and the lanes' own. Filled once at start; constant from then on, any
 * thread. */
#ifndef QUIRE_RUNTIME_SETTINGS_H
#define QUIRE_RUNTIME_SETTINGS_H

#include "base/config.h"
#include "base/contract.h"
#include "base/kafka_access.h"
#include "base/log.h"
#include "runtime/sessions.h"

#define QUIRE_LANES_MAX 16u

struct quire_lane_settings {
    int64_t workers, batch_max, nice;
    bool served; /* named by QUIRE_LANES */
};

struct quire_runtime_settings {
    struct quire_kafka_access kafka; /* by a table of its own */
    const char *primary, *replicas, *postgres_password;
    struct quire_redis_access redis;
    const char *reply_topic, *bulk_reply_topic;
    const char *lane_names, *admin_address, *log_level, *instance;
    int64_t admin_port, log_request_sample, log_slow_ms;
    int64_t connect_ms, retry_ms, command_ms, background_ms, skew_ms_max, batch_bytes_max, arena_bytes_max;
    int64_t heartbeat_ms, fetch_wait_ms;
    struct quire_limits limits;
    struct quire_lane_settings lanes[QUIRE_LANES_MAX];
    enum quire_log_level level; /* of log_level */
};

/* Makes the table of settings for a service of this contract; it fills `target`. What it holds lives until the process
 * ends: there is one. False without memory. */
QUIRE_MUSTCHECK bool quire_runtime_setting_table(const struct quire_contract_service *service,
                                                 struct quire_runtime_settings *target,
                                                 struct quire_setting_table *ret_table);
/* What the table can't check: lane and level names, at least one lane. False after writing each fault to `errors`. */
QUIRE_MUSTCHECK bool quire_runtime_settings_check(const struct quire_contract_service *service,
                                                  struct quire_runtime_settings *settings, FILE *errors);

#endif
