#include "runtime/sql.h"

#include "base/wire.h"

#include <assert.h>

/* PostgreSQL's binary formats: src/backend/utils/adt, the *_recv and *_send functions. All numbers are big-endian. */
enum type_oid { OID_BYTEA = 17, OID_INT8 = 20, OID_INT4 = 23, OID_TEXT = 25, OID_UUID = 2950 };

#define POSTGRES_EPOCH_MS INT64_C(946684800000) /* 2000-01-01 */
#define ARRAY_HEADER_BYTES 20u                  /* dimensions, has-null, element type, length, lower bound */
#define ARRAY_EMPTY_BYTES 12u                   /* the first three of them */
#define PARAMETER_BYTES_MAX (1u << 30)          /* PostgreSQL's own limit of a field, 1 GiB */

static void bind(struct quire_parameters *parameters, const void *value, size_t size) {
    if (parameters->count == QUIRE_PARAMETERS_MAX || size >= PARAMETER_BYTES_MAX) {
        parameters->failed = true;
        return;
    }
    parameters->values[parameters->count] = value;
    parameters->lengths[parameters->count] = (int)size;
    parameters->count++;
}

/* Room for one value of a fixed width; bound already. NULL after setting `failed`. */
static uint8_t *bind_room(struct quire_parameters *parameters, size_t size) {
    uint8_t *room = quire_arena_alloc(parameters->arena, size);
    if (room == NULL)
        parameters->failed = true;
    else
        bind(parameters, room, size);
    return room;
}

void quire_bind_null(struct quire_parameters *parameters) {
    bind(parameters, NULL, 0);
}

void quire_bind_bytes(struct quire_parameters *parameters, struct quire_slice bytes) {
    bind(parameters, bytes.size == 0 ? (const uint8_t *)"" : bytes.bytes, bytes.size); /* NULL would be SQL's null */
}

void quire_bind_text(struct quire_parameters *parameters, struct quire_slice text) {
    quire_bind_bytes(parameters, text);
}

void quire_bind_ctext(struct quire_parameters *parameters, const char *text) {
    if (text == NULL)
        quire_bind_null(parameters);
    else
        quire_bind_bytes(parameters, quire_slice_of(text));
}

void quire_bind_uuid(struct quire_parameters *parameters, const uint8_t uuid[16]) {
    uint8_t *room = bind_room(parameters, 16);
    if (room != NULL)
        memcpy(room, uuid, 16);
}

void quire_bind_int32(struct quire_parameters *parameters, int32_t value) {
    uint8_t *room = bind_room(parameters, 4);
    if (room != NULL)
        quire_put_u32(room, (uint32_t)value);
}

void quire_bind_int64(struct quire_parameters *parameters, int64_t value) {
    uint8_t *room = bind_room(parameters, 8);
    if (room != NULL)
        quire_put_u64(room, (uint64_t)value);
}

void quire_bind_double(struct quire_parameters *parameters, double value) {
    uint64_t bits;
    static_assert(sizeof bits == sizeof value, "float8 is IEEE 754 binary64");
    memcpy(&bits, &value, sizeof bits);
    quire_bind_int64(parameters, (int64_t)bits);
}

void quire_bind_bool(struct quire_parameters *parameters, bool value) {
    uint8_t *room = bind_room(parameters, 1);
    if (room != NULL)
        *room = value;
}

void quire_bind_time(struct quire_parameters *parameters, int64_t unix_ms) {
    quire_bind_int64(parameters, (unix_ms - POSTGRES_EPOCH_MS) * 1000);
}

/* Writes an array's header into room for `bytes` of items behind it; returns where they begin, or NULL after setting
 * `failed`. */
static uint8_t *bind_array(struct quire_parameters *parameters, enum type_oid type, size_t count, size_t bytes) {
    if (count > INT32_MAX || bytes >= PARAMETER_BYTES_MAX) {
        parameters->failed = true;
        return NULL;
    }
    uint8_t *room = bind_room(parameters, count == 0 ? ARRAY_EMPTY_BYTES : ARRAY_HEADER_BYTES + bytes);
    if (room == NULL)
        return NULL;
    quire_put_u32(room, count == 0 ? 0 : 1);
    quire_put_u32(room + 4, 0);
    quire_put_u32(room + 8, type);
    if (count == 0)
        return room + ARRAY_EMPTY_BYTES;
    quire_put_u32(room + 12, (uint32_t)count);
    quire_put_u32(room + 16, 1);
    return room + ARRAY_HEADER_BYTES;
}

static void bind_slices(struct quire_parameters *parameters, enum type_oid type, const struct quire_slice *items,
                        size_t count) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += 4 + items[i].size;
    uint8_t *room = bind_array(parameters, type, count, bytes);
    for (size_t i = 0; room != NULL && i < count; i++) {
        quire_put_u32(room, (uint32_t)items[i].size);
        if (items[i].size > 0)
            memcpy(room + 4, items[i].bytes, items[i].size);
        room += 4 + items[i].size;
    }
}

void quire_bind_text_array(struct quire_parameters *parameters, const struct quire_slice *items, size_t count) {
    bind_slices(parameters, OID_TEXT, items, count);
}

void quire_bind_uuid_array(struct quire_parameters *parameters, const struct quire_slice *items, size_t count) {
    bind_slices(parameters, OID_UUID, items, count);
}

void quire_bind_bytes_array(struct quire_parameters *parameters, const struct quire_slice *items, size_t count) {
    bind_slices(parameters, OID_BYTEA, items, count);
}

void quire_bind_int32_array(struct quire_parameters *parameters, const int32_t *items, size_t count) {
    uint8_t *room = bind_array(parameters, OID_INT4, count, count * 8);
    for (size_t i = 0; room != NULL && i < count; i++) {
        quire_put_u32(room + 8 * i, 4);
        quire_put_u32(room + 8 * i + 4, (uint32_t)items[i]);
    }
}

void quire_bind_int64_array(struct quire_parameters *parameters, const int64_t *items, size_t count) {
    uint8_t *room = bind_array(parameters, OID_INT8, count, count * 12);
    for (size_t i = 0; room != NULL && i < count; i++) {
        quire_put_u32(room + 12 * i, 8);
        quire_put_u64(room + 12 * i + 4, (uint64_t)items[i]);
    }
}

bool quire_column_null(const PGresult *result, int row, int column) {
    return PQgetisnull(result, row, column) != 0;
}

struct quire_slice quire_column_text(const PGresult *result, int row, int column) {
    assert(!quire_column_null(result, row, column));
    return (struct quire_slice){(const uint8_t *)PQgetvalue(result, row, column),
                                (size_t)PQgetlength(result, row, column)};
}

static const uint8_t *column_fixed(const PGresult *result, int row, int column, size_t size) {
    struct quire_slice value = quire_column_text(result, row, column);
    assert(value.size == size);
    return value.bytes;
}

int32_t quire_column_int32(const PGresult *result, int row, int column) {
    return (int32_t)quire_get_u32(column_fixed(result, row, column, 4));
}

int64_t quire_column_int64(const PGresult *result, int row, int column) {
    return (int64_t)quire_get_u64(column_fixed(result, row, column, 8));
}

double quire_column_double(const PGresult *result, int row, int column) {
    uint64_t bits = quire_get_u64(column_fixed(result, row, column, 8));
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

bool quire_column_bool(const PGresult *result, int row, int column) {
    return *column_fixed(result, row, column, 1) != 0;
}

int64_t quire_column_time(const PGresult *result, int row, int column) {
    int64_t us = quire_column_int64(result, row, column);
    int64_t ms = us / 1000 - (us % 1000 < 0); /* C rounds towards zero: wrong before 2000 */
    return ms + POSTGRES_EPOCH_MS;
}

bool quire_column_text_array(const PGresult *result, int row, int column, struct quire_arena *arena,
                             struct quire_slice **ret_items, size_t *ret_count) {
    struct quire_slice value = quire_column_text(result, row, column);
    assert(value.size >= ARRAY_EMPTY_BYTES && quire_get_u32(value.bytes) <= 1);
    if (quire_get_u32(value.bytes) == 0) {
        *ret_items = NULL;
        *ret_count = 0;
        return true;
    }
    assert(value.size >= ARRAY_HEADER_BYTES && quire_get_u32(value.bytes + 4) == 0);
    size_t count = quire_get_u32(value.bytes + 12);
    struct quire_slice *items = quire_arena_alloc(arena, count * sizeof *items);
    if (items == NULL)
        return false;
    const uint8_t *at = value.bytes + ARRAY_HEADER_BYTES, *end = value.bytes + value.size;
    for (size_t i = 0; i < count; i++) {
        assert(end - at >= 4);
        uint32_t size = quire_get_u32(at);
        assert((size_t)(end - at) - 4 >= size);
        items[i] = (struct quire_slice){at + 4, size};
        at += 4 + size;
    }
    *ret_items = items;
    *ret_count = count;
    return true;
}
