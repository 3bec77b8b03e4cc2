# Linked PRIVATE by every target of ours; generated code links none of it.
add_library(quire_warnings INTERFACE)
target_compile_options(quire_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes)

add_library(quire_sanitizers INTERFACE)
if(QUIRE_SANITIZE)
    target_compile_options(quire_sanitizers INTERFACE -fsanitize=${QUIRE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(quire_sanitizers INTERFACE -fsanitize=${QUIRE_SANITIZE})
endif()

# Locks and threads of librdkafka, in a form that ThreadSanitizer understands; a library can't be found by a program that doesn't ask for it.
if(QUIRE_SANITIZE MATCHES thread)
    add_library(quire_c11_threads STATIC tests/tsan/c11_threads.c)
    target_compile_options(quire_c11_threads PRIVATE -fsanitize=${QUIRE_SANITIZE})
    target_link_libraries(quire_sanitizers INTERFACE quire_c11_threads)
    target_link_options(quire_sanitizers INTERFACE LINKER:--undefined=thrd_create)
endif()
