# Usage: ./quire rotate-passwords [--as-written]
# New passwords for the roles of PostgreSQL and for Redis, while the stack runs. Servers and services restart to learn them, so calls are answered 503 for
# half a minute. Cut short, it is run again.
#   --as-written   takes what stands in compose/secrets instead of making new ones: for passwords of your own
. "$QUIRE_ROOT/scripts/secrets.sh"
[ $# = 0 ] || [ "$*" = --as-written ] || misused "rotate-passwords knows --as-written, not '$*'"
stack_running

# Written in place: a container sees the file that was mounted, not one that took its name.
passwords_make() {
    local file
    for file in "$QUIRE_SECRETS"/postgres_* "$QUIRE_SECRETS/redis"; do secret_random >"$file" || return 1; done
}
servers_restart() { stack restart primary redis && stack up -d --no-build --no-recreate --no-deps --wait primary redis; }
# Whoever logs in to one of them. What has no password of theirs goes on.
clients_restart() {
    local services
    services=$(stack ps --services | sed -E '/^(primary|redis|proxy|gateway|kafka|prometheus)$/d' | xargs) || return 1
    [ -n "$services" ] || return 0 # without a name it would be everybody
    stack restart $services && stack up -d --no-build --no-recreate --no-deps --wait $services
}

[ -n "$(stack ps -q primary)" ] || fail "the primary is not running; ./quire up starts it"
[ $# = 1 ] || step "Making new passwords" rotate-passwords-make passwords_make
step "Telling PostgreSQL and Redis" rotate-passwords-servers servers_restart
step "Telling who logs in to them" rotate-passwords-clients clients_restart
