/* What a worker remembers of each partition that it owns: where it stands, what the commits say, and which messages may
 * have been in a crash.
 *
 * Kafka counts no deliveries. So the metadata of a partition's commits say how its last owner left: "clean" after a
 * finished batch, "open" while it is being worked on, "attempt:k" when the message at the committed offset is being
 * tried for the kth time. An owner that finds anything but "clean" takes the messages that were there when it came for
 * suspects: each is handled by itself, with its attempt noted first. One that was being handled in two crashes is not
 * tried a third time. Plain values, worker thread only. */
#ifndef QUIRE_RUNTIME_PARTITION_H
#define QUIRE_RUNTIME_PARTITION_H

#include "base/slice.h"

#define QUIRE_ATTEMPTS_MAX 2u
#define QUIRE_COMMIT_NOTE_BYTES 24u

/* Invariants: attempts != 0 only while the message at next_offset is being tried or was left so by the last owner;
 * suspects are the messages from next_offset to suspect_end. */
struct quire_partition {
    bool owned;
    bool opened;         /* a commit that isn't "clean" stands at the broker */
    bool dirty;          /* next_offset is not yet committed */
    int64_t next_offset; /* of the first message that isn't done; negative: not known yet */
    int64_t suspect_end;
    unsigned attempts; /* of the message at next_offset, noted at the broker */
};

/* Takes the partition over: `committed` and its note (may be NULL) are what the broker has (committed negative:
 * nothing), low and high the log's present bounds. */
void quire_partition_take(struct quire_partition *partition, int64_t committed, struct quire_slice note, int64_t low,
                          int64_t high);
bool quire_partition_note_clean(struct quire_slice note);
bool quire_partition_suspects(const struct quire_partition *partition, int64_t offset);
/* Which attempt at this message is to begin: 1 where no crash is known. Above QUIRE_ATTEMPTS_MAX: it may not. */
unsigned quire_partition_attempt(const struct quire_partition *partition, int64_t offset);
/* The message has been handled. */
void quire_partition_done(struct quire_partition *partition, int64_t offset);
/* What a commit at next_offset says: while working, or on leaving. */
void quire_partition_note(const struct quire_partition *partition, bool leaving,
                          char ret_note[QUIRE_COMMIT_NOTE_BYTES]);

#endif
