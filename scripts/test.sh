# Usage: ./quire test [LAYER] [ARGUMENTS...]
# Without a layer all of them, one after the other; a table at the end says how each went. A layer that fails doesn't keep the next from running.
#   form                        the form of the C sources is .clang-format's
#   unit  [CTEST ARGUMENTS]     CUnit programs and the units in Python          e.g. ./quire test unit -R arena
#   e2e   [PYTEST ARGUMENTS]    against the real servers on loopback            e.g. ./quire test e2e -k idempotency
#   chaos [ARGUMENTS]           faults under load: tests/chaos/README.md         e.g. ./quire test chaos --only kafka
#   smoke [PYTEST ARGUMENTS]    the real compose stack, on a port of its own
#   asan  [PYTEST ARGUMENTS]    units and end to end, under AddressSanitizer and UBSan
#   tsan  [PYTEST ARGUMENTS]    units and what brings a gateway's threads to meet, under ThreadSanitizer
#   fuzz  [--minutes N]         libFuzzer targets, a few seconds each
# Settings: QUIRE_TEST_STACKS, how many stacks of servers the end-to-end tests are dealt out to (three on two cores; `-n 1` for one);
# CI=1: a failed end-to-end test is run once more and counted as rerun.
QUIRE_PRESET=${QUIRE_PRESET:-dev}
LAYERS=(form unit e2e chaos smoke asan tsan fuzz)

layer_form() {
    in_toolchain -- sh -c 'find services examples extensions tests \( -name "*.c" -o -name "*.h" \) -print0 | xargs -0 clang-format --dry-run -Werror'
}
layer_unit() {
    tree "$QUIRE_PRESET"
    units "$QUIRE_PRESET" "$@"
    [ $# -gt 0 ] || in_toolchain -e QUIRE_BUILD="/build/$QUIRE_PRESET" -- python3 -m pytest -c tests/pytest.ini tests/unit
}
layer_e2e() {
    tree "$QUIRE_PRESET"
    end_to_end "$QUIRE_PRESET" "$@"
}
layer_chaos() {
    tree "$QUIRE_PRESET"
    . "$QUIRE_ROOT/tests/chaos/run.sh"
}
layer_smoke() { . "$QUIRE_ROOT/tests/smoke/run.sh"; }
layer_asan() {
    tree asan
    units asan
    end_to_end asan -m "not build" "$@"
}
layer_tsan() {
    tree tsan
    units tsan
    [ $# -gt 0 ] || set -- -m gateway
    end_to_end tsan "$@"
}
layer_fuzz() {
    tree fuzz
    . "$QUIRE_ROOT/tests/fuzz/run.sh"
}

in_toolchain() { toolchain_run --label "quire.test=$$" --cap-add NET_ADMIN --shm-size 1g "$@"; }
# build PRESET [DOCKER OPTIONS]. Of two who want the same tree the second waits, and finds it built.
build() {
    local preset=$1
    shift
    in_toolchain "$@" -- flock "/build/$preset.lock" sh -c "cmake --preset $preset >/dev/null && ninja -C /build/$preset"
}
tree() { step "Building ($1)" "build-$1" build "$1"; }
# $1 is the preset; the rest goes to ctest. CUnit's own summary of each program is kept.
units() {
    local preset=$1
    shift
    in_toolchain -- ctest --preset "$preset" -j2 --output-on-failure "$@"
    in_toolchain -- sh tests/unit/summary.sh "/build/$preset"
}
end_to_end() {
    local preset=$1
    shift
    [ -z "${CI:-}" ] || set -- --reruns 1 "$@"
    in_toolchain -e QUIRE_BUILD="/build/$preset" -e QUIRE_TEST_STACKS="${QUIRE_TEST_STACKS:-}" -- \
        python3 -m pytest -c tests/pytest.ini -n auto --dist loadgroup tests/e2e "$@"
}

# run_layer NAME ARGUMENTS...: in a shell of its own, which a failure ends; the result is kept for the table.
table=""
failed=()
run_layer() {
    local name=$1 began=$SECONDS result=passed status=0
    shift
    say "
== $name"
    set +e
    (
        set -e
        "layer_$name" "$@"
    )
    status=$?
    set -e
    [ "$status" = 0 ] || { result=FAILED && failed+=("$name"); }
    table+=$(printf '  %-8s %-8s %5d s' "$name" "$result" $((SECONDS - began)))$'\n'
}

# What only computes is done beside the layers, with the least share of the processors, so that tests which look at the clock don't feel
# it: a tree that a layer asks for later is built by then.
build_ahead() {
    for preset in asan tsan fuzz; do build "$preset" --cpu-shares 2 || true; done
}
run_all() {
    local began=$SECONDS
    build_ahead >"$QUIRE_LOGS/build-ahead.log" 2>&1 &
    trap "kill $! 2>/dev/null || true; docker ps -q --filter label=quire.test=$$ | xargs -r docker kill >/dev/null" EXIT
    trap 'exit 130' INT TERM
    for layer in "${LAYERS[@]}"; do run_layer "$layer"; done
    say "
$table$(printf '  %-17s %5d s' total $((SECONDS - began)))"
}

layer=${1:-all}
[ $# -gt 0 ] && shift
[ "$layer" = all ] || [[ " ${LAYERS[*]} " == *" $layer "* ]] || fail "there is no layer '$layer': ${LAYERS[*]}"
engine_ready
toolchain_ready
if [ "$layer" = all ]; then run_all; else run_layer "$layer" "$@"; fi
[ ${#failed[@]} = 0 ] || fail "failed: ${failed[*]}"
