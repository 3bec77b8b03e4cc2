#include "runtime/partition.h"
#include "unit/suite.h"

static struct quire_partition taken(int64_t committed, const char *note, int64_t low, int64_t high) {
    struct quire_partition partition;
    quire_partition_take(&partition, committed, quire_slice_of(note), low, high);
    return partition;
}

static void a_new_group_begins_at_the_oldest_message(void) {
    struct quire_partition partition = taken(-1001, NULL, 3, 9);
    CU_ASSERT_EQUAL(partition.next_offset, 3);
    CU_ASSERT_FALSE(quire_partition_suspects(&partition, 3));
    CU_ASSERT_FALSE(partition.opened); /* nothing stands at the broker: a crash would look like a new group */
}

static void after_a_clean_end_nothing_is_suspect(void) {
    struct quire_partition partition = taken(5, "clean", 0, 9);
    CU_ASSERT_EQUAL(partition.next_offset, 5);
    CU_ASSERT_EQUAL(quire_partition_attempt(&partition, 5), 1);
    CU_ASSERT_FALSE(partition.opened);
}

static void after_a_crash_what_was_there_is_suspect(void) {
    struct quire_partition partition = taken(5, "open", 0, 9);
    CU_ASSERT_TRUE(partition.opened);
    CU_ASSERT_TRUE(quire_partition_suspects(&partition, 5));
    CU_ASSERT_TRUE(quire_partition_suspects(&partition, 8));
    CU_ASSERT_FALSE(quire_partition_suspects(&partition, 9)); /* came after the crash */
    CU_ASSERT_EQUAL(quire_partition_attempt(&partition, 5), 2);
    CU_ASSERT_EQUAL(quire_partition_attempt(&partition, 9), 1);
}

static void a_note_that_is_missing_or_strange_is_a_crash(void) {
    static const char *const notes[] = {NULL, "", "attempt:", "attempt:x", "cleaner"};
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        struct quire_partition partition = taken(5, notes[i], 0, 9);
        CU_ASSERT_EQUAL(quire_partition_attempt(&partition, 5), 2);
    }
}

/* Else a message that kills its worker would kill every worker, for ever. */
static void the_message_of_two_crashes_is_told_from_those_behind_it(void) {
    struct quire_partition partition = taken(5, "attempt:2", 0, 9);
    CU_ASSERT_TRUE(quire_partition_attempt(&partition, 5) > QUIRE_ATTEMPTS_MAX);
    CU_ASSERT_EQUAL(quire_partition_attempt(&partition, 6), 2);
    quire_partition_done(&partition, 5);
    CU_ASSERT_EQUAL(partition.next_offset, 6);
    CU_ASSERT_EQUAL(quire_partition_attempt(&partition, 6), 2);
}

static void an_attempt_that_was_not_made_is_handed_on(void) {
    char note[QUIRE_COMMIT_NOTE_BYTES];
    struct quire_partition partition = taken(5, "attempt:2", 0, 9);
    quire_partition_note(&partition, true, note);
    CU_ASSERT_STRING_EQUAL(note, "attempt:2"); /* not "clean": its next owner must know */
    quire_partition_done(&partition, 5);
    quire_partition_note(&partition, false, note);
    CU_ASSERT_STRING_EQUAL(note, "open");
    quire_partition_note(&partition, true, note);
    CU_ASSERT_STRING_EQUAL(note, "clean");
}

QUIRE_TEST_MAIN("partition", NULL, NULL,
                {"a_new_group_begins_at_the_oldest_message", a_new_group_begins_at_the_oldest_message},
                {"after_a_clean_end_nothing_is_suspect", after_a_clean_end_nothing_is_suspect},
                {"after_a_crash_what_was_there_is_suspect", after_a_crash_what_was_there_is_suspect},
                {"a_note_that_is_missing_or_strange_is_a_crash", a_note_that_is_missing_or_strange_is_a_crash},
                {"the_message_of_two_crashes_is_told_from_those_behind_it",
                 the_message_of_two_crashes_is_told_from_those_behind_it},
                {"an_attempt_that_was_not_made_is_handed_on", an_attempt_that_was_not_made_is_handed_on})
