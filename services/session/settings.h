/* The session service's own settings, beside runtime's. Read once at start. */
#ifndef QUIRE_SESSION_SETTINGS_H
#define QUIRE_SESSION_SETTINGS_H

#include "runtime/settings.h"
#include "session/password.h"

struct session_settings {
    const char *seal_keys_file; /* "": none */
    int64_t idle_s, absolute_s;
    int64_t live_max; /* sessions of an account */
    int64_t password_memory_kib, password_passes;
};

struct quire_setting_table session_settings_table(struct session_settings *target);

struct password_cost session_settings_cost(const struct session_settings *settings);
/* Whether this process serves the password lane, the only one that needs the keys. */
bool session_settings_seals(const struct quire_runtime_settings *runtime);

#endif
