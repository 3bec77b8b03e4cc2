#include "session/note.h"

#include "runtime/texts.h"

#define TIME_MS_MAX INT64_C(253402300799999) /* the end of 9999, the last year that an answer can name (RFC 3339) */

struct quire_slice note_encode(struct quire_arena *arena, const Quire__Account *account) {
    uint8_t *bytes = quire_arena_alloc(arena, quire__account__get_packed_size(account));
    if (bytes == NULL)
        return (struct quire_slice){0};
    return (struct quire_slice){bytes, quire__account__pack(account, bytes)};
}

/* What Redis holds some process wrote once: it is looked at like anything that comes in. */
Quire__Account *note_decode(struct quire_arena *arena, struct quire_slice note, const uint8_t id[QUIRE_UUID_BYTES]) {
    Quire__Account *account = note.size == 0 ? NULL : quire__account__unpack(&arena->protobuf, note.size, note.bytes);
    if (account == NULL || account->id.len != QUIRE_UUID_BYTES || memcmp(account->id.data, id, QUIRE_UUID_BYTES) != 0)
        return NULL;
    account->base.n_unknown_fields = 0; /* of a newer version: an answer of this one has what this one knows */
    const bool said = account->email[0] != '\0' && account->created_at > 0 && account->created_at <= TIME_MS_MAX;
    return said && quire_texts_valid(&account->base) ? account : NULL;
}
