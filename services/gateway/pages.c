#include "gateway/pages.h"

/* The assembler takes a file in as it is; CMake says where it stands and builds this file again when it changes. */
#define EMBED(name, file)                                                                                              \
    __asm__(".section .rodata\n"                                                                                       \
            "pages_" #name "_begin:\n"                                                                                 \
            ".incbin \"" QUIRE_PAGES_FOLDER "/" file "\"\n"                                                            \
            "pages_" #name "_end:\n"                                                                                   \
            ".previous\n");                                                                                            \
    extern const uint8_t pages_##name##_begin[] __attribute__((visibility("hidden")));                                 \
    extern const uint8_t pages_##name##_end[] __attribute__((visibility("hidden")))

#define CONTENT(name) {pages_##name##_begin, (size_t)(pages_##name##_end - pages_##name##_begin)}

EMBED(html, "docs.html");
EMBED(style, "docs.css");
EMBED(script, "docs.js");

bool page_find(enum route_kind kind, struct page *ret_page) {
    switch (kind) {
    case ROUTE_DOCS:
        *ret_page = (struct page){"text", "html", "text/html; charset=utf-8", CONTENT(html)};
        return true;
    case ROUTE_DOCS_STYLE:
        *ret_page = (struct page){"text", "css", "text/css; charset=utf-8", CONTENT(style)};
        return true;
    case ROUTE_DOCS_SCRIPT:
        *ret_page = (struct page){"text", "javascript", "text/javascript; charset=utf-8", CONTENT(script)};
        return true;
    default:
        return false;
    }
}
