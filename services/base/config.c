#define _GNU_SOURCE /* strerrordesc_np */

#include "base/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#define NAME_BYTES_MAX 128u
#define FILE_BYTES_MAX 65536u

static const char *const type_names[] = {"text", "integer", "on, off"};

static void fault(FILE *errors, const struct quire_setting *setting, const char *what) {
    fprintf(errors, "%s %s. It is: %s\n", setting->name, what, setting->about);
}

/* The file's text without the newlines at its end, or NULL after writing why. Never freed: settings live as long as the
 * process. */
static char *read_file(const struct quire_setting *setting, const char *path, FILE *errors) {
    char what[256];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        (void)snprintf(what, sizeof(what), "can't be read from the file %.120s (%s)", path, strerrordesc_np(errno));
        fault(errors, setting, what);
        return NULL;
    }
    char *text = malloc(FILE_BYTES_MAX + 1);
    size_t size = text == NULL ? 0 : fread(text, 1, FILE_BYTES_MAX + 1, file);
    const char *wrong = NULL;
    if (text == NULL)
        wrong = "can't be read: no memory";
    else if (ferror(file) != 0) /* a folder, for instance */
        wrong = "can't be read from its file";
    else if (size > FILE_BYTES_MAX)
        wrong = "is in a file above 64 KiB";
    else if (memchr(text, '\0', size) != NULL)
        wrong = "is in a file with a zero byte";
    fclose(file);
    if (wrong != NULL) {
        fault(errors, setting, wrong);
        free(text);
        return NULL;
    }
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    text[size] = '\0';
    return text;
}

/* What the environment says, the fallback, or NULL after writing a fault. An empty variable counts as none: compose
 * files pass on variables that nobody set. */
static const char *find_text(const struct quire_setting *setting, FILE *errors) {
    char file_name[NAME_BYTES_MAX + sizeof("_FILE")];
    assert(strlen(setting->name) <= NAME_BYTES_MAX);
    (void)snprintf(file_name, sizeof(file_name), "%s_FILE", setting->name);
    const char *text = getenv(setting->name);
    const char *path = setting->secret || setting->type == QUIRE_SETTING_TEXT ? getenv(file_name) : NULL;
    bool has_text = text != NULL && *text != '\0', has_path = path != NULL && *path != '\0';
    if (has_text && has_path) {
        fault(errors, setting, "is given twice, by itself and by its file");
        return NULL;
    }
    if (has_path) {
        text = read_file(setting, path, errors);
        if (text == NULL)
            return NULL;
        has_text = *text != '\0';
        if (!has_text)
            free((char *)text);
    }
    if (has_text)
        return text;
    if (setting->fallback == NULL)
        fault(errors, setting, "is missing");
    return setting->fallback;
}

static bool parse_integer(const char *text, int64_t *ret_value) {
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || isspace((unsigned char)*text) || *text == '+')
        return false;
    *ret_value = value;
    return true;
}

static bool load(const struct quire_setting *setting, void *target, FILE *errors) {
    char what[128];
    int64_t integer;
    const char *text = find_text(setting, errors);
    uint8_t *member = (uint8_t *)target + setting->offset;
    if (text == NULL)
        return false;
    switch (setting->type) {
    case QUIRE_SETTING_TEXT:
        memcpy(member, &text, sizeof(text));
        return true;
    case QUIRE_SETTING_INTEGER:
        if (parse_integer(text, &integer) && integer >= setting->min && integer <= setting->max) {
            memcpy(member, &integer, sizeof(integer));
            return true;
        }
        (void)snprintf(what, sizeof(what), "must be a whole number from %lld to %lld", (long long)setting->min,
                       (long long)setting->max);
        fault(errors, setting, what);
        return false;
    case QUIRE_SETTING_BOOLEAN:
        if (strcmp(text, "on") == 0 || strcmp(text, "off") == 0) {
            *(bool *)member = strcmp(text, "on") == 0;
            return true;
        }
        fault(errors, setting, "must be on or off");
        return false;
    }
    abort(); /* a table with a type that doesn't exist */
}

bool quire_config_load(const struct quire_setting_table *tables, size_t count, FILE *errors) {
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < tables[i].count; k++)
            good = load(&tables[i].settings[k], tables[i].target, errors) && good;
    }
    return good;
}

/* A cell of a Markdown table. */
static void print_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void print_row(const struct quire_setting *setting, FILE *out) {
    bool file = setting->secret || setting->type == QUIRE_SETTING_TEXT;
    fprintf(out, "| `%s`%s | %s", setting->name, file ? ", `_FILE`" : "", type_names[setting->type]);
    if (setting->type == QUIRE_SETTING_INTEGER)
        fprintf(out, " %lld..%lld", (long long)setting->min, (long long)setting->max);
    if (setting->unit != NULL && *setting->unit != '\0')
        fprintf(out, " %s", setting->unit);
    fputs(" | ", out);
    if (setting->fallback == NULL)
        fputs("required", out);
    else if (*setting->fallback == '\0')
        fputs("none", out);
    else if (setting->secret)
        fputs("secret", out);
    else {
        fputc('`', out);
        print_cell(out, setting->fallback);
        fputc('`', out);
    }
    fputs(" | ", out);
    print_cell(out, setting->about);
    fputs(" |\n", out);
}

void quire_config_print(const struct quire_setting_table *tables, size_t count, FILE *out) {
    fputs("| Setting | Type | Default | Meaning |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < tables[i].count; k++)
            print_row(&tables[i].settings[k], out);
    }
}
