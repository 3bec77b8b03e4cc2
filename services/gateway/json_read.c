#include "gateway/json_read.h"

#include <stdlib.h>

/* A value takes 16 bytes. A ring, and the thread beside it, read one body at a time, so a process has at most twice
 * this much a ring: four million values, far more than any valid body of 16 MiB has, while one of `[1,1,1...` would
 * otherwise take eight times its own bytes. */
#define JSON_TREE_BYTES_MAX ((size_t)64 * 1024 * 1024)
/* Up to this many names are compared each with each; more are sorted, as a body of 16 MiB may have a million in one
 * object. */
#define JSON_PAIRWISE_MAX 16u

/* ---- Memory: yyjson guesses high (a sixth of the body's bytes as values), so a large guess must not be an arena's;
 * untouched heap pages cost nothing. */

struct json_bound {
    bool passed;
};

static void *json_heap_alloc(void *context, size_t bytes) {
    struct json_bound *bound = context;
    bound->passed = bound->passed || bytes > JSON_TREE_BYTES_MAX;
    return bound->passed ? NULL : malloc(bytes);
}

static void *json_heap_realloc(void *context, void *memory, size_t old_bytes, size_t bytes) {
    (void)old_bytes;
    struct json_bound *bound = context;
    bound->passed = bound->passed || bytes > JSON_TREE_BYTES_MAX;
    return bound->passed ? NULL : realloc(memory, bytes);
}

static void json_heap_free(void *context, void *memory) {
    (void)context;
    free(memory);
}

/* ---- Surrogates */

static int json_hex4(const uint8_t *digits) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = digits[i] | 0x20;
        if (digits[i] >= '0' && digits[i] <= '9')
            value = value * 16 + digits[i] - '0';
        else if (digit >= 'a' && digit <= 'f')
            value = value * 16 + digit - 'a' + 10;
        else
            return -1;
    }
    return value;
}

/* The code unit of the \uXXXX at `at`, -1 where none stands. */
static int json_code_unit(const uint8_t *body, size_t body_bytes, size_t at) {
    if (body_bytes - at < 6 || body[at] != '\\' || body[at + 1] != 'u')
        return -1;
    return json_hex4(body + at + 2);
}

/* yyjson takes a lone surrogate for bad grammar, a 400; the contract has it as an invalid text, a 422, just as \u0000.
 * So each becomes \u0000 in place, of the same length, and the field it stands in is told. Backslashes stand in strings
 * only, so none need be looked for. Returns whether any \u0000 is there. */
static bool json_mend_surrogates(uint8_t *body, size_t body_bytes) {
    bool nul = false;
    size_t at = 0;
    while (at < body_bytes) {
        const uint8_t *found = memchr(body + at, '\\', body_bytes - at);
        if (found == NULL)
            break;
        at = (size_t)(found - body);
        int unit = json_code_unit(body, body_bytes, at);
        if (unit < 0) {
            at += 2;
            continue;
        }
        if (unit >= 0xd800 && unit <= 0xdbff) {
            int next = body_bytes - at > 6 ? json_code_unit(body, body_bytes, at + 6) : -1;
            if (next >= 0xdc00 && next <= 0xdfff) {
                at += 12;
                continue;
            }
        }
        if (unit >= 0xd800 && unit <= 0xdfff)
            memcpy(body + at + 2, "0000", 4);
        nul = nul || unit == 0 || (unit >= 0xd800 && unit <= 0xdfff);
        at += 6;
    }
    return nul;
}

/* ---- Duplicate names */

static bool json_same(const yyjson_val *a, const yyjson_val *b) {
    return quire_slice_equal(json_slice(a), json_slice(b));
}

/* By length, bytes, and place in the body: equal names become neighbours, the earlier first. */
static int json_compare_names(const void *a, const void *b) {
    struct quire_slice left = json_slice(*(yyjson_val *const *)a), right = json_slice(*(yyjson_val *const *)b);
    if (left.size != right.size)
        return left.size < right.size ? -1 : 1;
    int order = memcmp(left.bytes, right.bytes, left.size);
    if (order != 0)
        return order;
    return left.bytes < right.bytes ? -1 : left.bytes > right.bytes;
}

static const uint8_t *json_earlier(const uint8_t *a, const uint8_t *b) {
    return a == NULL || (b != NULL && b < a) ? b : a;
}

/* First byte of the earliest name that stood in the object before; NULL when none did. */
static const uint8_t *json_duplicate_pairwise(yyjson_val *object) {
    yyjson_val *names[JSON_PAIRWISE_MAX];
    size_t count = 0;
    yyjson_obj_iter iterator = yyjson_obj_iter_with(object);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&iterator)) != NULL; names[count++] = name)
        for (size_t i = 0; i < count; i++)
            if (json_same(names[i], name))
                return json_slice(name).bytes;
    return NULL;
}

static bool json_duplicate_sorted(yyjson_val *object, size_t members, const uint8_t **ret_name) {
    yyjson_val **names = malloc(members * sizeof(yyjson_val *));
    if (names == NULL)
        return false;
    size_t count = 0;
    yyjson_obj_iter iterator = yyjson_obj_iter_with(object);
    for (yyjson_val *name; count < members && (name = yyjson_obj_iter_next(&iterator)) != NULL;)
        names[count++] = name;
    qsort(names, count, sizeof(yyjson_val *), json_compare_names);
    const uint8_t *earliest = NULL;
    for (size_t i = 1; i < count; i++)
        if (json_same(names[i - 1], names[i]))
            earliest = json_earlier(earliest, json_slice(names[i]).bytes);
    free(names);
    *ret_name = earliest;
    return true;
}

/* Values lie one behind the other in the tree, so no stack is needed however deep it is. False without memory. */
static bool json_find_duplicate(const struct json_document *document, const uint8_t **ret_name) {
    const uint8_t *earliest = NULL;
    size_t values = yyjson_doc_get_val_count(document->doc);
    for (size_t i = 0; i < values; i++) {
        yyjson_val *value = document->root + i;
        size_t members = yyjson_obj_size(value); /* 0 for what is no object */
        const uint8_t *name = NULL;
        if (members > JSON_PAIRWISE_MAX) {
            if (!json_duplicate_sorted(value, members, &name))
                return false;
        } else if (members > 1) {
            name = json_duplicate_pairwise(value);
        }
        earliest = json_earlier(earliest, name);
    }
    *ret_name = earliest;
    return true;
}

/* ---- Reading */

/* Our words: no library's text reaches a client. */
static const char *json_reason(yyjson_read_code code) {
    switch (code) {
    case YYJSON_READ_ERROR_EMPTY_CONTENT:
    case YYJSON_READ_ERROR_INVALID_PARAMETER: /* of ours only the length of 0 is one */
        return "The body is empty";
    case YYJSON_READ_ERROR_UNEXPECTED_CONTENT:
        return "The body has something after its JSON value";
    case YYJSON_READ_ERROR_UNEXPECTED_END:
        return "The body's JSON ends too early";
    case YYJSON_READ_ERROR_INVALID_NUMBER:
        return "The body has a malformed number";
    case YYJSON_READ_ERROR_INVALID_STRING:
        return "The body has a malformed string";
    case YYJSON_READ_ERROR_LITERAL:
        return "The body has an unknown literal";
    default:
        return "The body is no valid JSON";
    }
}

enum json_read_result json_document_read(struct json_document *document, uint8_t *body, size_t body_bytes,
                                         const char **ret_reason, size_t *ret_at) {
    struct json_bound bound = {false};
    const yyjson_alc heap = {json_heap_alloc, json_heap_realloc, json_heap_free, &bound};
    yyjson_read_err error;
    *document = (struct json_document){.may_have_nul = json_mend_surrogates(body, body_bytes)};
    memset(body + body_bytes, 0, YYJSON_PADDING_SIZE);
    document->doc =
        yyjson_read_opts((char *)body, body_bytes, YYJSON_READ_INSITU | YYJSON_READ_NUMBER_AS_RAW, &heap, &error);
    if (document->doc == NULL && error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        return bound.passed ? JSON_TOO_MANY_VALUES : JSON_NO_MEMORY;
    if (document->doc == NULL) {
        *ret_reason = json_reason(error.code);
        *ret_at = error.pos;
        return JSON_MALFORMED;
    }
    document->root = yyjson_doc_get_root(document->doc);
    document->doc->alc.ctx = NULL; /* `bound` ends here; freeing looks at no context */
    const uint8_t *duplicate = NULL;
    bool searched = json_find_duplicate(document, &duplicate);
    if (searched && duplicate == NULL)
        return JSON_READ;
    json_document_close(document);
    if (!searched)
        return JSON_NO_MEMORY;
    *ret_reason = "The body has a duplicate name";
    *ret_at = (size_t)(duplicate - body) - 1; /* its opening quote: strings are decoded where they begin */
    return JSON_MALFORMED;
}

void json_document_close(struct json_document *document) {
    yyjson_doc_free(document->doc);
    *document = (struct json_document){0};
}

/* ---- Minifying */

struct json_minifier {
    struct json_writer writer;
    enum json_minify_result result;
};

static void json_minify_text(struct json_minifier *minifier, yyjson_val *text) {
    struct quire_slice slice = json_slice(text);
    if (slice.size > 0 && memchr(slice.bytes, '\0', slice.size) != NULL)
        minifier->result = JSON_HAS_NUL;
    json_string(&minifier->writer, slice);
}

/* Recursion is bounded by JSON_DEPTH_MAX, and ends with the first fault. */
static void json_minify_value(struct json_minifier *minifier, yyjson_val *value, unsigned depth);

static void json_minify_object(struct json_minifier *minifier, yyjson_val *object, unsigned depth) {
    json_begin(&minifier->writer, '{');
    yyjson_obj_iter iterator = yyjson_obj_iter_with(object);
    for (yyjson_val *name; minifier->result == JSON_MINIFIED && (name = yyjson_obj_iter_next(&iterator)) != NULL;) {
        json_minify_text(minifier, name);
        json_colon(&minifier->writer);
        json_minify_value(minifier, yyjson_obj_iter_get_val(name), depth + 1);
    }
    json_end(&minifier->writer, '}');
}

static void json_minify_array(struct json_minifier *minifier, yyjson_val *array, unsigned depth) {
    json_begin(&minifier->writer, '[');
    yyjson_arr_iter iterator = yyjson_arr_iter_with(array);
    for (yyjson_val *item; minifier->result == JSON_MINIFIED && (item = yyjson_arr_iter_next(&iterator)) != NULL;)
        json_minify_value(minifier, item, depth + 1);
    json_end(&minifier->writer, ']');
}

static void json_minify_value(struct json_minifier *minifier, yyjson_val *value, unsigned depth) {
    struct json_writer *writer = &minifier->writer;
    if (yyjson_is_ctn(value) && depth > JSON_DEPTH_MAX)
        minifier->result = JSON_TOO_DEEP;
    else if (yyjson_is_obj(value))
        json_minify_object(minifier, value, depth);
    else if (yyjson_is_arr(value))
        json_minify_array(minifier, value, depth);
    else if (yyjson_is_str(value))
        json_minify_text(minifier, value);
    else if (yyjson_is_raw(value))
        json_raw(writer, json_slice(value));
    else if (yyjson_is_bool(value))
        json_boolean(writer, yyjson_is_true(value));
    else
        json_null(writer);
    if (writer->failed && minifier->result == JSON_MINIFIED)
        minifier->result = writer->too_long ? JSON_MINIFIED_TOO_LONG : JSON_MINIFY_NO_MEMORY;
}

enum json_minify_result json_minify(struct quire_arena *arena, yyjson_val *value, unsigned depth, size_t bytes_max,
                                    struct quire_slice *ret_text) {
    struct json_minifier minifier = {.result = JSON_MINIFIED};
    json_writer_init(&minifier.writer, arena, 0, bytes_max);
    json_minify_value(&minifier, value, depth);
    struct quire_slice text;
    if (minifier.result != JSON_MINIFIED || !json_writer_end(&minifier.writer, &text))
        return minifier.result == JSON_MINIFIED ? JSON_MINIFY_NO_MEMORY : minifier.result;
    char *terminated = quire_arena_text(arena, text);
    if (terminated == NULL)
        return JSON_MINIFY_NO_MEMORY;
    *ret_text = (struct quire_slice){(const uint8_t *)terminated, text.size};
    return JSON_MINIFIED;
}
