# Usage: ./quire up [--with FOLDER ...] [--without FOLDER ...]
# Builds and starts the whole stack, follows it until it is healthy, and says where it is. Run it again after a change: only what changed is
# made anew, part by part, while the rest goes on. What it needs and may install (root, apt) it installs, saying so.
#   --with examples/stats  adds an extension to the stack, and keeps it for later calls; --without takes it away. Those in extensions/ always belong to it
#   QUIRE_HTTP_PORT=8080   the port on 127.0.0.1
#   QUIRE_LIMITS=off       lifts every rate limit, for load tests
#   QUIRE_TLS=on           HTTPS too, on 127.0.0.1:8443 (QUIRE_HTTPS_PORT), with a certificate for localhost made at the first start
#   QUIRE_TLS_CERTIFICATE=FILE   HTTPS with this PEM file of certificate, chain and key, which the proxy's user must be able to read (chmod o+r)
. "$QUIRE_ROOT/scripts/secrets.sh"
. "$QUIRE_ROOT/scripts/roll.sh"

# What this stack is made of from now on, for the commands after this one and for plain Compose: each setting that its files ask for, the folders of extensions
# and the files. Numbers of containers are scale's.
settings_keep() {
    local name files
    mapfile -t files < <(stack_files)
    for name in $(grep -ohE '\$\{QUIRE_[A-Z_]+' "${files[@]}" | cut -c3- | sort -u | grep -vE '_REPLICAS$|^QUIRE_EXTENSIONS$'); do
        keep "$name" "${!name:-}"
    done
    keep QUIRE_EXTENSIONS "$(extensions_deployed | xargs)"
    keep COMPOSE_FILE "$(IFS=:; printf '%s' "${files[*]}")"
}

# Which extensions belong to the stack from now on.
extensions_choose() {
    local chosen option folder
    chosen=" $(extensions_kept) "
    while [ $# -gt 0 ]; do
        option=$1 folder=${2:-}
        folder=${folder%/}
        [[ $option == --with || $option == --without ]] || misused "up knows --with FOLDER and --without FOLDER, not '$option'"
        [ -n "$folder" ] || misused "$option needs a folder, as examples/stats"
        chosen=${chosen/" $folder "/" "}
        if [ "$option" = --with ]; then
            [ -f "$QUIRE_ROOT/$folder/compose.yaml" ] || fail "$folder is no extension: it has no compose.yaml (there are: $(cd "$QUIRE_ROOT" && ls -d examples/*/ extensions/*/ 2>/dev/null | xargs))"
            chosen="$chosen$folder "
        elif [[ $folder == extensions/* && -d $QUIRE_ROOT/$folder ]]; then
            fail "what is in extensions/ belongs to the stack; move the folder away to leave it out"
        fi
        shift 2
    done
    keep QUIRE_EXTENSIONS "$(printf '%s' "$chosen" | xargs)"
}

# What the images are made of, by names, sizes and times, and what they are: another checkout may have given their names to its own.
built_from() {
    printf '%s\n' "$QUIRE_BASE" "$(extensions_deployed)"
    # A file that goes meanwhile is no reason to fail.
    (cd "$QUIRE_ROOT" && { find . \( -path ./.git -o -path ./.quire -o -path ./compose/secrets -o -path ./bench-results -o -name __pycache__ -o -name .pytest_cache \) -prune \
        -o -type f ! -path ./compose/.env -printf '%p %s %T@\n' || true; } | sort)
}
built_images() { docker images --no-trunc --format '{{.Repository}} {{.ID}}' | grep -E "^(quire/|${QUIRE_BASE%%:*} )" | grep -v '^quire/toolchain' | sort; }
up_build() {
    local kept="$QUIRE_ROOT/.quire/built" from
    from=$(built_from | cksum)
    if [ "$(cat "$kept" 2>/dev/null)" = "$from $(built_images | cksum)" ]; then
        echo "nothing has changed since they were built"
        return
    fi
    rm -f "$kept"
    stack --profile tools build && echo "$from $(built_images | cksum)" >"$kept"
}
up_start() { stack up -d --remove-orphans --wait --wait-timeout 600; }

# A first account, so that import and ask work at once; its password stays in the secrets folder. Who is logged in here already stays so. In volumes that another
# checkout left the account has a password that only that one knows: the stack is as good without.
demo_foreign="$QUIRE_ROOT/.quire/demo-foreign"
demo_login() {
    [ -s "$QUIRE_SECRETS/demo" ] || secret_random >"$QUIRE_SECRETS/demo"
    chmod 600 "$QUIRE_SECRETS/demo"
    rm -f "$demo_foreign"
    local tries=0
    until QUIRE_TOKEN= QUIRE_URL="http://127.0.0.1:$QUIRE_HTTP_PORT" cli_run -i -- cli.login --demo <"$QUIRE_SECRETS/demo"; do
        [ $? != 3 ] || { touch "$demo_foreign"; return 0; }
        tries=$((tries + 1))
        [ "$tries" -lt 10 ] || return 1
        sleep 1
    done
}

[ -z "$QUIRE_TLS_CERTIFICATE" ] || tls_certificate_is_ours || [ -f "$QUIRE_TLS_CERTIFICATE" ] || fail "QUIRE_TLS_CERTIFICATE: there is no file $QUIRE_TLS_CERTIFICATE"
[ $# = 0 ] || extensions_choose "$@"
began=$SECONDS
say "Quire"
engine_ready
settings_keep
step "Building the images" build up_build
secrets_ready
tls_certificate_check
if roll_needed; then step "Replacing what changed, part by part" roll roll; fi
step "Starting the stack, until it is healthy" up up_start
step "Opening a demo session" demo demo_login
url="http://127.0.0.1:$QUIRE_HTTP_PORT"
[ "${QUIRE_LIMITS:-on}" != off ] || say "  Rate limits are off (QUIRE_LIMITS=off)."
extensions=$(extensions_deployed | xargs)
[ -z "$extensions" ] || say "  With $extensions."
demo="password in compose/secrets/demo"
[ ! -f "$demo_foreign" ] || demo="with the password in the compose/secrets/demo of the checkout that these volumes are from.
  Nobody is logged in here: ./quire login --register makes an account of yours; ./quire down --volumes forgets what is stored, for a fresh start."
cat <<TEXT

Quire is at $url${QUIRE_TLS_CERTIFICATE:+ and https://localhost:${QUIRE_HTTPS_PORT:-8443}}, healthy after $((SECONDS - began)) s.
Demo log-in: demo@quire.example, $demo

Try:
  ./quire import README.md docs
  ./quire ask "What happens when the primary is away?"
  curl $url/health          (and $url/docs in a browser)
TEXT
