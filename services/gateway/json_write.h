/* Writes JSON text straight into an arena, minified.
 *
 * A writer of our own rather than yyjson's: an answer of 15 MiB needs no tree beside its text, and stored JSON
 * (metadata) is put in as it stands, its numbers untouched. One thread at a time. Texts must be valid UTF-8. When
 * memory runs out the writer remembers it (`failed`) and ignores what follows, so callers check once, at the end. */
#ifndef QUIRE_GATEWAY_JSON_WRITE_H
#define QUIRE_GATEWAY_JSON_WRITE_H

#include "base/arena.h"

/* Invariants: size <= capacity <= bytes_max; failed => nothing is written any more */
struct json_writer {
    struct quire_arena *arena;
    uint8_t *bytes;
    size_t size, capacity, bytes_max;
    bool failed;   /* no memory, or bytes_max would be passed */
    bool too_long; /* it was bytes_max */
    bool comma;    /* the next value or name needs one before it */
};

/* `expected_bytes` is a guess that saves copying; SIZE_MAX as bytes_max for no bound but the arena's. */
void json_writer_init(struct json_writer *writer, struct quire_arena *arena, size_t expected_bytes, size_t bytes_max);
/* False when anything failed on the way. */
QUIRE_MUSTCHECK bool json_writer_end(const struct json_writer *writer, struct quire_slice *ret_json);

void json_begin(struct json_writer *writer, char bracket); /* '{' or '[' */
void json_end(struct json_writer *writer, char bracket);   /* '}' or ']' */
/* A name is a string and a colon; json_colon alone after a name that was written as a string. */
void json_name(struct json_writer *writer, struct quire_slice name);
void json_colon(struct json_writer *writer);
void json_string(struct json_writer *writer, struct quire_slice text);
/* How many bytes more than `text` itself json_string writes between the quotes. */
size_t json_escapes_bytes(struct quire_slice text);
/* JSON text as it stands: a number, a literal, a stored object. */
void json_raw(struct json_writer *writer, struct quire_slice json);
void json_integer(struct json_writer *writer, int64_t value);
void json_unsigned(struct json_writer *writer, uint64_t value);
/* The shortest text that reads back as the same double; null for what JSON can't say (NaN, infinities). */
void json_number(struct json_writer *writer, double value);
void json_boolean(struct json_writer *writer, bool value);
void json_null(struct json_writer *writer);

#endif
