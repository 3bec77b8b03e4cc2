# Usage: ./quire bench [--quick] [--routes TEXT] [--connections 1,64,1000] [--rounds N] [--seconds N] [--no-open-loop] [--stored SIZES] [--peer] [--keep] [--report] [--profile]
# The floors (Kafka, nginx, PostgreSQL, Redis) and the full path in one run on loopback, through the proxy too and at constant rates; prints tables, keeps the
# figures in bench-results/bench.json. The full run takes about 25 minutes and, for a million documents, 35 GB of disk, --quick three minutes.
#   --routes TEXT   only routes with this text in their names, or one of several: 'auth/me|query'
#   --stored SIZES  cost against so many stored documents, '' for none; the full run does 1000,10000,100000,1000000. With --only-stored nothing else
#   --peer          the synchronous shape that teams start from (tests/bench/peer) beside it; its Python packages come from PyPI the first time
#   --keep          the figures go to docs/performance, and with them README's table, docs/PERFORMANCE.md's tables and the plots
#   --report        measures nothing: makes those again from the figures that are kept
#   --profile       measures nothing: flame graphs of gateway and services at saturation, in docs/performance/flame. perf may look into the kernel for that
#                   (CAP_SYS_ADMIN in the container that measures; where it is refused, the user's side alone is drawn)
engine_ready
toolchain_ready
bench_run() {
    local options=(-e QUIRE_BUILD=/build/release -e "QUIRE_COMMIT=$(git -C "$QUIRE_ROOT" describe --always --dirty 2>/dev/null || echo unknown)")
    [ ! -s "$QUIRE_CA_BUNDLE" ] || options+=(-v "$QUIRE_CA_BUNDLE:/run/ca.crt:ro" -e PIP_CERT=/run/ca.crt)
    case " $* " in *" --profile "*) ! docker run --rm --cap-add SYS_ADMIN --cap-add SYSLOG quire/toolchain true 2>/dev/null || options+=(--cap-add SYS_ADMIN --cap-add SYSLOG) ;; esac
    toolchain_run --shm-size 1g "${options[@]}" -- python3 tests/bench/run.py "$@"
}
bench_build() { toolchain_run -- sh -c 'cmake --preset release >/dev/null && ninja -C /build/release'; }
case " $* " in
    *" --report "*) ;;
    *) step "Building (release)" build-release bench_build ;;
esac
bench_run "$@"
