#include "session/settings.h"

#define AT(member) .offset = offsetof(struct session_settings, member)

static const struct quire_setting table[] = {
    {"QUIRE_SEAL_KEYS_FILE", QUIRE_SETTING_TEXT, AT(seal_keys_file), .fallback = "", .unit = "path",
     .about = "Key pairs that open sealed passwords, one `<id> <public hex> <secret hex>` a line, the current one "
              "first; followed when it "
              "changes. Needed by the password lane only."},
    {"QUIRE_SESSION_IDLE_S", QUIRE_SETTING_INTEGER, AT(idle_s), .fallback = "86400", .min = 1, .max = 31536000,
     .unit = "s", .about = "How long a session lives without a request."},
    {"QUIRE_SESSION_ABSOLUTE_S", QUIRE_SETTING_INTEGER, AT(absolute_s), .fallback = "2592000", .min = 1,
     .max = 315360000, .unit = "s", .about = "How long a session lives at most."},
    {"QUIRE_SESSION_LIVE_MAX", QUIRE_SETTING_INTEGER, AT(live_max), .fallback = "100", .min = 1, .max = 1000,
     .unit = "",
     .about = "Live sessions of an account; with a log-in beyond, the one that was used least recently ends, as the "
              "database knows it: to within 1/288 of the idle time."},
    {"QUIRE_PASSWORD_MEMORY_KIB", QUIRE_SETTING_INTEGER, AT(password_memory_kib), .fallback = "19456", .min = 1024,
     .max = 1048576, .unit = "KiB",
     .about = "Memory that Argon2id takes for a password; raised, a hash follows at its owner's next log-in."},
    {"QUIRE_PASSWORD_PASSES", QUIRE_SETTING_INTEGER, AT(password_passes), .fallback = "2", .min = 1, .max = 20,
     .unit = "", .about = "Passes of Argon2id over that memory."},
};

struct quire_setting_table session_settings_table(struct session_settings *target) {
    return (struct quire_setting_table){table, sizeof table / sizeof table[0], target};
}

struct password_cost session_settings_cost(const struct session_settings *settings) {
    return (struct password_cost){(uint32_t)settings->password_memory_kib, (uint32_t)settings->password_passes};
}

bool session_settings_seals(const struct quire_runtime_settings *runtime) {
    return runtime->lane_names[0] == '\0' || strstr(runtime->lane_names, "password") != NULL;
}
