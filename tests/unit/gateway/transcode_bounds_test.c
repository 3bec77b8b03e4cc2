/* The largest that is taken, and one more; and bodies that are made to cost: if it failed, one caller could take the
 * memory of all. */
#include "transcode_fixture.h"

#include "quire/documents.pb-c.h"

/* A body of `count` times `unit` between head and tail. */
static struct body body_repeated(const char *head, const char *unit, size_t count, const char *tail) {
    size_t head_bytes = strlen(head), unit_bytes = strlen(unit), tail_bytes = strlen(tail);
    size_t size = head_bytes + unit_bytes * count + tail_bytes;
    struct body body = {malloc(size + YYJSON_PADDING_SIZE), size};
    CU_ASSERT_PTR_NOT_NULL_FATAL(body.bytes);
    memcpy(body.bytes, head, head_bytes);
    for (size_t i = 0; i < count; i++)
        memcpy(body.bytes + head_bytes + i * unit_bytes, unit, unit_bytes);
    memcpy(body.bytes + head_bytes + unit_bytes * count, tail, tail_bytes);
    return body;
}

static bool encodes_repeated(const char *method, const char *head, const char *unit, size_t count, const char *tail,
                             struct problem *ret_problem, struct transcode_encoded *ret_encoded) {
    struct body body = body_repeated(head, unit, count, tail);
    struct transcode_request request = request_of(call_of(method), &body);
    bool taken = transcode_encode(&f.arena, &request, ret_encoded, ret_problem);
    free(body.bytes); /* what was encoded is packed: nothing points into the body any more */
    return taken;
}

static void bounds_hold_on_both_sides(void) {
    static const struct {
        const char *head, *unit, *tail;
        size_t fits;
    } rows[] = {
        {"{\"content\":\"c\",\"title\":\"", "\xf0\x9f\x98\x80", "\"}", 500},
        {"{\"title\":\"t\",\"content\":\"", "x", "\"}", 15728640},
        {"{\"title\":\"t\",\"content\":\"c\",\"tags\":[\"", "\xd7\xa9", "\"]}", 64},
        {"{\"title\":\"t\",\"content\":\"c\",\"metadata\": {\"k\" : \"", "x", "\" } }", 16384 - 8},
        {"{\"title\":\"t\",\"content\":\"c\",\"metadata\": {\"k\" : \"", "\\n", "\" } }", (16384 - 8) / 2},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct problem problem;
        struct transcode_encoded encoded;
        CU_ASSERT_TRUE(encodes_repeated("quire.Documents/Create", rows[i].head, rows[i].unit, rows[i].fits,
                                        rows[i].tail, &problem, &encoded));
        CU_ASSERT_FALSE_FATAL(encodes_repeated("quire.Documents/Create", rows[i].head, rows[i].unit, rows[i].fits + 1,
                                               rows[i].tail, &problem, &encoded));
        CU_ASSERT_EQUAL(problem.status, 422);
        CU_ASSERT_EQUAL(problem.faults_count, 1);
        quire_arena_reset(&f.arena);
    }
}

/* 100 levels are allowed: the body, metadata, and 98 in it. A million must cost neither stack nor service. */
static void nesting_ends_at_a_hundred_levels(void) {
    static const size_t levels[] = {97, 98, 1000000};
    for (size_t i = 0; i < 3; i++) {
        size_t size = levels[i];
        char *tail = malloc(size + 8);
        CU_ASSERT_PTR_NOT_NULL_FATAL(tail);
        memset(tail, ']', size);
        memcpy(tail + size, "}}", 3);
        struct problem problem;
        struct transcode_encoded encoded;
        bool taken =
            encodes_repeated("quire.Documents/Create", "{\"title\":\"t\",\"content\":\"c\",\"metadata\":{\"a\":", "[",
                             levels[i], tail, &problem, &encoded);
        CU_ASSERT_EQUAL(taken, i == 0 || levels[i] == 98);
        if (!taken) {
            CU_ASSERT_EQUAL(problem.status, 422);
            CU_ASSERT_STRING_EQUAL(problem.faults[0].field, "metadata");
            CU_ASSERT_STRING_EQUAL(problem.faults[0].message, "is nested over 100 levels deep");
        }
        free(tail);
        quire_arena_reset(&f.arena);
    }
    struct problem problem;
    struct transcode_encoded encoded;
    char tail[128];
    memset(tail, ']', 99);
    memcpy(tail + 99, "}}", 3);
    CU_ASSERT_FALSE(encodes_repeated("quire.Documents/Create",
                                     "{\"title\":\"t\",\"content\":\"c\",\"metadata\":{\"a\":", "[", 99, tail, &problem,
                                     &encoded));
    quire_arena_reset(&f.arena);
}

static void a_thousand_items_fit_and_one_more_does_not(void) {
    static const char head[] = "{\"documents\":[{\"title\":\"t\",\"content\":\"c\"}",
                      unit[] = ",{\"title\":\"t\",\"content\":\"c\"}";
    struct problem problem;
    struct transcode_encoded encoded;
    CU_ASSERT_TRUE_FATAL(encodes_repeated("quire.Documents/CreateBatch", head, unit, 999, "]}", &problem, &encoded));
    Quire__CreateBatchRequest *message =
        quire__create_batch_request__unpack(&f.arena.protobuf, encoded.value_bytes, encoded.value);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CU_ASSERT_EQUAL(message->n_documents, 1000);
    CU_ASSERT_FALSE(encodes_repeated("quire.Documents/CreateBatch", head, unit, 1000, "]}", &problem, &encoded));
    CU_ASSERT_EQUAL(problem.status, 422);
    quire_arena_reset(&f.arena);
}

/* Told of the first hundred; and a body of a million small values is no way to much memory. */
static void hostile_bodies_are_bounded(void) {
    struct problem problem;
    struct transcode_encoded encoded;
    size_t size = 0, names = 300000;
    char *text = malloc(names * 16 + 64);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    size = (size_t)sprintf(text, "{\"x\":0");
    for (size_t i = 0; i < names; i++)
        size += (size_t)sprintf(text + size, ",\"n%zu\":1", i);
    text[size++] = '}';
    struct body body;
    CU_ASSERT_FALSE(encodes("quire.Documents/Create", text, size, &encoded, &problem, &body));
    CU_ASSERT_EQUAL(problem.status, 422);
    CU_ASSERT_EQUAL(problem.faults_count, 100);
    free(body.bytes);

    size_t duplicate = --size + 1; /* over the bracket: the quote of one more name, that was there before */
    size += (size_t)sprintf(text + size, ",\"n17\":1}");
    char detail[80];
    (void)snprintf(detail, sizeof(detail), "The body has a duplicate name at byte %zu", duplicate);
    CU_ASSERT_FALSE(encodes("quire.Documents/Create", text, size, &encoded, &problem, &body));
    CU_ASSERT_EQUAL(problem.status, 400);
    CU_ASSERT_STRING_EQUAL(problem.detail, detail);
    free(body.bytes);
    free(text);

    CU_ASSERT_FALSE(
        encodes_repeated("quire.Documents/Create", "{\"tags\":[1", ",1", 7000000, "]}", &problem, &encoded));
    CU_ASSERT_EQUAL(problem.status, 422);
    quire_arena_reset(&f.arena);
}

/* What a call may take is bounded by its body: a thousand items that are all wrong must still fit. */
static void a_batch_of_nothing_but_faults_fits_a_small_arena(void) {
    struct quire_arena arena;
    struct body body = body_repeated("{\"documents\":[{}", ",{}", 999, "]}");
    struct transcode_request request = request_of(call_of("quire.Documents/CreateBatch"), &body);
    struct transcode_encoded encoded;
    struct problem problem;
    quire_arena_init(&arena, 768 * 1024);
    CU_ASSERT_TRUE(transcode_encode(&arena, &request, &encoded, &problem));
    CU_ASSERT_TRUE(encoded.value_bytes > 1000 * 40);
    quire_arena_deinit(&arena);
    free(body.bytes);
}

/* Wherever memory ends it is a 503, and the next request works. */
static void every_shortage_of_memory_is_a_503(void) {
    static const char text[] =
        "{\"documents\":[{\"title\":\"a\",\"content\":\"b\",\"tags\":[\"x\"],\"metadata\":{\"a\":1}},{\"titel\":1}]}";
    bool taken = false;
    unsigned refused = 0;
    for (size_t bytes_max = 0; !taken && bytes_max < 100000; bytes_max += 32) {
        struct quire_arena arena;
        struct body body = body_of(text, sizeof(text) - 1);
        struct transcode_request request = request_of(call_of("quire.Documents/CreateBatch"), &body);
        struct transcode_encoded encoded;
        struct problem problem;
        quire_arena_init(&arena, bytes_max);
        taken = transcode_encode(&arena, &request, &encoded, &problem);
        if (!taken) {
            CU_ASSERT_EQUAL(problem.status, 503);
            refused++;
        }
        quire_arena_deinit(&arena);
        free(body.bytes);
    }
    CU_ASSERT_TRUE(taken);
    CU_ASSERT_TRUE(refused > 10);
}

QUIRE_TEST_MAIN("transcode_bounds", set_up, tear_down, {"bounds_hold_on_both_sides", bounds_hold_on_both_sides},
                {"nesting_ends_at_a_hundred_levels", nesting_ends_at_a_hundred_levels},
                {"a_thousand_items_fit_and_one_more_does_not", a_thousand_items_fit_and_one_more_does_not},
                {"hostile_bodies_are_bounded", hostile_bodies_are_bounded},
                {"a_batch_of_nothing_but_faults_fits_a_small_arena", a_batch_of_nothing_but_faults_fits_a_small_arena},
                {"every_shortage_of_memory_is_a_503", every_shortage_of_memory_is_a_503})
