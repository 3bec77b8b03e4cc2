# Usage: ./quire secrets
# Makes what is missing of the secrets in compose/secrets (git-ignored): database and Redis passwords, the sealing key. `up` does it by itself.
# The folder is its owner's only; the files can be read by the containers' users, which have other numbers.

secret_random() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# The line of the key that gateways seal with. Not always the first: a rotation may have been stopped before it published its key.
seal_key_published() {
    local id
    id=$(cut -d' ' -f1 "$QUIRE_SECRETS/seal_public" 2>/dev/null) || true
    { [ -n "$id" ] && grep -m 1 "^$id " "$QUIRE_SECRETS/seal_secret" || head -n 1 "$QUIRE_SECRETS/seal_secret"; } 2>/dev/null || true
}
# A new sealing key comes first and the one in use stays, so that what is on its way can still be opened. The openers' file is written first. Both
# are written in place: a container sees the file that was mounted, not one that took its name.
seal_keys_make() {
    local keys
    keys=$(docker run --rm -i --network none quire/cli cli.seal_key < <(seal_key_published)) || return 1
    [ -n "$keys" ] && printf '%s\n' "$keys" >"$QUIRE_SECRETS/seal_secret"
}
seal_keys_publish() {
    local key
    key=$(head -n 1 "$QUIRE_SECRETS/seal_secret" | cut -d' ' -f1,2)
    printf '%s\n' "$key" >"$QUIRE_SECRETS/seal_public"
}

# Signed by itself: for a look at HTTPS on one's own machine (curl --cacert compose/secrets/tls_certificate). Key and certificate in one file, as HAProxy reads them.
tls_certificate_make() {
    docker run --rm --network none --entrypoint openssl quire/cli req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 825 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout - -out - 2>/dev/null >"$QUIRE_SECRETS/tls_certificate"
}

tls_certificate_is_ours() { [ "${QUIRE_TLS_CERTIFICATE:-}" = "$QUIRE_SECRETS/tls_certificate" ]; }
# One that was named keeps its owner and mode; who reads it is another user, in the proxy's container. Wants that image.
tls_certificate_check() {
    [ -n "$QUIRE_TLS_CERTIFICATE" ] && ! tls_certificate_is_ours || return 0
    docker run --rm --network none -v "$QUIRE_TLS_CERTIFICATE:/certificate:ro" --entrypoint test quire/proxy -r /certificate ||
        fail "the proxy, which is another user, can't read $QUIRE_TLS_CERTIFICATE: chmod o+r makes it readable; a folder of mode 700 keeps it from others"
}

secrets_ready() {
    mkdir -p "$QUIRE_SECRETS"
    chmod 700 "$QUIRE_SECRETS"
    local name folder extensions=()
    for folder in "$QUIRE_ROOT"/examples/*/migrations "$QUIRE_ROOT"/extensions/*/migrations; do
        [ ! -d "$folder" ] || extensions+=("postgres_$(basename "$(dirname "$folder")")")
    done
    for name in postgres_owner postgres_session postgres_documents postgres_query postgres_monitor postgres_replication redis "${extensions[@]}"; do
        [ -s "$QUIRE_SECRETS/$name" ] || secret_random >"$QUIRE_SECRETS/$name"
    done
    [ -s "$QUIRE_SECRETS/seal_secret" ] || seal_keys_make
    [ -s "$QUIRE_SECRETS/seal_public" ] || seal_keys_publish
    ! tls_certificate_is_ours || [ -s "$QUIRE_TLS_CERTIFICATE" ] || tls_certificate_make
    chmod 644 "$QUIRE_SECRETS"/*
}

# A line each: behind `&&` no failure inside of them would end anything.
if [ "${command:-}" = secrets ]; then
    without_arguments "$@"
    engine_ready
    stack build -q cli
    secrets_ready
fi
