# The load layer: beyond capacity, beside others, for long. Sourced by scripts/test.sh.
in_toolchain -e QUIRE_BUILD=/build/release -- python3 -B tests/load/load_run.py "$@"
