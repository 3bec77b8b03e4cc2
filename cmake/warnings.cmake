# Linked PRIVATE by every target of ours; generated code links none of it.
add_library(quire_warnings INTERFACE)
target_compile_options(quire_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes)

add_library(quire_sanitizers INTERFACE)
if(QUIRE_SANITIZE)
    target_compile_options(quire_sanitizers INTERFACE -fsanitize=${QUIRE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(quire_sanitizers INTERFACE -fsanitize=${QUIRE_SANITIZE})
endif()
