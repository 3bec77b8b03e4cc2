# Usage: ./quire scale SERVICE=N [SERVICE=N ...]
# Runs N containers of gateway, session, session-password, documents, query or an extension. Kept for the next `up` in compose/.env. A topic has 12 partitions: more
# workers than that wait.
engine_answers || fail "the Docker engine is not running; ./quire up starts it"
[ $# -gt 0 ] || fail "say what to scale: ./quire scale query=3"
touch "$QUIRE_ROOT/compose/.env"
known=(gateway $(stack_consumers))
for pair in "$@"; do
    service=${pair%%=*} count=${pair#*=}
    [[ " ${known[*]} " == *" $service "* && $count =~ ^[1-9][0-9]?$ ]] || fail "'$pair' is not SERVICE=N with a service of ${known[*]}"
    name="QUIRE_$(printf '%s' "$service" | tr 'a-z-' 'A-Z_')_REPLICAS"
    sed -i "/^$name=/d" "$QUIRE_ROOT/compose/.env"
    printf '%s=%s\n' "$name" "$count" >>"$QUIRE_ROOT/compose/.env"
done
services=("${@%%=*}")
step "Scaling $*" scale stack up -d --no-build --no-recreate --wait "${services[@]}"
