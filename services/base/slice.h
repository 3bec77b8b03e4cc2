/* Bytes that somebody else owns: a pointer and a length, never NUL-terminated by promise. */
#ifndef QUIRE_BASE_SLICE_H
#define QUIRE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define QUIRE_MUSTCHECK __attribute__((warn_unused_result))

struct quire_slice {
    const uint8_t *bytes; /* NULL only when size is 0 */
    size_t size;
};

#define QUIRE_SLICE_LITERAL(text) ((struct quire_slice){(const uint8_t *)(text), sizeof(text) - 1})

static inline struct quire_slice quire_slice_of(const char *text) {
    return (struct quire_slice){(const uint8_t *)text, text == NULL ? 0 : strlen(text)};
}

static inline bool quire_slice_equal(struct quire_slice a, struct quire_slice b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

#endif
