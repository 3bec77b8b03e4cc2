/* A list's cursor and a write's conditions, as a client sends them. A cursor that was made of a time that there is is
 * taken again for the same list, and is refused for another list, and as soon as one character is another; what else is
 * taken is what encoding gives again. The first 58 bytes make a cursor and say where it is bent, the rest is the text.
 */
#include "documents/conditions.h"
#include "documents/cursor.h"

#include <assert.h>

#define MAKING_BYTES 58u

static struct quire_arena arena;

static void check_made(const uint8_t *making, struct quire_slice tag) {
    struct cursor cursor = {.created_at_ms = 0}, same;
    memcpy(&cursor.created_at_ms, making, 8);
    if ((making[57] & 1) == 0) /* else it would hardly ever be a time that there is */
        cursor.created_at_ms = (int64_t)((uint64_t)cursor.created_at_ms % (CURSOR_CREATED_AT_MS_MAX + 1));
    memcpy(cursor.id, making + 8, 16);
    const struct cursor_scope scope = {.account = making + 24, .tag = tag}, other = {.account = making + 24, .q = tag};
    char text[CURSOR_CHARACTERS + 1];
    cursor_encode(&cursor, &scope, text);
    const struct quire_slice whole = {(const uint8_t *)text, CURSOR_CHARACTERS};
    assert(strlen(text) == CURSOR_CHARACTERS);
    if ((uint64_t)cursor.created_at_ms > CURSOR_CREATED_AT_MS_MAX) {
        assert(!cursor_decode(whole, &scope, &same));
        return;
    }
    assert(cursor_decode(whole, &scope, &same));
    assert(same.created_at_ms == cursor.created_at_ms && memcmp(same.id, cursor.id, sizeof(same.id)) == 0);
    assert(tag.size == 0 || !cursor_decode(whole, &other, &same));
    assert(!cursor_decode((struct quire_slice){whole.bytes, CURSOR_CHARACTERS - 1}, &scope, &same));
    char *bent = &text[making[40] % CURSOR_CHARACTERS];
    if (*bent == (char)making[41])
        return;
    *bent = (char)making[41];
    assert(!cursor_decode(whole, &scope, &same));
}

static void check_sent(struct quire_slice sent, const uint8_t *account) {
    const struct cursor_scope scope = {.account = account};
    struct cursor cursor;
    if (!cursor_decode(sent, &scope, &cursor))
        return;
    char text[CURSOR_CHARACTERS + 1];
    cursor_encode(&cursor, &scope, text);
    assert(quire_slice_equal(sent, quire_slice_of(text)));
}

/* What is read of a list stands in it, the whole of it, and twice the list is read as twice its versions; `*` is alone.
 * Returns whether it is read. */
static bool check_read(char *value, bool weak, struct condition *ret_condition) {
    const size_t count_before = ret_condition->count;
    struct condition twice;
    if (!condition_read(value, weak, ret_condition)) {
        assert(ret_condition->count == count_before);
        return false;
    }
    assert(ret_condition->present && ret_condition->count <= CONDITION_VERSIONS_MAX);
    assert(!ret_condition->any || ret_condition->count == 0);
    for (size_t i = 0; i < ret_condition->count; i++)
        assert(ret_condition->versions[i] > 0 && strstr(value, condition_etag(&arena, ret_condition->versions[i])));
    const bool again = condition_read(quire_arena_printf(&arena, "%s,%s", value, value), weak, &twice);
    assert(again == (!ret_condition->any && ret_condition->count * 2 <= CONDITION_VERSIONS_MAX));
    assert(!again || twice.count == ret_condition->count * 2);
    assert(!condition_read(quire_arena_printf(&arena, "%s x", value), weak, &twice));
    return true;
}

/* Strong comparison takes no more than weak, and reads what weak reads; what an ETag of ours says, both take. */
static void check_conditions(struct quire_slice sent, int64_t version) {
    struct condition strong = {.count = 1}, weak = {.count = 1};
    char *value = quire_arena_text(&arena, sent);
    if (check_read(value, true, &weak)) {
        assert(check_read(value, false, &strong));
        assert(strong.count <= weak.count && strong.any == weak.any);
    }
    version = version < 0 ? 1 : version % INT64_C(1000000000000000000);
    assert(condition_read(condition_etag(&arena, version == 0 ? 1 : version), false, &strong));
    assert(strong.count == 1 && strong.versions[0] == (version == 0 ? 1 : version));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < MAKING_BYTES)
        return 0;
    const struct quire_slice sent = {data + MAKING_BYTES, size - MAKING_BYTES};
    int64_t version;
    if (arena.bytes_max == 0)
        quire_arena_init(&arena, 1 << 20);
    quire_arena_reset(&arena);
    memcpy(&version, data + 42, sizeof(version));
    check_made(data, sent);
    check_sent(sent, data + 24);
    check_conditions(sent, version);
    return 0;
}
