# Usage: ./quire status
# Each part: state, since when, restarts by the engine, memory; then the messages that wait in each lane. Ends with 1 when a part isn't well.
without_arguments "$@"
engine_running
# Of each container: id, service, name, state, health, exit code, and the engine's words, as "Up 3 minutes (healthy)".
containers=$(stack ps -a --format '{{.ID}}|{{.Service}}|{{.Name}}|{{.State}}|{{.Health}}|{{.ExitCode}}|{{.Status}}' | sort -t '|' -k 3,3)
[ -n "$containers" ] || fail "the stack is not running; ./quire up starts it"
ids_of() { printf '%s\n' "$containers" | awk -F '|' -v state="$1" -v service="$2" '$4 == state && (service == "" || $2 == service) {print $1}'; }
mapfile -t running < <(ids_of running "")
# The engine looks at memory for two seconds; the lanes are asked meanwhile. One that ends meanwhile, as a step's, has no more to say.
exec 3< <([ ${#running[@]} = 0 ] || docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' "${running[@]}" 2>/dev/null || true)
lag=$(for service in $(stack_consumers); do
    for id in $(ids_of running "$service"); do docker exec "$id" curl -sf -m 5 http://127.0.0.1:9100/metrics 2>/dev/null || true; done
done | sed -n 's/^quire_consumer_lag{topic="\([^"]*\)".*} \(.*\)$/\1 \2/p' | awk '{lag[$1] += $2} END {for (topic in lag) printf "%-28s %d\n", topic, lag[topic]}' | sort)
parts=$(stack config --services | sort)
memory=$(cat <&3)
restarts=$(printf '%s\n' "$containers" | cut -d '|' -f 1 | xargs docker inspect -f '{{slice .Name 1}} {{.RestartCount}}' 2>/dev/null || true)
field_of() { printf '%s\n' "$2" | sed -n "s/^$1 //p"; }

row() { printf '%-28s %-14s %-22s %-9s %s\n' "$@"; }
# state_of SERVICE STATE HEALTH EXIT-CODE
state_of() {
    case $2 in
        running) echo "${3:-running}" ;;
        exited) [[ $4 == 0 && " topics migrate " == *" $1 "* ]] && echo "done" || echo "exited ($4)" ;;
        *) echo "$2" ;;
    esac
}
well=yes
part() {
    local service=$1 found=no name state health code words restarted
    while IFS='|' read -r _ of name state health code words; do
        [ "$of" = "$service" ] || continue
        found=yes state=$(state_of "$service" "$state" "$health" "$code") restarted=$(field_of "$name" "$restarts")
        words=$(sed -E 's/^(Up|Exited|Restarting) //; s/\([^)]*\)//g; s/ ago//; s/^ *//; s/ *$//' <<<"$words")
        row "${name#"${COMPOSE_PROJECT_NAME:-quire}-"}" "$state" "$words" "${restarted#0}" "$(field_of "$name" "$memory")"
        [[ $state =~ ^(healthy|running|done)$ ]] || well=no
    done <<<"$containers"
    [ $found = yes ] || { row "$service" missing; well=no; }
}
row PART STATE SINCE RESTARTS MEMORY
for service in $parts; do part "$service"; done
echo
printf '%-28s %s\n' LANE "MESSAGES BEHIND"
[ -z "$lag" ] || printf '%s\n' "$lag"
[ $well = yes ]
