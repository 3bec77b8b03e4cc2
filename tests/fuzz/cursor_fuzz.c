/* A list's cursor and a write's conditions as a client sends them. A cursor that is taken is the one that encoding
 * gives again. */
#include "documents/conditions.h"
#include "documents/cursor.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t account[16];
    const struct cursor_scope scope = {.account = account};
    struct cursor cursor;
    if (cursor_decode((struct quire_slice){data, size}, &scope, &cursor)) {
        char text[CURSOR_CHARACTERS + 1];
        cursor_encode(&cursor, &scope, text);
        if (size != CURSOR_CHARACTERS || memcmp(text, data, size) != 0)
            abort();
    }
    char *value = malloc(size + 1);
    if (value == NULL)
        return 0;
    memcpy(value, data, size);
    value[size] = '\0';
    struct condition condition;
    condition_read(value, false, &condition);
    if (condition.count > CONDITION_VERSIONS_MAX)
        abort();
    condition_read(value, true, &condition);
    free(value);
    return 0;
}
