# Usage: ./quire status
# Each container: state, since when, memory; then the messages that wait in each lane.
engine_answers || fail "the Docker engine is not running; ./quire up starts it"
ids=$(stack ps -q)
[ -n "$ids" ] || fail "the stack is not running; ./quire up starts it"
# shellcheck disable=SC2086
memory=$(docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' $ids)
printf '%-28s %-12s %-26s %s\n' PART STATE SINCE MEMORY
stack ps --format '{{.Name}}|{{.Health}}|{{.State}}|{{.RunningFor}}' | sort | while IFS='|' read -r name health state since; do
    printf '%-28s %-12s %-26s %s\n' "${name#quire-}" "${health:-$state}" "$since" "$(printf '%s\n' "$memory" | sed -n "s/^$name //p")"
done
echo
printf '%-28s %s\n' LANE "MESSAGES BEHIND"
for service in $(stack_consumers); do
    stack exec -T "$service" curl -sf http://127.0.0.1:9100/metrics 2>/dev/null
done | sed -n 's/^quire_consumer_lag{topic="\([^"]*\)".*} \(.*\)$/\1 \2/p' | awk '{lag[$1] += $2} END {for (topic in lag) printf "%-28s %d\n", topic, lag[topic]}' | sort
