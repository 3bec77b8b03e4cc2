/* The session service's own settings, beside runtime's. Read once at start. */
#ifndef QUIRE_SESSION_SETTINGS_H
#define QUIRE_SESSION_SETTINGS_H

#include "base/config.h"
#include "session/password.h"

struct session_settings {
    const char *seal_keys_file; /* "": none */
    int64_t idle_s, absolute_s;
    int64_t password_memory_kib, password_passes;
    /* Of runtime's, filled by session_settings_load_shared. */
    const char *lanes, *redis, *redis_username, *redis_password;
};

struct quire_setting_table session_settings_table(struct session_settings *target);
/* Fills what this service reads of runtime's settings too. False after writing the faults to standard error. */
QUIRE_MUSTCHECK bool session_settings_load_shared(struct session_settings *settings);

struct password_cost session_settings_cost(const struct session_settings *settings);
/* Whether this process serves the password lane, the only one that needs the keys. */
bool session_settings_seals(const struct session_settings *settings);

#endif
