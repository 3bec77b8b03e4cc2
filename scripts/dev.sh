# Usage: ./quire dev [COMMAND...]
# A shell in the toolchain image with the source at /src and the build folder at /build. In it:
#   cmake --preset dev && ninja -C /build/dev      build
#   ctest --preset dev                             unit tests
#   python3 tests/e2e/stack_up.py                  all real servers and ours on loopback, until Ctrl-C
engine_ready
toolchain_ready
tty=(-i)
[ -t 0 ] && tty=(-it)
toolchain_run "${tty[@]}" -- "${@:-bash}"
