# The fuzz layer: every target for a few seconds, or for minutes on request. Sourced by scripts/test.sh. What it finds is kept in .quire/fuzz and fails the run.
fuzz_seconds=${QUIRE_FUZZ_SECONDS:-3}
# Bytes that an input of each target may have: what is longer finds nothing new there, and costs.
declare -A fuzz_bytes=([chunker]=4096 [cursor]=512 [decode]=2048 [documents]=3072 [encode]=2048 [envelope]=1024 [http]=4096 [query]=2048 [session]=1024)
[ "${1:-}" = --minutes ] && fuzz_seconds=$(($2 * 60))
for source in "$QUIRE_ROOT"/tests/fuzz/*_fuzz.c; do
    target=$(basename "$source" _fuzz.c)
    step "Fuzzing $target for $fuzz_seconds s" "fuzz-$target" in_toolchain -- sh -c "
        mkdir -p /build/fuzz/corpus/$target .quire/fuzz && /build/fuzz/tests/fuzz/fuzz_$target -max_total_time=$fuzz_seconds -timeout=10 -rss_limit_mb=2048 -max_len=${fuzz_bytes[$target]} \
            -artifact_prefix=.quire/fuzz/$target- -print_final_stats=1 /build/fuzz/corpus/$target tests/fuzz/seeds/$target"
    sed -n 's/^stat::number_of_executed_units: */    executions: /p' "$QUIRE_LOGS/fuzz-$target.log" >&2
done
