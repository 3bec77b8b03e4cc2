# Usage: ./quire scale SERVICE=N [SERVICE=N ...]
# Runs N containers, 1 to 99, of session, session-password, documents, query or an extension, 1 to 16 of gateway. Kept for the next `up` in compose/.env. A lane's
# topic has 12 partitions: workers (threads of a container) beyond that wait.
PARTITIONS=12
GATEWAYS_MAX=16 # half of the places in compose/proxy/haproxy.cfg, as a roll has old and new ones at once
service_of() { printf '%s' "${1%%=*}"; }
number_of() { printf '%s' "${1#*=}"; }
# What a container brings to its largest lane: the default of QUIRE_<LANE>_WORKERS.
workers_of() {
    case $1 in
        gateway) echo 0 ;; # takes no requests off a topic
        session | documents | query) echo 2 ;;
        *) echo 1 ;;
    esac
}
known=(gateway $(stack_consumers))
[ $# -gt 0 ] || misused "say what to scale: ./quire scale query=3"
# All of them before the first is kept.
for pair in "$@"; do
    [[ " ${known[*]} " == *" $(service_of "$pair") "* && $pair == *=* ]] || misused "'$pair' is not SERVICE=N with a service of ${known[*]}"
    [[ $(number_of "$pair") =~ ^[1-9][0-9]?$ ]] || misused "'$pair': the number of containers is 1 to 99"
    [[ $(service_of "$pair") != gateway || $(number_of "$pair") -le $GATEWAYS_MAX ]] || misused "'$pair': the proxy serves at most $GATEWAYS_MAX gateways"
done
stack_running
for pair in "$@"; do
    keep "QUIRE_$(service_of "$pair" | tr 'a-z-' 'A-Z_')_REPLICAS" "$(number_of "$pair")"
done
# Compose starts what the services depend on too, steps that are done among them. Where no container is made it needn't: with --no-deps one would be made
# otherwise, and count as changed.
options=(--no-deps)
for pair in "$@"; do
    [ "$(stack ps -aq "$(service_of "$pair")" | wc -l)" -ge "$(number_of "$pair")" ] || options=()
done
step "Scaling $*" scale stack up -d --no-build --no-recreate "${options[@]}" --wait "${@%%=*}"
for pair in "$@"; do
    workers=$(($(number_of "$pair") * $(workers_of "$(service_of "$pair")")))
    [ "$workers" -le "$PARTITIONS" ] || say "  That is $workers workers in a lane of $(service_of "$pair"), which has $PARTITIONS partitions, one for a worker: $((workers - PARTITIONS)) of them wait."
done
