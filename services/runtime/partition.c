#include "runtime/partition.h"

#include <stdio.h>

static const char clean[] = "clean", open[] = "open", attempt[] = "attempt:";

bool quire_partition_note_clean(struct quire_slice note) {
    return quire_slice_equal(note, quire_slice_of(clean));
}

static unsigned attempts_of(struct quire_slice note) {
    const size_t prefix = sizeof(attempt) - 1;

    if (note.size != prefix + 1 || memcmp(note.bytes, attempt, prefix) != 0)
        return 0;
    const unsigned digit = (unsigned)note.bytes[prefix] - '0';
    return digit <= 9 ? digit : 0;
}

void quire_partition_take(struct quire_partition *partition, int64_t committed, struct quire_slice note, int64_t low,
                          int64_t high) {
    *partition = (struct quire_partition){.owned = true, .next_offset = committed < 0 ? low : committed};
    if (committed < 0 || quire_partition_note_clean(note))
        return;
    partition->opened = true;
    partition->suspect_end = high;
    partition->attempts = attempts_of(note);
}

bool quire_partition_suspects(const struct quire_partition *partition, int64_t offset) {
    return offset < partition->suspect_end;
}

unsigned quire_partition_attempt(const struct quire_partition *partition, int64_t offset) {
    if (!quire_partition_suspects(partition, offset))
        return 1;
    /* What was being handled when the last owner crashed had one attempt already, noted or (in a batch) not. */
    return offset == partition->next_offset && partition->attempts != 0 ? partition->attempts + 1 : 2;
}

void quire_partition_done(struct quire_partition *partition, int64_t offset) {
    partition->next_offset = offset + 1;
    partition->attempts = 0;
    partition->dirty = true;
}

void quire_partition_note(const struct quire_partition *partition, bool leaving,
                          char ret_note[QUIRE_COMMIT_NOTE_BYTES]) {
    if (partition->attempts != 0)
        (void)snprintf(ret_note, QUIRE_COMMIT_NOTE_BYTES, "%s%u", attempt, partition->attempts);
    else
        (void)snprintf(ret_note, QUIRE_COMMIT_NOTE_BYTES, "%s", leaving ? clean : open);
}
