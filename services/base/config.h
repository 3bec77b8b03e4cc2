/* A process's settings: one table, read once at start from the environment (and NAME_FILE for what may be a secret),
 * all faults told at once. `--settings` prints the table as Markdown, so docs/OPERATING.md is made from it. Start-up
 * thread only. */
#ifndef QUIRE_BASE_CONFIG_H
#define QUIRE_BASE_CONFIG_H

#include "base/slice.h"

#include <stdio.h>

enum quire_setting_type {
    QUIRE_SETTING_TEXT,    /* const char * */
    QUIRE_SETTING_INTEGER, /* int64_t; min and max hold */
    QUIRE_SETTING_BOOLEAN, /* bool: on|off */
};

struct quire_setting {
    const char *name; /* "QUIRE_GATEWAY_INFLIGHT_MAX" */
    enum quire_setting_type type;
    size_t offset;        /* of the member in the caller's struct */
    const char *fallback; /* as text; NULL: required */
    int64_t min, max;
    bool secret;       /* may come from NAME_FILE, is never printed */
    const char *unit;  /* "ms", "bytes", "" */
    const char *about; /* one sentence */
};

/* Several tables make up a process's settings: its own, runtime's. */
struct quire_setting_table {
    const struct quire_setting *settings;
    size_t count;
    void *target;
};

/* Fills every target. Texts live until the process ends. False after writing each fault, with the setting's sentence,
 * to `errors`. */
QUIRE_MUSTCHECK bool quire_config_load(const struct quire_setting_table *tables, size_t count, FILE *errors);
/* One Markdown row a setting. */
void quire_config_print(const struct quire_setting_table *tables, size_t count, FILE *out);

#endif
