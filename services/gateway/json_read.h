/* A request's JSON text as yyjson's tree, parsed in place: strings and numbers (as they were written) point into the
 * body.
 *
 * One thread at a time. What makes a body malformed (a 400) is found here: grammar, UTF-8, duplicate names at any
 * depth. What makes it invalid (a 422) is told where the field is read: `may_have_nul` says whether to look for U+0000,
 * which a lone surrogate is turned into. */
#ifndef QUIRE_GATEWAY_JSON_READ_H
#define QUIRE_GATEWAY_JSON_READ_H

#include "gateway/json_write.h"

#include <yyjson.h>

#define JSON_DEPTH_MAX 100u

struct json_document {
    yyjson_doc *doc;
    yyjson_val *root;
    bool may_have_nul;
};

enum json_read_result {
    JSON_READ,
    JSON_MALFORMED,
    JSON_TOO_MANY_VALUES, /* its tree would pass JSON_TREE_BYTES_MAX */
    JSON_NO_MEMORY,
};

/* `body` has YYJSON_PADDING_SIZE writable bytes behind body_bytes. On JSON_MALFORMED *ret_reason is a constant text and
 * *ret_at the byte, counted from 0. A document that was read must be closed. */
QUIRE_MUSTCHECK enum json_read_result json_document_read(struct json_document *document, uint8_t *body,
                                                         size_t body_bytes, const char **ret_reason, size_t *ret_at);
/* Takes what json_document_read did not fill, too, when zeroed. */
void json_document_close(struct json_document *document);

/* A string, name or number as it stands in the tree. */
static inline struct quire_slice json_slice(const yyjson_val *value) {
    return (struct quire_slice){(const uint8_t *)unsafe_yyjson_get_str((void *)(uintptr_t)value),
                                unsafe_yyjson_get_len((void *)(uintptr_t)value)};
}

enum json_minify_result { JSON_MINIFIED, JSON_MINIFIED_TOO_LONG, JSON_TOO_DEEP, JSON_HAS_NUL, JSON_MINIFY_NO_MEMORY };

/* A value as minified UTF-8 text, NUL-terminated, numbers as they were written, only what must be escaped escaped.
 * `depth` is how many containers it stands in, itself counted; bytes_max of the text without its NUL. */
QUIRE_MUSTCHECK enum json_minify_result json_minify(struct quire_arena *arena, yyjson_val *value, unsigned depth,
                                                    size_t bytes_max, struct quire_slice *ret_text);

#endif
