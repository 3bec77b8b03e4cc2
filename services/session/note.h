/* What this service notes with each session in Redis (runtime/redis/quire.lua): its account, as GET /auth/me answers
 * with it, so that this call needs no database. The bytes are quire.Account in protobuf's encoding; they are written
 * when the session is, and never again, as nothing of an account changes. Any thread. */
#ifndef QUIRE_SESSION_NOTE_H
#define QUIRE_SESSION_NOTE_H

#include "base/arena.h"
#include "base/id.h"
#include "quire/session.pb-c.h"
#include "runtime/keys.h"

#include <assert.h>

/* Each with its tag and length: the id, an e-mail of the 254 bytes that a registration takes at most, and a time. */
#define NOTE_BYTES_MAX (2 + QUIRE_UUID_BYTES + 3 + 254 + 1 + 10)
static_assert(NOTE_BYTES_MAX <= QUIRE_SESSION_NOTE_BYTES_MAX, "every account's note is kept");

/* In the arena. Empty, which is no note, without memory: a session is no worse for it. */
struct quire_slice note_encode(struct quire_arena *arena, const Quire__Account *account);
/* In the arena; NULL when the note is empty, can't be read, isn't of the account `id`, or there is no memory: then
 * PostgreSQL says it. Notes outlive an upgrade, so one may lack what was added to quire.Account since: whoever adds a
 * field makes this look whether it is there. */
Quire__Account *note_decode(struct quire_arena *arena, struct quire_slice note, const uint8_t id[QUIRE_UUID_BYTES]);

#endif
