# What the commands share: plain messages, log files, the engine, the toolchain image. Sourced, never run.

QUIRE_LOGS="$QUIRE_ROOT/.quire/logs"
QUIRE_SECRETS="$QUIRE_ROOT/compose/secrets"

# What compose/.env keeps, a NAME='VALUE' a line: the settings of the last `up` and the numbers of `scale`. Compose reads it by itself, so plain Compose sees
# the stack that ./quire sees.
QUIRE_ENV="$QUIRE_ROOT/compose/.env"
kept() { sed -n "s/^$1=[\"']\{0,1\}\([^\"']*\)[\"']\{0,1\}$/\1/p" "$QUIRE_ENV" 2>/dev/null | tail -n 1 || true; }
keep() {
    touch "$QUIRE_ENV"
    sed -i "/^$1=/d" "$QUIRE_ENV"
    [ -z "$2" ] || printf "%s='%s'\n" "$1" "$2" >>"$QUIRE_ENV"
}

# setting NAME DEFAULT: from the environment, else as `up` had it. `up` itself starts anew: what it isn't told is the default again.
setting() {
    local value=${!1:-}
    [ -n "$value" ] || [ "${command:-}" = up ] || value=$(kept "$1")
    export "$1=${value:-$2}"
}
# Containers get no more of these than the machine gives this user.
at_most() { if [ "$1" = unlimited ] || [ "$1" -gt "$2" ]; then echo "$2"; else echo "$1"; fi; }
memlock_kb=$(ulimit -Hl)
setting QUIRE_NOFILE "$(at_most "$(ulimit -Hn)" 65536)"
setting QUIRE_MEMLOCK "$(at_most "$([ "$memlock_kb" = unlimited ] && echo unlimited || echo $((memlock_kb * 1024)))" 67108864)"
# The stack has two gateways, half of the cores each: the fewer rings share the requests, the larger are the batches that leave them for Kafka.
setting QUIRE_RINGS "$((($(nproc) + 1) / 2))"
setting QUIRE_BASE debian:trixie-slim
setting QUIRE_HTTP_PORT 8080
# The builder's own certificate authorities go along as a build secret: some networks look into TLS.
setting QUIRE_CA_BUNDLE "$([ -s /etc/ssl/certs/ca-certificates.crt ] && echo /etc/ssl/certs/ca-certificates.crt || echo /dev/null)"
# HTTPS too: with a certificate that is named, or, for QUIRE_TLS=on, with one that `up` makes.
setting QUIRE_TLS_CERTIFICATE "$([ "${QUIRE_TLS:-off}" != on ] || echo "$QUIRE_SECRETS/tls_certificate")"
# Compose would look for it from its own folder on.
[ -z "$QUIRE_TLS_CERTIFICATE" ] || QUIRE_TLS_CERTIFICATE=$(realpath -ms -- "$QUIRE_TLS_CERTIFICATE")
mkdir -p "$QUIRE_LOGS"

say() { printf '%s\n' "$*" >&2; }
fail() { printf 'quire: %s\n' "$*" >&2; exit 1; }
refuse() { printf 'quire: %s\n' "$*" >&2; exit 2; } # wrong arguments
# For arguments that a command doesn't have: with its usage, the top of its file.
misused() {
    printf 'quire: %s\n' "$*" >&2
    sed -n '/^#\( Usage:\|  *\) \.\/quire/s/^# //p' "$script" >&2
    exit 2
}
without_arguments() { [ $# = 0 ] || misused "$command takes no arguments, and was given '$*'"; }
have() { command -v "$1" >/dev/null 2>&1; }
may_install() { [ "$(id -u)" = 0 ] && have apt-get; }

# step "What is done" LOG COMMAND...: one line with the seconds it takes; the command's own words go to the log file, whose end is shown if it fails.
# The command runs in a shell of its own, with or without a terminal: its variables stay there, nothing can be asked of it, and the first failure in it ends it.
# That holds only where bash heeds errexit: never behind `if`, `!`, `until`, nor before `&&` or `||`, neither here nor at whoever calls.
step() {
    local what=$1 log="$QUIRE_LOGS/$2.log" began=$SECONDS status clock=
    shift 2
    if [ -t 2 ]; then
        step_clock "$what" &
        clock=$!
    fi
    set +e
    # Waited for also on Ctrl-C, so that it doesn't go on behind the prompt; and then no further than the command that it was at, also where that shrugged it off.
    (
        trap 'exit 130' INT
        set -e
        "$@"
    ) </dev/null >"$log" 2>&1
    status=$?
    set -e
    if [ -n "$clock" ]; then
        { kill "$clock" && wait "$clock"; } 2>/dev/null || true
        printf '\r' >&2
    fi
    case $status in
        0) printf '  %-46s %4d s\n' "$what" $((SECONDS - began)) >&2 ;;
        130)
            printf '  %-46s stopped\n' "$what" >&2
            exit 130
            ;;
        *)
            printf '  %-46s failed\n' "$what" >&2
            tail -n 15 "$log" | sed 's/^/    | /' >&2
            fail "that step failed; everything it said is in $log"
            ;;
    esac
}
step_clock() {
    local began=$SECONDS
    while kill -0 $$ 2>/dev/null; do
        printf '\r  %-46s %4d s' "$1" $((SECONDS - began)) >&2
        sleep 0.5
    done
}

# The folders of the extensions that belong to the stack, a line each: all of extensions/, and of the others what QUIRE_EXTENSIONS says or else what the last `up`
# had. What was in extensions/ and is gone belongs to it no more.
extensions_kept() { kept QUIRE_EXTENSIONS | tr ' ' '\n' | sed '/^extensions\//d' | xargs; }
extensions_deployed() {
    local file
    {
        for file in "$QUIRE_ROOT"/extensions/*/compose.yaml; do [ ! -f "$file" ] || echo "extensions/$(basename "$(dirname "$file")")"; done
        printf '%s\n' ${QUIRE_EXTENSIONS-$(extensions_kept)}
    } | sed '/^$/d' | sort -u
}

# The consumers of topics: the services, and the extensions' own.
stack_consumers() { printf '%s\n' session session-password documents query $(extensions_deployed | xargs -r -n 1 basename); }

# The files that the stack is made of, a line each.
stack_files() {
    local folder
    echo "$QUIRE_ROOT/compose/compose.yaml"
    for folder in $(extensions_deployed); do echo "$QUIRE_ROOT/$folder/compose.yaml"; done
    [ -z "$QUIRE_TLS_CERTIFICATE" ] || echo "$QUIRE_ROOT/compose/tls.yaml"
}
stack() {
    local files=() file
    while read -r file; do
        [ -f "$file" ] || fail "there is no ${file#"$QUIRE_ROOT/"}; ./quire up --without $(dirname "${file#"$QUIRE_ROOT/"}") forgets it"
        files+=(-f "$file")
    done < <(stack_files)
    QUIRE_EXTENSIONS=$(extensions_deployed | xargs) docker compose --ansi never --project-directory "$QUIRE_ROOT/compose" "${files[@]}" "$@"
}
stack_running() {
    engine_running
    [ -n "$(stack ps -q)" ] || fail "the stack is not running; ./quire up starts it"
}

. "$QUIRE_ROOT/scripts/engine.sh"
. "$QUIRE_ROOT/scripts/images.sh"
. "$QUIRE_ROOT/scripts/cli.sh"
