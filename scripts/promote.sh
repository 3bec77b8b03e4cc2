# Usage: ./quire promote
# For a primary that is lost: of the replicas' copies the one that has received the most becomes the primary's, and the replicas are cloned from it anew.
# What no replica had received is gone. Services stop meanwhile, so calls are answered 503 or 504; copying takes as long as the disk needs for the database.
# Cut short, it is run again, and goes on where it was.
engine_running
bin=/usr/lib/postgresql/17/bin
data=/var/lib/postgresql/data
replicas=(replica-1 replica-2)
image=${QUIRE_POSTGRES_IMAGE:-quire/postgres}
# A file in the primary's data that came from a replica, until the replicas are cloned from it. It lies among the data so that it goes when they go: whatever else
# is put in their place, an empty cluster above all, doesn't have it, and nobody's copy is taken away for that.
mark="replicas-to-clone"
# A replica that doesn't answer for so long after its start is left out.
REPLICA_WAIT_S=30
# pg_ctl's word for "as long as it takes": a year. It ends with the server.
PROMOTE_WAIT_S=31536000

# The volume of a part's data, also of one that is stopped or whose container is gone.
volume_of() {
    local container
    container=$(stack ps -aq "$1") || return 1
    if [ -n "$container" ]; then
        docker inspect -f '{{range .Mounts}}{{if eq .Destination "/var/lib/postgresql"}}{{.Name}}{{end}}{{end}}' "$container"
    else
        docker volume ls -q --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.volume=$1"
    fi
}
# In a container of its own, with volumes as `-v` has them, and nothing else. With an init, so that it ends on Ctrl-C.
with_volumes() { docker run --rm --init --network none --entrypoint sh "$@"; }
query() { stack exec -T "$1" psql -h /run/postgresql -U postgres -d postgres -qAt -c "$2"; }

# Also one that starts: it may be replaying for long what it wrote last, on the socket where only its own script looks.
primary_there() {
    stack exec -T primary sh -c "for socket in /run/postgresql /tmp; do $bin/pg_isready -q -h \$socket; [ \$? -gt 1 ] || exit 0; done; exit 1" 2>/dev/null
}
# "yes" when the primary's data is a replica's copy already, and the replicas are still to be cloned from it.
copy_moved() {
    local volume
    volume=$(volume_of primary) || return 1
    with_volumes -v "$volume:/to:ro" "$image" -c "if [ -s /to/data/PG_VERSION ] && [ -e /to/data/$mark ]; then echo yes; fi"
}
# The replica that an attempt before this has promoted, and that nothing has replaced since.
promoted() {
    local replica volume answer
    for replica in "${replicas[@]}"; do
        volume=$(volume_of "$replica") || return 1
        [ -n "$volume" ] || continue
        answer=$(with_volumes -v "$volume:/from:ro" "$image" -c 'if [ -s /from/data/PG_VERSION ] && [ ! -e /from/data/standby.signal ]; then echo yes; fi') || return 1
        [ "$answer" != yes ] || { printf '%s' "$replica"; return; }
    done
}

# How far the copy of a replica that runs goes, in bytes of WAL; nothing where it doesn't answer.
received() {
    query "$1" "SELECT trunc(pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')) WHERE pg_is_in_recovery()" 2>/dev/null || true
}
furthest() {
    local replica at most=-1 found=
    for replica in "${replicas[@]}"; do
        at=$(received "$replica")
        if [ -n "$at" ] && [ "$at" -gt "$most" ]; then found=$replica most=$at; fi
    done
    printf '%s' "$found"
}

# Those that run, by name: `stop` without a name would stop everything.
writers_stop() {
    local writers
    writers=$(stack ps --services | sed -E '/^(proxy|gateway|kafka|prometheus|redis|replica-.*)$/d') || return 1
    # shellcheck disable=SC2086
    [ -z "$writers" ] || stack stop $writers
}
# Replays no more, as nothing more is there: one that was just started knows only then how far its copy goes. Or was promoted meanwhile, by an attempt that was cut.
SETTLED="SELECT NOT pg_is_in_recovery() OR EXISTS (SELECT FROM pg_stat_activity
    WHERE backend_type = 'startup' AND wait_event IN ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval'))"
settled() { [ "$(query "$1" "$SETTLED" 2>/dev/null)" = t ]; }
# Refuses connections until its copy is consistent, however long that takes; or answers.
alive() { stack exec -T "$1" sh -c "$bin/pg_isready -h /run/postgresql; [ \$? -le 1 ]"; }
# Those that an attempt before this has stopped are started, by the engine: Compose would have a healthy primary first.
replicas_settle() {
    local replica containers silent
    containers=$(stack ps -aq "${replicas[@]}") || return 1
    # shellcheck disable=SC2086
    [ -z "$containers" ] || docker start $containers || echo "one of them can't be started, and is left out"
    for replica in "${replicas[@]}"; do
        silent=0
        until settled "$replica"; do
            if alive "$replica"; then silent=0; else silent=$((silent + 1)); fi
            if [ "$silent" -ge "$REPLICA_WAIT_S" ]; then
                echo "$replica doesn't answer, and is left out"
                break
            fi
            sleep 1
        done
    done
}
copy_promote() { stack exec -T "$chosen" "$bin/pg_ctl" promote -w -t "$PROMOTE_WAIT_S" -D "$data"; }
# The primary's own copy, if there still is one, stays beside it until the new one is whole. Each line asks for the one before it: started without its data, the
# primary would make an empty cluster.
copy_move() {
    local from to copier="$project-promote"
    from=$(volume_of "$chosen") && to=$(volume_of primary) || return 1
    stack stop primary "${replicas[@]}" || return 1
    docker rm -f "$copier" >/dev/null 2>&1 || true # of an attempt that was killed: it goes on without its caller
    with_volumes --name "$copier" -v "$from:/from:ro" -v "$to:/to" "$image" -c \
        "set -e; rm -rf /to/data.new; cp -a /from/data /to/data.new; touch /to/data.new/$mark; sync; rm -rf /to/data; mv /to/data.new /to/data; sync"
}
primary_start() { stack up -d --no-build --no-recreate --no-deps --wait primary; }
# A replica that has a slot at this primary is being cloned from it, or was, before an attempt was cut; the others' copies are from before.
replicas_clone() {
    local replica volume slots
    slots=$(stack exec -T primary sh -c "test -e $data/$mark && psql -h /run/postgresql -U postgres -d postgres -qAt -c 'SELECT slot_name FROM pg_replication_slots'") || return 1
    for replica in "${replicas[@]}"; do
        [[ $'\n'$slots$'\n' != *$'\n'${replica//-/_}$'\n'* ]] || continue
        volume=$(volume_of "$replica") || return 1
        stack rm -f -s "$replica" || return 1
        [ -z "$volume" ] || docker volume rm "$volume" || return 1
    done
    stack up -d --no-build --wait --wait-timeout 300 || return 1
    stack exec -T primary rm -f "$data/$mark"
}

# One at a time, counting what a killed attempt has left running.
exec 9>"$QUIRE_ROOT/.quire/promote.lock"
! have flock || flock -n 9 || fail "another promotion is under way, or is just ending"
primary=$(stack ps -aq primary)
[ -n "$primary" ] || fail "there is no primary of this stack; ./quire up makes one, and restoring a dump fills it"
project=$(docker inspect -f '{{index .Config.Labels "com.docker.compose.project"}}' "$primary")
moved=$(copy_moved)
if [ "$moved" = yes ]; then
    # Also where it is stopped: by now it may know more than any replica.
    say "  The primary's data are a replica's copy already, by an attempt before this. (If they are lost too, remove data/$mark from its volume first.)"
elif primary_there; then
    fail "the primary answers, or is about to: a promotion would bring back nothing, and lose what the replicas haven't received. If you mean it: docker stop its container first"
else
    step "Stopping who writes" promote-stop writers_stop
    chosen=$(promoted)
    if [ -z "$chosen" ]; then
        step "Waiting until replicas know how far they are" promote-wait replicas_settle
        chosen=$(promoted)
    fi
    if [ -z "$chosen" ]; then
        chosen=$(furthest)
        [ -n "$chosen" ] || fail "no replica answers: ./quire status says how they are. Without one there is only the dump: docs/OPERATING.md"
        say "  $chosen has received the most."
        step "Promoting $chosen" promote-promote copy_promote
    fi
    step "Making its copy the primary's" promote-move copy_move
fi
step "Starting the primary with it" promote-start primary_start
step "Cloning the replicas from it" promote-clone replicas_clone
