/* What can be asked of a head that has been read. */
#include "gateway/http.h"

#include <strings.h>

static const char *const method_texts[HTTP_METHODS] = {"GET",    "HEAD",    "POST",  "PUT",     "PATCH",
                                                       "DELETE", "OPTIONS", "TRACE", "CONNECT", "other"};

const char *http_method_text(enum http_method method) {
    return method_texts[method];
}

enum http_method http_method_of(struct quire_slice text) {
    for (unsigned method = 0; method < HTTP_METHOD_UNKNOWN; method++)
        if (quire_slice_equal(text, quire_slice_of(method_texts[method])))
            return (enum http_method)method;
    return HTTP_METHOD_UNKNOWN;
}

bool http_name_equal(struct quire_slice name, const char *text) {
    return strlen(text) == name.size && strncasecmp((const char *)name.bytes, text, name.size) == 0;
}

const struct http_field *http_find(const struct http_head *head, const char *name, size_t *ret_count) {
    const struct http_field *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < head->fields_count; i++) {
        if (!http_name_equal(head->fields[i].name, name))
            continue;
        if (count++ == 0)
            found = &head->fields[i];
        if (ret_count == NULL)
            break;
    }
    if (ret_count != NULL)
        *ret_count = count;
    return found;
}
