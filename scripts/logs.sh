# Usage: ./quire logs [SERVICE...] [--request ID] [--follow] [--since TIME]
# What the parts say, as JSON lines by time, also of those that have ended. What isn't JSON (the servers') becomes it, with the name of its container. With --request
# the lines of all parts that speak of that request. With --follow as they come, not by time. --since takes a time or how long ago: 5m.
services=() options=(--no-color) request= follow=
while [ $# -gt 0 ]; do
    case $1 in
        --request) [ -n "${2:-}" ] || misused "--request needs an id"; request=$2; shift 2 ;;
        --follow | -f) follow=yes; shift ;;
        --since) [ -n "${2:-}" ] || misused "--since needs a time, as 5m"; options+=(--since "$2"); shift 2 ;;
        -*) misused "there is no option '$1'" ;;
        *) services+=("$1"); shift ;;
    esac
done
engine_running
parts=$(stack config --services)
for service in "${services[@]}"; do
    grep -qxF -e "$service" <<<"$parts" || misused "there is no service '$service': $(sort <<<"$parts" | xargs)"
done
[ -n "$(stack ps -aq)" ] || fail "the stack is not running; ./quire up starts it"

# The compose plugin puts a terminal code before each line even where there is no terminal.
plain() { sed -u 's/\x1b\[2K//'; }
# Of "kafka-1  | TIME TEXT": TIME, the container and the text.
by_time() { sed -u -E 's/^([^ |]+) +\| ([^ ]+) ?/\2 \1 /'; }
# Of these, JSON lines. The engine's time is that of a text that isn't JSON.
as_json() {
    sed -u -E '
        /^[^ ]+ [^ ]+ \{.*"service":.*\}$/ { s/^[^ ]+ [^ ]+ //; b }
        s/^[^ ]+ ([^ ]+) \{(.*\})$/{"container":"\1",\2/; t
        s/[\\"]/\\&/g; s/\t/\\t/g; s/[[:cntrl:]]//g
        s/^([^ ]+) ([^ ]+) (.*)$/{"time":"\1","container":"\2","text":"\3"}/'
}
if [ -n "$request" ] && [ -n "$follow" ]; then
    # As they come: who sorts would wait for an end that there isn't.
    stack logs --follow "${options[@]}" --no-log-prefix "${services[@]}" 2>/dev/null | plain | grep --line-buffered -F "\"$request\""
elif [ -n "$request" ]; then
    stack logs "${options[@]}" --no-log-prefix "${services[@]}" 2>/dev/null | plain | grep -F "\"$request\"" | sort
elif [ -n "$follow" ]; then
    stack logs --follow --timestamps "${options[@]}" "${services[@]}" | plain | by_time | as_json
else
    stack logs --timestamps "${options[@]}" "${services[@]}" | plain | by_time | LC_ALL=C sort -s -k 1,1 | as_json
fi
