# Linked PRIVATE by every target of ours; generated code links none of it.
add_library(quire_warnings INTERFACE)
target_compile_options(quire_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes)

add_library(quire_sanitizers INTERFACE)
if(QUIRE_SANITIZE)
    target_compile_options(quire_sanitizers INTERFACE -fsanitize=${QUIRE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(quire_sanitizers INTERFACE -fsanitize=${QUIRE_SANITIZE})
    # protobuf-c keeps its generated functions behind pointers of a common type and calls them so; clang would report each call.
    if(CMAKE_C_COMPILER_ID STREQUAL "Clang" AND QUIRE_SANITIZE MATCHES "undefined")
        target_compile_options(quire_sanitizers INTERFACE -fno-sanitize=function)
    endif()
    if(QUIRE_FUZZ) # a fuzzer sees only what is compiled so: without it, it mutates blindly
        target_compile_options(quire_sanitizers INTERFACE -fsanitize=fuzzer-no-link)
    endif()
endif()

# What uninstrumented libraries lock with, in a form that ThreadSanitizer sees; no program of ours asks for it by itself.
if(QUIRE_SANITIZE MATCHES thread)
    add_library(quire_tsan_locks STATIC tests/tsan/locks.c)
    target_compile_options(quire_tsan_locks PRIVATE -fsanitize=${QUIRE_SANITIZE})
    target_link_libraries(quire_sanitizers INTERFACE quire_tsan_locks)
    target_link_options(quire_sanitizers INTERFACE LINKER:--undefined=thrd_create)
endif()
