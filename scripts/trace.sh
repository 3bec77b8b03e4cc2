# Usage: ./quire trace REQUEST_ID... [--since 5m] [--json]
#        ./quire trace --slow [--since 5m] [--top N] [--json]
# One request as a timeline: proxy, gateway, topic, consumer with its session check and SQL, reply, with the milliseconds of each, and in plain
# words what was late, retried, delivered again or put aside. The id is the X-Request-ID of the answer; a W3C trace id (32 hexadecimal digits)
# finds the requests that came with it. --slow lists the slowest. --logs FOLDER reads log files instead of the containers. docs/TRACING.md.
# Exit status: 0 told; 1 an id has no line; 2 wrong arguments.
words=() ids=() since=() slow= folder=
while [ $# -gt 0 ]; do
    case $1 in
        --since) since=(--since "${2-}"); words+=(--since "${2-}"); shift $(($# > 1 ? 2 : 1)) ;;
        --top) words+=(--top "${2-}"); shift $(($# > 1 ? 2 : 1)) ;;
        --logs) [ -n "${2-}" ] || refuse "--logs takes a folder"; folder=$(realpath -m -- "$2"); words+=(--logs /logs); shift 2 ;;
        --slow) slow=yes; words+=(--slow); shift ;;
        --json) words+=(--json); shift ;;
        -*) refuse "there is no option '$1'; ./quire trace --help" ;;
        *)
            [[ $1 =~ ^[A-Za-z0-9._:-]{1,128}$ ]] || refuse "'$1' is no request id: 1 to 128 characters of A-Z a-z 0-9 . _ : -"
            ids+=("$1"); shift ;;
    esac
done
[ -n "$slow" ] || [ ${#ids[@]} -gt 0 ] || refuse "give a request id, or --slow; ./quire trace --help"
[ -z "$slow" ] || [ ${#ids[@]} = 0 ] || refuse "give a request id or --slow, not both; ./quire trace --help"
if [ ${#since[@]} -gt 0 ]; then [[ ${since[1]} =~ ^[0-9]{1,9}[smh]$ ]] || refuse "--since takes a number and s, m or h, as 5m"; fi
tty=()
[ -t 1 ] && tty=(-e QUIRE_TTY=1)

# gather GREP-ARGUMENTS...: the lines that match, of every container that this project has or had and not yet removed, whichever file it comes
# from; before each line the container's name. Rotated logs are among what the engine gives.
gather() {
    local container name
    docker ps -a --filter "label=com.docker.compose.project=${COMPOSE_PROJECT_NAME:-quire}" \
        --format '{{.ID}} {{.Label "com.docker.compose.service"}}-{{.Label "com.docker.compose.container-number"}}' |
        while read -r container name; do
            docker logs "${since[@]}" "$container" 2>/dev/null </dev/null | { LC_ALL=C grep "$@" || true; } | sed "s/^/$name | /"
        done
}

if [ -n "$folder" ]; then
    [ -d "$folder" ] || fail "$folder is no folder"
    cli_run "${tty[@]}" -v "$folder:/logs:ro" -- cli.trace "${words[@]}" "${ids[@]}"
    exit
fi
engine_running
if [ -n "$slow" ]; then
    gather -E '"event": ?"(request\.done|request\.handled|request\.deadline_exceeded)"' | cli_run -i "${tty[@]}" -- cli.trace "${words[@]}"
    exit
fi
# Only the gateway's lines name a trace; the requests that they speak of are then looked for everywhere.
# The words' order counts: argparse takes all ids from one place.
patterns=() named=() also=()
for id in "${ids[@]}"; do
    if [[ $id =~ ^[0-9a-f]{32}$ ]]; then
        mapfile -t found < <(gather -F "\"traceparent\":\"00-$id-" | sed -n 's/.*"request_id":"\([^"]*\)".*/\1/p' | sort -u)
        # The trace's own id is no request's then, but may be: looked for, and not missed.
        if [ ${#found[@]} -gt 0 ]; then named+=("${found[@]}") also+=(--also "$id"); else named+=("$id"); fi
        for one in "${found[@]}"; do patterns+=(-e "\"$one\""); done
    else
        named+=("$id")
    fi
    patterns+=(-e "\"$id\"")
done
gather -F "${patterns[@]}" | cli_run -i "${tty[@]}" -- cli.trace "${words[@]}" "${also[@]}" "${named[@]}"
