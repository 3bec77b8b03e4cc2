#include "base/config.h"

#include "unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct settings {
    const char *text, *password;
    int64_t count;
    bool on;
};

static const struct quire_setting settings[] = {
    {"QT_TEXT", QUIRE_SETTING_TEXT, offsetof(struct settings, text), NULL, 0, 0, false, "", "Where the broker is."},
    {"QT_PASSWORD", QUIRE_SETTING_TEXT, offsetof(struct settings, password), "", 0, 0, true, "", "Its password."},
    {"QT_COUNT", QUIRE_SETTING_INTEGER, offsetof(struct settings, count), "5", -3, 10, false, "ms",
     "How many | how long."},
    {"QT_ON", QUIRE_SETTING_BOOLEAN, offsetof(struct settings, on), "on", 0, 0, false, "", "Whether."},
};

static struct {
    struct settings got;
    char path[64];
    char *errors;
} f;

static void forget(void) {
    static const char *const names[] = {"QT_TEXT",  "QT_TEXT_FILE",  "QT_PASSWORD", "QT_PASSWORD_FILE",
                                        "QT_COUNT", "QT_COUNT_FILE", "QT_ON"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    setenv("QT_TEXT", "a", 1);
}

static int set_up(void) {
    (void)snprintf(f.path, sizeof(f.path), "/tmp/quire-config-test-%ld", (long)getpid());
    return 0;
}

static int tear_down(void) {
    free(f.errors);
    unlink(f.path);
    return 0;
}

static bool load(void) {
    size_t size = 0;
    struct quire_setting_table table = {settings, sizeof(settings) / sizeof(settings[0]), &f.got};
    free(f.errors);
    FILE *errors = open_memstream(&f.errors, &size);
    bool good = quire_config_load(&table, 1, errors);
    fclose(errors);
    return good;
}

static bool complains(const char *text) {
    return strstr(f.errors, text) != NULL;
}

static void write_file(const char *bytes, size_t size) {
    FILE *file = fopen(f.path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fwrite(bytes, 1, size, file);
    fclose(file);
}

static void fallbacks_and_the_environment_are_read(void) {
    forget();
    CU_ASSERT_TRUE(load());
    CU_ASSERT_STRING_EQUAL(f.got.text, "a");
    CU_ASSERT_STRING_EQUAL(f.got.password, "");
    CU_ASSERT_EQUAL(f.got.count, 5);
    CU_ASSERT_TRUE(f.got.on);
    CU_ASSERT_STRING_EQUAL(f.errors, "");
    setenv("QT_COUNT", "-3", 1);
    setenv("QT_ON", "off", 1);
    CU_ASSERT_TRUE(load());
    CU_ASSERT_EQUAL(f.got.count, -3);
    CU_ASSERT_FALSE(f.got.on);
    setenv("QT_COUNT", "10", 1);
    setenv("QT_ON", "", 1); /* compose passes on what nobody set */
    CU_ASSERT_TRUE(load());
    CU_ASSERT_EQUAL(f.got.count, 10);
    CU_ASSERT_TRUE(f.got.on);
}

/* One start, one list: not a fault a start. */
static void all_faults_are_told_at_once_with_their_sentence(void) {
    forget();
    unsetenv("QT_TEXT");
    setenv("QT_COUNT", "11", 1);
    setenv("QT_ON", "yes", 1);
    CU_ASSERT_FALSE(load());
    CU_ASSERT_TRUE(complains("QT_TEXT is missing. It is: Where the broker is.\n"));
    CU_ASSERT_TRUE(complains("QT_COUNT must be a whole number from -3 to 10"));
    CU_ASSERT_TRUE(complains("QT_ON must be on or off"));
}

static void what_is_no_number_of_the_range_is_refused(void) {
    static const char *const bad[] = {"-4", "11", "x", "5x", "5.0", " 5", "+5", "0x5", "99999999999999999999", "5 "};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        forget();
        setenv("QT_COUNT", bad[i], 1);
        CU_ASSERT_FALSE(load());
    }
}

/* A password in the environment is readable for whoever may list processes. */
static void texts_come_from_files_without_their_last_newline(void) {
    forget();
    write_file("s3cret \n", 8);
    setenv("QT_PASSWORD_FILE", f.path, 1);
    CU_ASSERT_TRUE(load());
    CU_ASSERT_STRING_EQUAL(f.got.password, "s3cret ");
    free((char *)(uintptr_t)f.got.password); /* in a process it lives on */
    forget();
    unsetenv("QT_TEXT");
    setenv("QT_TEXT_FILE", f.path, 1);
    CU_ASSERT_TRUE(load());
    CU_ASSERT_STRING_EQUAL(f.got.text, "s3cret ");
    free((char *)(uintptr_t)f.got.text);
}

static void faulty_files_are_faults_that_show_no_secret(void) {
    forget();
    setenv("QT_PASSWORD_FILE", "/nonexistent/x", 1);
    CU_ASSERT_FALSE(load());
    CU_ASSERT_TRUE(complains("/nonexistent/x"));
    setenv("QT_PASSWORD_FILE", "/tmp", 1);
    CU_ASSERT_FALSE(load());
    write_file("s3c\0ret", 7);
    setenv("QT_PASSWORD_FILE", f.path, 1);
    CU_ASSERT_FALSE(load());
    CU_ASSERT_TRUE(complains("zero byte"));
    setenv("QT_PASSWORD", "s3cret", 1);
    CU_ASSERT_FALSE(load());
    CU_ASSERT_TRUE(complains("twice"));
    CU_ASSERT_FALSE(complains("s3c"));
    static char large[65537];
    memset(large, 'a', sizeof(large));
    unsetenv("QT_PASSWORD");
    write_file(large, 65537);
    CU_ASSERT_FALSE(load());
    write_file(large, 65536);
    CU_ASSERT_TRUE(load());
    CU_ASSERT_EQUAL(strlen(f.got.password), 65536);
    free((char *)(uintptr_t)f.got.password);
    /* An empty file of a required text is a missing setting. */
    forget();
    unsetenv("QT_TEXT");
    write_file("\n", 1);
    setenv("QT_TEXT_FILE", f.path, 1);
    CU_ASSERT_FALSE(load());
    CU_ASSERT_TRUE(complains("QT_TEXT is missing"));
}

/* docs/OPERATING.md is made from it. */
static void table_prints_as_markdown_without_secrets(void) {
    char *text = NULL;
    size_t size = 0;
    struct quire_setting_table table = {settings, sizeof(settings) / sizeof(settings[0]), &f.got};
    FILE *out = open_memstream(&text, &size);
    quire_config_print(&table, 1, out);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "| `QT_TEXT`, `_FILE` | text | required | Where the broker is. |\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "| `QT_COUNT` | integer -3..10 ms | `5` | How many \\| how long. |\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "| `QT_ON` | on, off | `on` | Whether. |\n"));
    free(text);
}

QUIRE_TEST_MAIN("config", set_up, tear_down,
                {"fallbacks_and_the_environment_are_read", fallbacks_and_the_environment_are_read},
                {"all_faults_are_told_at_once_with_their_sentence", all_faults_are_told_at_once_with_their_sentence},
                {"what_is_no_number_of_the_range_is_refused", what_is_no_number_of_the_range_is_refused},
                {"texts_come_from_files_without_their_last_newline", texts_come_from_files_without_their_last_newline},
                {"faulty_files_are_faults_that_show_no_secret", faulty_files_are_faults_that_show_no_secret},
                {"table_prints_as_markdown_without_secrets", table_prints_as_markdown_without_secrets})
