#!/bin/bash
# Clones the primary on first start, or when its replication slot was lost, then follows it. QUIRE_REPLICA names the slot.
set -euo pipefail
bin=/usr/lib/postgresql/17/bin
data=/var/lib/postgresql/data
slot=${QUIRE_REPLICA//-/_}
export PGPASSFILE=/run/postgresql/pgpass
printf 'primary:5432:*:quire_replication:%s\n' "$(tr -d '\n' < /run/secrets/postgres_replication)" > "$PGPASSFILE"
chmod 600 "$PGPASSFILE"
primary="host=primary user=quire_replication connect_timeout=5"

# A copy that was promoted is nobody's replica any more, and may be all that there is: nothing here takes it away.
if [ -s "$data/PG_VERSION" ] && [ ! -e "$data/standby.signal" ]; then
    echo "this copy was promoted and follows no primary: ./quire promote makes it the primary's" >&2
    trap 'exit 0' INT TERM
    sleep infinity &
    wait
fi

# The primary's word: the slot's state, nothing where it has no such slot, or unknown where it doesn't answer.
slot_state() {
    psql "$primary dbname=postgres" -qAt -c "SELECT wal_status FROM pg_replication_slots WHERE slot_name = '$slot'" 2>/dev/null || echo unknown
}
# Of the same cluster as the primary is now; an empty one in its place is another.
copy_is_of_primary() {
    [ "$("$bin/pg_controldata" "$data" | sed -n 's/^Database system identifier: *//p')" = \
        "$(psql "$primary dbname=postgres replication=database" -qAt -c IDENTIFY_SYSTEM | cut -d'|' -f1)" ]
}
# A slot that fell too far behind has lost WAL that this copy needs, and a primary that was put in its place has no slot: only a new clone helps. With
# the primary away, or another cluster's, the copy is kept.
clone_needed() {
    [ -e "$data/standby.signal" ] || return 0
    [ "$state" = lost ] || { [ -z "$state" ] && copy_is_of_primary; }
}

state=$(slot_state)
if clone_needed; then
    if [ -n "$state" ] && [ "$state" != unknown ]; then
        psql "$primary dbname=postgres replication=database" -q -c "DROP_REPLICATION_SLOT $slot WAIT"
    fi
    # The old copy goes when the new one is whole.
    rm -rf "$data.new"
    "$bin/pg_basebackup" -d "$primary application_name=$QUIRE_REPLICA" -D "$data.new" -X stream -c fast -C -S "$slot"
    touch "$data.new/standby.signal"
    rm -rf "$data"
    mv "$data.new" "$data"
fi
exec "$bin/postgres" -D "$data" -c config_file=/etc/quire/postgresql.conf -c data_directory="$data" \
    -c primary_conninfo="$primary application_name=$QUIRE_REPLICA passfile=$PGPASSFILE" -c primary_slot_name="$slot"
