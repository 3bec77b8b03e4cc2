# Usage: ./quire promote
# For a primary that is lost: of the replicas' copies the one that has received the most becomes the primary's, and the replicas are cloned from it anew.
# What no replica had received is gone. Services stop meanwhile, so calls are answered 503 or 504; copying takes as long as the disk needs for the database.
# Cut short, it is run again.
engine_running
data=/var/lib/postgresql/data
replicas=(replica-1 replica-2)

# The volume of a part's data, also of one that is stopped.
volume_of() {
    docker inspect -f '{{range .Mounts}}{{if eq .Destination "/var/lib/postgresql"}}{{.Name}}{{end}}{{end}}' "$(stack ps -aq "$1")"
}
# In a container of its own, with volumes as `-v` has them, and nothing else.
with_volumes() { docker run --rm --network none --entrypoint sh "$@"; }
image=${QUIRE_POSTGRES_IMAGE:-quire/postgres}

# How far the copy of a replica that runs goes, in bytes of WAL; nothing where it doesn't answer.
received() {
    stack exec -T "$1" psql -h /run/postgresql -U postgres -d postgres -qAt -c \
        "SELECT trunc(pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')) WHERE pg_is_in_recovery()" 2>/dev/null || true
}
furthest() {
    local replica at most=-1 found=
    for replica in "${replicas[@]}"; do
        at=$(received "$replica")
        if [ -n "$at" ] && [ "$at" -gt "$most" ]; then found=$replica most=$at; fi
    done
    printf '%s' "$found"
}
# One that an attempt before this has promoted, and that nothing has replaced since.
promoted() {
    local replica
    for replica in "${replicas[@]}"; do
        with_volumes -v "$(volume_of "$replica"):/from:ro" "$image" -c '[ -s /from/data/PG_VERSION ] && [ ! -e /from/data/standby.signal ]' && printf '%s' "$replica" && return
    done
    return 0
}

writers_stop() { stack stop $(stack ps --services | grep -vx -e proxy -e gateway -e kafka -e prometheus -e redis -e 'replica-.*'); }
copy_promote() { stack exec -T "$chosen" /usr/lib/postgresql/17/bin/pg_ctl promote -w -D "$data"; }
# The primary's own copy, if there still is one, stays beside it until the new one is whole.
copy_move() {
    stack stop primary "${replicas[@]}"
    with_volumes -v "$(volume_of "$chosen"):/from:ro" -v "$(volume_of primary):/to" "$image" -c \
        'set -e; rm -rf /to/data.new; cp -a /from/data /to/data.new; sync; rm -rf /to/data; mv /to/data.new /to/data'
    stack up -d --no-build --no-recreate --no-deps --wait primary
}
replicas_clone() {
    local replica volume
    for replica in "${replicas[@]}"; do
        volume=$(volume_of "$replica")
        stack rm -f -s "$replica"
        docker volume rm "$volume"
    done
    stack up -d --no-build --wait --wait-timeout 300
}

[ -n "$(stack ps -aq primary)" ] || fail "there is no primary of this stack; ./quire up makes one, and restoring a dump fills it"
if stack exec -T primary pg_isready -q -h /run/postgresql 2>/dev/null; then
    fail "the primary answers: a promotion would bring back nothing, and lose what the replicas haven't received. If you mean it: docker stop its container first"
fi
chosen=$(promoted)
again=$chosen
[ -n "$chosen" ] || chosen=$(furthest)
[ -n "$chosen" ] || fail "no replica answers: ./quire status says how they are. Without one there is only the dump: docs/OPERATING.md"
say "  $chosen has received the most."
step "Stopping who writes" promote-stop writers_stop
[ -n "$again" ] || step "Promoting $chosen" promote-promote copy_promote
step "Making its copy the primary's" promote-move copy_move
step "Cloning the replicas from it" promote-clone replicas_clone
