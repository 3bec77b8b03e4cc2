#include "gateway/pages.h"

/* The assembler takes the file in as it is; CMake says where it stands and builds this file again when it changes. */
__asm__(".section .rodata\n"
        "pages_docs_begin:\n"
        ".incbin \"" QUIRE_PAGES_FOLDER "/docs.html\"\n"
        "pages_docs_end:\n"
        ".previous\n");

extern const uint8_t pages_docs_begin[] __attribute__((visibility("hidden")));
extern const uint8_t pages_docs_end[] __attribute__((visibility("hidden")));

struct quire_slice pages_docs(void) {
    return (struct quire_slice){pages_docs_begin, (size_t)(pages_docs_end - pages_docs_begin)};
}
