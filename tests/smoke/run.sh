# The smoke layer: `./quire up` and what people do next, against the real compose stack. Sourced by scripts/test.sh.
# A project and ports of its own, so that a stack that is running is left alone. Its broker is started often and never runs for long: what the JVM's second
# compiler would win is less than it takes.
smoke_env=(COMPOSE_PROJECT_NAME=quire-smoke QUIRE_HTTP_PORT="${QUIRE_SMOKE_PORT:-18080}" QUIRE_HOME="$QUIRE_ROOT/.quire/smoke"
    QUIRE_TLS=on QUIRE_HTTPS_PORT="${QUIRE_SMOKE_HTTPS_PORT:-18443}" QUIRE_EXTENSIONS="$SMOKE_EXTENSIONS"
    QUIRE_KAFKA_JVM_OPTIONS="-XX:TieredStopAtLevel=1")

smoke_run() {
    local environment=() pair
    for pair in "${smoke_env[@]}"; do environment+=(-e "$pair"); done
    # The tests call ./quire and kill by host pid; paths must be the machine's, as the engine resolves them there.
    # A first `up` builds the images, for which it has a time-out of its own.
    docker run --rm --init --label "quire.test=$$" --network host --pid host --security-opt seccomp=unconfined -v /var/run/docker.sock:/var/run/docker.sock -v "$QUIRE_ROOT:$QUIRE_ROOT" \
        -w "$QUIRE_ROOT" "${environment[@]}" -e CI="${CI:-}" -e QUIRE_CA_BUNDLE="$QUIRE_CA_BUNDLE" -e QUIRE_NOFILE="$QUIRE_NOFILE" -e QUIRE_MEMLOCK="$QUIRE_MEMLOCK" \
        -v /etc/ssl/certs:/etc/ssl/certs:ro quire/toolchain python3 -m pytest -c tests/pytest.ini -o timeout_func_only=true tests/smoke "$@"
}

kept_env=$(cat "$QUIRE_ROOT/compose/.env" 2>/dev/null || true)
smoke_status=0
[ -z "${CI:-}" ] || set -- --reruns 1 "$@"
smoke_run "$@" || smoke_status=$?
[ -z "$kept_env" ] && rm -f "$QUIRE_ROOT/compose/.env" || printf '%s\n' "$kept_env" >"$QUIRE_ROOT/compose/.env"
[ "$smoke_status" = 0 ] || fail "the smoke tests failed"
