# What the commands share: plain messages, log files, the engine, the toolchain image. Sourced, never run.

QUIRE_LOGS="$QUIRE_ROOT/.quire/logs"
QUIRE_SECRETS="$QUIRE_ROOT/compose/secrets"
QUIRE_BASE=${QUIRE_BASE:-debian:trixie-slim}
QUIRE_HTTP_PORT=${QUIRE_HTTP_PORT:-8080}
# The builder's own certificate authorities go along as a build secret: some networks look into TLS.
if [ -z "${QUIRE_CA_BUNDLE:-}" ]; then
    QUIRE_CA_BUNDLE=/dev/null
    [ -s /etc/ssl/certs/ca-certificates.crt ] && QUIRE_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
fi
# Containers get no more of these than the machine gives this user.
at_most() { if [ "$1" = unlimited ] || [ "$1" -gt "$2" ]; then echo "$2"; else echo "$1"; fi; }
QUIRE_NOFILE=$(at_most "$(ulimit -Hn)" 65536)
memlock_kb=$(ulimit -Hl)
QUIRE_MEMLOCK=$(at_most "$([ "$memlock_kb" = unlimited ] && echo unlimited || echo $((memlock_kb * 1024)))" 67108864)
export QUIRE_BASE QUIRE_HTTP_PORT QUIRE_CA_BUNDLE QUIRE_NOFILE QUIRE_MEMLOCK
mkdir -p "$QUIRE_LOGS"

say() { printf '%s\n' "$*" >&2; }
fail() { printf 'quire: %s\n' "$*" >&2; exit 1; }
refuse() { printf 'quire: %s\n' "$*" >&2; exit 2; } # wrong arguments
have() { command -v "$1" >/dev/null 2>&1; }
may_install() { [ "$(id -u)" = 0 ] && have apt-get; }

# step "What is done" LOG COMMAND...: one line with the seconds it takes; the command's own words go to the log file, whose end is shown if it fails.
step() {
    local what=$1 log="$QUIRE_LOGS/$2.log" began=$SECONDS
    shift 2
    if [ -t 2 ]; then
        "$@" >"$log" 2>&1 &
        local pid=$!
        while kill -0 "$pid" 2>/dev/null; do
            printf '\r  %-46s %4d s' "$what" $((SECONDS - began)) >&2
            sleep 0.5
        done
        wait "$pid" && local status=0 || local status=$?
        printf '\r' >&2
    else
        "$@" >"$log" 2>&1 && local status=0 || local status=$?
    fi
    if [ "$status" = 0 ]; then
        printf '  %-46s %4d s\n' "$what" $((SECONDS - began)) >&2
    else
        printf '  %-46s failed\n' "$what" >&2
        tail -n 15 "$log" | sed 's/^/    | /' >&2
        fail "that step failed; everything it said is in $log"
    fi
}

# HTTPS too: with a certificate that is named, or, for QUIRE_TLS=on, with one that `up` makes.
[ "${QUIRE_TLS:-off}" != on ] || export QUIRE_TLS_CERTIFICATE=${QUIRE_TLS_CERTIFICATE:-$QUIRE_SECRETS/tls_certificate}


# The folders of the extensions that belong to the stack, a line each: all of extensions/, and what `up --with` was told, which compose/.env keeps unless
# QUIRE_EXTENSIONS says otherwise.
extensions_kept() { sed -n 's/^QUIRE_EXTENSIONS="\(.*\)"$/\1/p' "$QUIRE_ROOT/compose/.env" 2>/dev/null | tail -n 1 || true; }
extensions_deployed() {
    local file
    {
        for file in "$QUIRE_ROOT"/extensions/*/compose.yaml; do [ ! -f "$file" ] || echo "extensions/$(basename "$(dirname "$file")")"; done
        printf '%s\n' ${QUIRE_EXTENSIONS-$(extensions_kept)}
    } | sed '/^$/d' | sort -u
}

# The consumers of topics: the services, and the extensions' own.
stack_consumers() { printf '%s\n' session session-password documents query $(extensions_deployed | xargs -r -n 1 basename); }

# The compose stack with its extensions; with TLS when there is a certificate for it.
stack() {
    local files=(-f "$QUIRE_ROOT/compose/compose.yaml") folder folders
    folders=$(extensions_deployed)
    for folder in $folders; do
        [ -f "$QUIRE_ROOT/$folder/compose.yaml" ] || fail "$folder has no compose.yaml; ./quire up --without $folder forgets it"
        files+=(-f "$QUIRE_ROOT/$folder/compose.yaml")
    done
    [ -z "${QUIRE_TLS_CERTIFICATE:-}" ] || files+=(-f "$QUIRE_ROOT/compose/tls.yaml")
    QUIRE_EXTENSIONS=$(printf '%s' "$folders" | tr '\n' ' ') docker compose --ansi never --project-directory "$QUIRE_ROOT/compose" "${files[@]}" "$@"
}

. "$QUIRE_ROOT/scripts/engine.sh"
. "$QUIRE_ROOT/scripts/images.sh"
. "$QUIRE_ROOT/scripts/cli.sh"
