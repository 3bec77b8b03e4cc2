# Usage: ./quire test [LAYER] [ARGUMENTS...]
# Without a layer all of them, one after the other; a table at the end says how each went. A layer that fails doesn't keep the next from running.
#   form                        the form of the C sources is .clang-format's
#   unit  [CTEST ARGUMENTS]     CUnit programs and the units in Python          e.g. ./quire test unit -R arena
#   e2e   [PYTEST ARGUMENTS]    against the real servers on loopback            e.g. ./quire test e2e -k idempotency
#   chaos [ARGUMENTS]           faults under load: tests/chaos/README.md         e.g. ./quire test chaos --only kafka
#   smoke [PYTEST ARGUMENTS]    the real compose stack, on a port of its own
#   asan  [PYTEST ARGUMENTS]    units and end to end, under AddressSanitizer and UBSan; in the whole run without the tests that kill and starve servers, or try a page or a tool, and with
#                               one set of parameters of each test
#   tsan  [PYTEST ARGUMENTS]    units and what brings a gateway's threads to meet, under ThreadSanitizer; in the whole run with one set of parameters
#   fuzz  [--minutes N]         libFuzzer targets, a few seconds each
# and, only when asked for by name, as it wants the machine for itself:
#   load  overload | neighbours | soak [ARGUMENTS]   beyond capacity, beside others, for long: tests/load/README.md
# Settings: QUIRE_TEST_STACKS, how many stacks of servers the end-to-end tests are dealt out to (three on two cores; `-n 1` for one);
# CI=1: a failed end-to-end test is run once more and counted as rerun; a fault of chaos that missed a bound of time is struck once more.
QUIRE_PRESET=${QUIRE_PRESET:-dev}
LAYERS=(form unit e2e chaos smoke asan tsan fuzz)
BY_NAME=(load)

layer_form() {
    in_toolchain -- sh -c 'find services examples extensions tests \( -name "*.c" -o -name "*.h" \) -print0 | xargs -0 clang-format --dry-run -Werror'
}
layer_unit() {
    tree "$QUIRE_PRESET"
    units "$QUIRE_PRESET" "$@"
    [ $# -gt 0 ] || in_toolchain -e QUIRE_BUILD="/build/$QUIRE_PRESET" -- python3 -m pytest -c tests/pytest.ini -n 2 tests/unit
}
layer_e2e() {
    tree "$QUIRE_PRESET"
    end_to_end "$QUIRE_PRESET" "$@"
}
layer_chaos() {
    tree "$QUIRE_PRESET"
    [ -z "${CI:-}" ] || set -- --again "$@"
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
layer_load() {
    tree release
    . "$QUIRE_ROOT/tests/load/run.sh"
}

beside=() # options of the containers of what stands back behind another layer
in_toolchain() { toolchain_run --label "quire.test=$$" --cap-add NET_ADMIN --shm-size 1g "${beside[@]}" "$@"; }
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

# run_layer NAME ARGUMENTS...: in a shell of its own, which a failure ends; the result is a line of $results, for the table.
results=$(mktemp)
trap 'rm -f "$results"' EXIT
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
    [ "$status" = 0 ] || result=FAILED
    printf '  %-8s %-8s %5d s\n' "$name" "$result" $((SECONDS - began)) >>"$results"
}

# As a part of the whole run: the layer's words go to a log file too, whose end is told again above the table when it failed.
whole_layer() { run_layer "$@" 2>&1 | tee "$QUIRE_LOGS/layer-$1.log"; }
why_failed() {
    local layer
    for layer in $(awk '$2 == "FAILED" { print $1 }' "$results"); do
        say "
== the end of $layer"
        tail -n 30 "$QUIRE_LOGS/layer-$layer.log" >&2
    done
}

# For a whole run the images that smoke deploys are built beside the toolchain's. That is a chain of steps which wait for the network and keep one processor
# busy at most, and no test runs yet. Smoke asks for them again, and says why when it can't have them.
SMOKE_EXTENSIONS="examples/stats examples/tags"
smoke_images() { QUIRE_EXTENSIONS=$SMOKE_EXTENSIONS stack --profile tools build; }
all_images_ready() {
    smoke_images >"$QUIRE_LOGS/smoke-images.log" 2>&1 &
    local building=$!
    toolchain_ready
    wait "$building" || true
}

# What only computes is done beside the layers, with the least share of the processors, so that tests which look at the clock don't feel
# it: a tree that a layer asks for later is built by then.
build_ahead() {
    for preset in asan tsan fuzz; do build "$preset" --cpu-shares 2 || true; done
}
run_all() {
    local began=$SECONDS fuzz
    build_ahead >"$QUIRE_LOGS/build-ahead.log" 2>&1 &
    trap "rm -f $results; kill $! 2>/dev/null || true; docker ps -q --filter label=quire.test=$$ | xargs -r docker kill >/dev/null" EXIT
    trap 'exit 130' INT TERM
    for layer in form unit e2e; do whole_layer "$layer"; done
    # Chaos waits half of its time, and fuzzing asks nobody for anything.
    (beside=(--cpu-shares 2) && run_layer fuzz) >"$QUIRE_LOGS/layer-fuzz.log" 2>&1 &
    fuzz=$!
    whole_layer chaos
    wait "$fuzz"
    cat "$QUIRE_LOGS/layer-fuzz.log" >&2
    whole_layer smoke
    whole_layer asan -m "not build and not destructive and not around" --few 1
    whole_layer tsan -m gateway --few 1
    why_failed
    say "
$(cat "$results")
$(printf '  %-17s %5d s' total $((SECONDS - began)))"
}

layer=${1:-all}
[ $# -gt 0 ] && shift
[ "$layer" = all ] || [[ " ${LAYERS[*]} ${BY_NAME[*]} " == *" $layer "* ]] || fail "there is no layer '$layer': ${LAYERS[*]} ${BY_NAME[*]}"
engine_ready
if [ "$layer" = all ]; then all_images_ready; else toolchain_ready; fi
if [ "$layer" = all ]; then run_all; else run_layer "$layer" "$@"; fi
failed=$(awk '$2 == "FAILED" { printf " %s", $1 }' "$results")
[ -z "$failed" ] || fail "failed:$failed"
