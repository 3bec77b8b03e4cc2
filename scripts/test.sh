# Usage: ./quire test [LAYER] [ARGUMENTS...]
# Without a layer everything: the sources' form, unit, e2e, fuzz (short), chaos, smoke, then sanitizers (asan: units and end to end; tsan: units and the gateway).
#   unit  [CTEST ARGUMENTS]     CUnit programs                                   e.g. ./quire test unit -R arena
#   e2e   [PYTEST ARGUMENTS]    the Python units, then the real servers on loopback   e.g. ./quire test e2e -k idempotency
#   fuzz  [--minutes N]         libFuzzer targets
#   chaos [ARGUMENTS]           faults under load: tests/chaos/README.md         e.g. ./quire test chaos --only kafka
#   smoke [PYTEST ARGUMENTS]    the real compose stack, on a port of its own
#   asan, tsan [PYTEST ARGUMENTS]
QUIRE_PRESET=${QUIRE_PRESET:-dev}

in_toolchain() { toolchain_run --cap-add NET_ADMIN --shm-size 1g "$@"; }
# What can be checked is checked: the form of the C sources is .clang-format's.
form() { in_toolchain -- sh -c 'find services tests \( -name "*.c" -o -name "*.h" \) -print0 | xargs -0 clang-format --dry-run -Werror'; }
build() { in_toolchain -- sh -c "cmake --preset $1 >/dev/null && ninja -C /build/$1"; }
# $1 is the preset; the rest goes to ctest. CUnit's own summary of each program is kept.
unit() {
    local preset=$1; shift
    in_toolchain -- ctest --preset "$preset" -j2 --output-on-failure "$@"
    in_toolchain -- sh tests/unit/summary.sh "/build/$preset"
}
# Under CI a failed test is run once more and counted as rerun: its machine is shared, and some tests stop and kill servers against the clock.
e2e() {
    local preset=$1; shift
    [ -z "${CI:-}" ] || set -- --reruns 1 "$@"
    in_toolchain -e QUIRE_BUILD="/build/$preset" -- python3 -m pytest -c tests/pytest.ini tests/unit/proto tests/unit/cli tests/unit/docs tests/unit/bench tests/e2e "$@"
}

layer=${1:-all}
[ $# -gt 0 ] && shift
engine_ready
toolchain_ready
case $layer in
    unit) step "Building ($QUIRE_PRESET)" build build "$QUIRE_PRESET"; unit "$QUIRE_PRESET" "$@" ;;
    e2e) step "Building ($QUIRE_PRESET)" build build "$QUIRE_PRESET"; e2e "$QUIRE_PRESET" "$@" ;;
    asan | tsan)
        step "Building ($layer)" "build-$layer" build "$layer"
        unit "$layer"
        [ "$layer" = tsan ] && [ $# -eq 0 ] && set -- -m gateway
        e2e "$layer" "$@"
        ;;
    fuzz) . "$QUIRE_ROOT/tests/fuzz/run.sh" ;;
    chaos) step "Building ($QUIRE_PRESET)" build build "$QUIRE_PRESET"; . "$QUIRE_ROOT/tests/chaos/run.sh" ;;
    smoke) . "$QUIRE_ROOT/tests/smoke/run.sh" ;;
    all)
        step "Checking the form of the sources" form form
        step "Building (dev)" build build dev
        unit dev
        e2e dev
        . "$QUIRE_ROOT/tests/fuzz/run.sh"
        . "$QUIRE_ROOT/tests/chaos/run.sh"
        . "$QUIRE_ROOT/tests/smoke/run.sh"
        step "Building (asan)" build-asan build asan
        unit asan
        e2e asan
        step "Building (tsan)" build-tsan build tsan
        unit tsan
        e2e tsan -m gateway
        ;;
    *) fail "there is no layer '$layer': unit, e2e, fuzz, chaos, smoke, asan, tsan" ;;
esac
