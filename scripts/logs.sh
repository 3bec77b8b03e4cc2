# Usage: ./quire logs [SERVICE] [--request ID] [--follow] [--since TIME]
# What the parts say, as JSON lines. With --request the lines of all parts that speak of that request, by time.
services=() options=(--no-color) request=
while [ $# -gt 0 ]; do
    case $1 in
        --request) request=${2:?--request needs an id}; shift 2 ;;
        --follow | -f) options+=(--follow); shift ;;
        --since) options+=(--since "$2"); shift 2 ;;
        *) services+=("$1"); shift ;;
    esac
done
engine_answers || fail "the Docker engine is not running; ./quire up starts it"
# The compose plugin puts a terminal code before each line even where there is no terminal.
plain() { sed -u 's/\x1b\[2K//'; }
if [ -n "$request" ]; then
    stack logs "${options[@]}" --no-log-prefix "${services[@]}" 2>/dev/null | plain | grep -F "\"$request\"" | sort
else
    stack logs "${options[@]}" "${services[@]}" | plain
fi
