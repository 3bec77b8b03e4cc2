# Usage: ./quire bench [--seconds N] [--rounds N] [--connections 1,64,256,1000]
# The floors (Kafka, nginx, PostgreSQL, Redis) and the full path in one run on loopback; prints a table, keeps the figures in bench-results/bench.json.
engine_ready
toolchain_ready
bench_build() { toolchain_run -- sh -c 'cmake --preset release >/dev/null && ninja -C /build/release'; }
step "Building (release)" build-release bench_build
toolchain_run --shm-size 1g -- python3 tests/bench/run.py "$@"
