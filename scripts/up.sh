# Usage: ./quire up
# Builds and starts the whole stack, follows it until it is healthy, and says where it is. Run it again after a change: only what changed is
# made anew. What it needs and may install (root, apt) it installs, saying so.
#   QUIRE_HTTP_PORT=8080   the port on 127.0.0.1
#   QUIRE_LIMITS=off       lifts every rate limit, for load tests
#   QUIRE_TLS=on           HTTPS too, on 127.0.0.1:8443 (QUIRE_HTTPS_PORT), with a certificate for localhost made at the first start
#   QUIRE_TLS_CERTIFICATE=FILE   HTTPS with this PEM file of certificate, chain and key
. "$QUIRE_ROOT/scripts/secrets.sh"

up_build() { stack --profile tools build; }
up_start() { stack up -d --remove-orphans --wait --wait-timeout 300; }

# A first account, so that import and ask work at once; its password stays in the secrets folder. Who is logged in here already stays so.
demo_login() {
    [ -s "$QUIRE_SECRETS/demo" ] || secret_random >"$QUIRE_SECRETS/demo"
    chmod 600 "$QUIRE_SECRETS/demo"
    local tries=0
    until QUIRE_TOKEN= QUIRE_URL="http://127.0.0.1:$QUIRE_HTTP_PORT" cli_run -i -- cli.login --demo <"$QUIRE_SECRETS/demo"; do
        tries=$((tries + 1))
        [ "$tries" -lt 10 ] || return 1
        sleep 1
    done
}

began=$SECONDS
say "Quire"
engine_ready
step "Building the images" build up_build
secrets_ready
step "Starting the stack, until it is healthy" up up_start
step "Opening a demo session" demo demo_login
url="http://127.0.0.1:$QUIRE_HTTP_PORT"
[ "${QUIRE_LIMITS:-on}" != off ] || say "  Rate limits are off (QUIRE_LIMITS=off)."
cat <<TEXT

Quire is at $url${QUIRE_TLS_CERTIFICATE:+ and https://localhost:${QUIRE_HTTPS_PORT:-8443}}, healthy after $((SECONDS - began)) s.
Demo log-in: demo@quire.example, password in compose/secrets/demo

Try:
  ./quire import README.md docs
  ./quire ask "What happens when the primary is away?"
  curl $url/health          (and $url/docs in a browser)
TEXT
