#include "answers.h"

#include "base/token.h"
#include "base/utf8.h"
#include "base/wire.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

#define COLUMNS_MAX 16
#define EMPTY_ARRAY_BYTES 12u
#define ARRAY_HEADER_BYTES 20u

#define DICE_TRUE 0x08u /* what booleans are, and whether what may be null is */

/* PostgreSQL's src/backend/utils/adt and src/include/catalog/pg_type.dat. 0 bytes: any number. */
static const struct type {
    char letter;
    uint32_t oid;
    size_t bytes;
    bool text;
} types[] = {
    {'b', 17, 0, false}, {'o', 16, 1, false},    {'i', 23, 4, false},   {'l', 20, 8, false},
    {'t', 25, 0, true},  {'u', 2950, 16, false}, {'z', 1184, 8, false},
};

static const struct type *find_type(char letter) {
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].letter == tolower((unsigned char)letter))
            return &types[i];
    abort(); /* a letter that consumer.h doesn't name */
}

/* ---- Parameters */

static void check_value(const struct type *type, struct quire_slice value) {
    assert(type->bytes == 0 || value.size == type->bytes);
    assert(!type->text || value.size == 0 || memchr(value.bytes, '\0', value.size) == NULL);
    assert(!type->text || quire_utf8_valid(value));
}

static void check_array(const struct type *type, struct quire_slice value) {
    assert(value.size >= EMPTY_ARRAY_BYTES && quire_get_u32(value.bytes + 4) == 0);
    assert(quire_get_u32(value.bytes + 8) == type->oid);
    const uint32_t dimensions = quire_get_u32(value.bytes);
    if (dimensions == 0) {
        assert(value.size == EMPTY_ARRAY_BYTES);
        return;
    }
    assert(dimensions == 1 && value.size >= ARRAY_HEADER_BYTES && quire_get_u32(value.bytes + 16) == 1);
    size_t at = ARRAY_HEADER_BYTES;
    for (uint32_t i = quire_get_u32(value.bytes + 12); i > 0; i--) {
        assert(value.size - at >= 4);
        const size_t bytes = quire_get_u32(value.bytes + at);
        assert(value.size - at - 4 >= bytes);
        check_value(type, (struct quire_slice){value.bytes + at + 4, bytes});
        at += 4 + bytes;
    }
    assert(at == value.size);
}

static struct quire_slice parameter(const struct quire_parameters *parameters, int index) {
    return (struct quire_slice){(const uint8_t *)parameters->values[index], (size_t)parameters->lengths[index]};
}

void answers_check(const char *letters, const struct quire_parameters *parameters) {
    int count = 0;
    for (const char *at = letters; *at != '\0'; at++) {
        const bool may_be_null = at[1] == '?';
        assert(count < parameters->count);
        const struct quire_slice value = parameter(parameters, count++);
        if (value.bytes == NULL)
            assert(may_be_null);
        else if (isupper((unsigned char)*at))
            check_array(find_type(*at), value);
        else
            check_value(find_type(*at), value);
        at += may_be_null;
    }
    assert(count == parameters->count);
}

size_t answers_items(const struct quire_parameters *parameters, unsigned index) {
    const struct quire_slice value = parameter(parameters, (int)index);
    return quire_get_u32(value.bytes) == 0 ? 0 : quire_get_u32(value.bytes + 12);
}

/* ---- Results */

#define HASH "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaA"

static struct quire_slice value_of(char letter, const struct quire_parameters *parameters, unsigned row, uint8_t dice) {
    static uint8_t bytes[64];
    static const uint8_t words[] = {0, 0, 0, 1, 0, 0, 0,   0,   0,   0, 0, 25, 0, 0,   0,   2,   0,   0,
                                    0, 1, 0, 0, 0, 3, 's', 'e', 'a', 0, 0, 0,  5, 'l', 'i', 'g', 'h', 't'};
    /* Of two documents and of one. */
    static const uint8_t documents[] = {0,  0,  0,        1,        0,        0, 0, 0,  0,        0,       0,
                                        17, 0,  0,        0,        2,        0, 0, 0,  1,        0,       0,
                                        0,  32, [24] = 9, [40] = 3, [56] = 0, 0, 0, 16, [60] = 9, [75] = 0};
    /* Chunks 1 and 3; chunk 0; chunk 2. */
    static const uint8_t postings[] = {
        0, 0,  0, 1,  0, 0, 0, 0,  0, 0, 0, 17, 0, 0,  0, 2,  0, 0, 0, 1,             /* bytea[2] */
        0, 0,  0, 64, 0, 0, 0, 1,  0, 0, 0, 0,  0, 0,  0, 23, 0, 0, 0, 2, 0, 0, 0, 1, /* int4[2] */
        0, 0,  0, 4,  0, 0, 1, 80, 0, 0, 0, 4,  0, 0,  3, 90,                         /* of the first */
        0, 0,  0, 1,  0, 0, 0, 0,  0, 0, 0, 23, 0, 0,  0, 1,  0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 70, 0, 0,
        0, 28, 0, 0,  0, 1, 0, 0,  0, 0, 0, 0,  0, 23, 0, 0,  0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0,  2, 60};
    memset(bytes, 0x19, sizeof(bytes));
    switch (letter) {
    case 'd': /* 0.5 */
        memcpy(bytes, (const uint8_t[]){0x3f, 0xe0, 0, 0, 0, 0, 0, 0}, 8);
        return (struct quire_slice){bytes, 8};
    case 'e':
        return QUIRE_SLICE_LITERAL("ada@example.org");
    case 'h':
        return QUIRE_SLICE_LITERAL(HASH);
    case 'i':
        quire_put_u32(bytes, row);
        return (struct quire_slice){bytes, 4};
    case 'j':
        return QUIRE_SLICE_LITERAL("{\"a\":1.50}");
    case 'k':
        return (struct quire_slice){bytes, 32};
    case 'l':
        quire_put_u64(bytes, 3);
        return (struct quire_slice){bytes, 8};
    case 'o':
        bytes[0] = (dice & DICE_TRUE) != 0;
        return (struct quire_slice){bytes, 1};
    case 's':
        return (struct quire_slice){bytes, QUIRE_SESSION_BYTES};
    case 't':
        return QUIRE_SLICE_LITERAL("The keeper trims the lamp at dusk.");
    case 'u':
        return (struct quire_slice){bytes, 16};
    case 'z': /* microseconds since 2000 */
        quire_put_u64(bytes, UINT64_C(753321600000000));
        return (struct quire_slice){bytes, 8};
    case 'T':
        return (struct quire_slice){words, sizeof(words)};
    case 'D':
        return (struct quire_slice){documents, sizeof(documents)};
    case 'P':
        return (struct quire_slice){postings, sizeof(postings)};
    case 'W':
        return parameter(parameters, parameters->count - 1);
    default:
        abort(); /* a letter that consumer.h doesn't name */
    }
}

static int columns_of(const char *letters) {
    int columns = 0;
    for (const char *at = letters; *at != '\0'; at++)
        columns += *at != '?';
    return columns;
}

PGresult *answers_make(const char *letters, const struct quire_parameters *parameters, unsigned rows, uint8_t dice) {
    static PGresAttDesc attributes[COLUMNS_MAX] = {{.name = ""}};
    const int columns = columns_of(letters);
    for (int i = 0; i < COLUMNS_MAX; i++)
        attributes[i] = (PGresAttDesc){.name = "", .format = 1};
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    assert(result != NULL && columns <= COLUMNS_MAX);
    if (columns > 0 && PQsetResultAttrs(result, columns, attributes) == 0)
        abort();
    for (unsigned row = 0; row < rows; row++) {
        const char *at = letters;
        for (int column = 0; column < columns; column++, at++) {
            const bool null = at[1] == '?' && (dice & DICE_TRUE) != 0;
            const struct quire_slice value = value_of(*at, parameters, row, dice);
            if (PQsetvalue(result, (int)row, column, null ? NULL : (char *)(uintptr_t)value.bytes,
                           null ? -1 : (int)value.size) == 0)
                abort();
            at += at[1] == '?';
        }
    }
    return result;
}
