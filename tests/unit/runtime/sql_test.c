#include "unit/suite.h"

#include "runtime/sql.h"

#include <stdlib.h>

static struct quire_arena arena;
static struct quire_parameters parameters;

static int set_up(void) {
    quire_arena_init(&arena, 1 << 16);
    return 0;
}

static int tear_down(void) {
    quire_arena_deinit(&arena);
    return 0;
}

static void begin(void) {
    quire_arena_reset(&arena);
    parameters = (struct quire_parameters){.arena = &arena};
}

static void expect_bytes(int index, const void *bytes, int length) {
    CU_ASSERT_FATAL(index < parameters.count);
    CU_ASSERT_PTR_NOT_NULL_FATAL(parameters.values[index]);
    CU_ASSERT_EQUAL_FATAL(parameters.lengths[index], length);
    CU_ASSERT_EQUAL(memcmp(parameters.values[index], bytes, (size_t)length), 0);
}

/* A result with the values that were bound, in columns of one row: what went in must come out. */
static PGresult *as_result(void) {
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc columns[QUIRE_PARAMETERS_MAX] = {0};
    char name[] = "c";
    for (int i = 0; i < parameters.count; i++)
        columns[i] = (PGresAttDesc){.name = name, .format = 1};
    CU_ASSERT_FATAL(PQsetResultAttrs(result, parameters.count, columns));
    for (int i = 0; i < parameters.count; i++) {
        char *value = parameters.values[i] == NULL ? NULL : malloc((size_t)parameters.lengths[i] + 1);
        if (value != NULL && parameters.lengths[i] > 0)
            memcpy(value, parameters.values[i], (size_t)parameters.lengths[i]);
        CU_ASSERT_FATAL(PQsetvalue(result, 0, i, value, value == NULL ? -1 : parameters.lengths[i]));
        free(value);
    }
    return result;
}

static void scalars_are_as_postgresql_sends_them(void) {
    begin();
    quire_bind_int32(&parameters, -2);
    quire_bind_int64(&parameters, INT64_MIN);
    quire_bind_double(&parameters, 1.5);
    quire_bind_bool(&parameters, true);
    quire_bind_time(&parameters, INT64_C(946684800001));
    quire_bind_ctext(&parameters, "abc");
    CU_ASSERT_FALSE(parameters.failed);
    expect_bytes(0, "\xff\xff\xff\xfe", 4);
    expect_bytes(1, "\x80\0\0\0\0\0\0\0", 8);
    expect_bytes(2, "\x3f\xf8\0\0\0\0\0\0", 8);
    expect_bytes(3, "\x01", 1);
    expect_bytes(4, "\0\0\0\0\0\0\x03\xe8", 8); /* microseconds since 2000 */
    expect_bytes(5, "abc", 3);
    PGresult *result = as_result();
    CU_ASSERT_EQUAL(quire_column_int32(result, 0, 0), -2);
    CU_ASSERT_EQUAL(quire_column_int64(result, 0, 1), INT64_MIN);
    CU_ASSERT_EQUAL(quire_column_double(result, 0, 2), 1.5);
    CU_ASSERT_TRUE(quire_column_bool(result, 0, 3));
    CU_ASSERT_EQUAL(quire_column_time(result, 0, 4), INT64_C(946684800001));
    CU_ASSERT_TRUE(quire_slice_equal(quire_column_text(result, 0, 5), QUIRE_SLICE_LITERAL("abc")));
    PQclear(result);
}

/* An empty text that arrives as null would break NOT NULL columns. */
static void empty_is_not_null(void) {
    begin();
    quire_bind_null(&parameters);
    quire_bind_bytes(&parameters, (struct quire_slice){NULL, 0});
    quire_bind_ctext(&parameters, NULL);
    CU_ASSERT_PTR_NULL(parameters.values[0]);
    CU_ASSERT_PTR_NOT_NULL(parameters.values[1]);
    CU_ASSERT_PTR_NULL(parameters.values[2]);
    PGresult *result = as_result();
    CU_ASSERT_TRUE(quire_column_null(result, 0, 0));
    CU_ASSERT_FALSE(quire_column_null(result, 0, 1));
    CU_ASSERT_EQUAL(quire_column_text(result, 0, 1).size, 0);
    PQclear(result);
}

static void times_before_2000_round_down(void) {
    begin();
    quire_bind_int64(&parameters, -1); /* a microsecond before 2000 */
    quire_bind_time(&parameters, 0);
    PGresult *result = as_result();
    CU_ASSERT_EQUAL(quire_column_time(result, 0, 0), INT64_C(946684799999));
    CU_ASSERT_EQUAL(quire_column_time(result, 0, 1), 0);
    PQclear(result);
}

static void arrays_have_their_types_and_lengths(void) {
    struct quire_slice items[] = {QUIRE_SLICE_LITERAL("ab"), {NULL, 0}, QUIRE_SLICE_LITERAL("c")};
    begin();
    quire_bind_text_array(&parameters, items, 3);
    quire_bind_int32_array(&parameters, (const int32_t[]){7}, 1);
    quire_bind_int64_array(&parameters, (const int64_t[]){-1}, 1);
    quire_bind_text_array(&parameters, NULL, 0);
    quire_bind_bytes_array(&parameters, items, 1);
    quire_bind_uuid_array(&parameters, NULL, 0);
    expect_bytes(0, "\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\3\0\0\0\1\0\0\0\2ab\0\0\0\0\0\0\0\1c", 35);
    expect_bytes(1, "\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\7", 28);
    expect_bytes(2, "\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\1\0\0\0\1\0\0\0\x8\xff\xff\xff\xff\xff\xff\xff\xff", 32);
    expect_bytes(3, "\0\0\0\0\0\0\0\0\0\0\0\x19", 12);
    expect_bytes(4, "\0\0\0\1\0\0\0\0\0\0\0\x11\0\0\0\1\0\0\0\1\0\0\0\2ab", 26);
    expect_bytes(5, "\0\0\0\0\0\0\0\0\0\0\x0b\x86", 12);
    PGresult *result = as_result();
    struct quire_slice *back;
    size_t count;
    CU_ASSERT_TRUE_FATAL(quire_column_text_array(result, 0, 0, &arena, &back, &count));
    CU_ASSERT_EQUAL_FATAL(count, 3);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_TRUE(quire_slice_equal(back[i], items[i]));
    CU_ASSERT_TRUE(quire_column_text_array(result, 0, 3, &arena, &back, &count));
    CU_ASSERT_EQUAL(count, 0);
    PQclear(result);
}

/* A parameter that silently got lost would shift all that follow it. */
static void too_many_parameters_or_no_memory_fail(void) {
    begin();
    for (size_t i = 0; i < QUIRE_PARAMETERS_MAX; i++)
        quire_bind_null(&parameters);
    CU_ASSERT_FALSE(parameters.failed);
    quire_bind_int32(&parameters, 1);
    CU_ASSERT_TRUE(parameters.failed);
    CU_ASSERT_EQUAL(parameters.count, QUIRE_PARAMETERS_MAX);
    struct quire_arena none;
    quire_arena_init(&none, 0);
    parameters = (struct quire_parameters){.arena = &none};
    quire_bind_int64(&parameters, 1);
    CU_ASSERT_TRUE(parameters.failed);
    quire_arena_deinit(&none);
}

QUIRE_TEST_MAIN("sql", set_up, tear_down,
                {"scalars_are_as_postgresql_sends_them", scalars_are_as_postgresql_sends_them},
                {"empty_is_not_null", empty_is_not_null},
                {"times_before_2000_round_down", times_before_2000_round_down},
                {"arrays_have_their_types_and_lengths", arrays_have_their_types_and_lengths},
                {"too_many_parameters_or_no_memory_fail", too_many_parameters_or_no_memory_fail})
