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

# A slot that fell too far behind has lost WAL that this copy needs: only a new clone helps. With the primary away the copy is kept.
state=$(psql "$primary dbname=postgres" -qAt -c "SELECT wal_status FROM pg_replication_slots WHERE slot_name = '$slot'" 2>/dev/null || echo unknown)
if [ ! -e "$data/standby.signal" ] || [ "$state" = lost ]; then
    if [ -n "$state" ] && [ "$state" != unknown ]; then
        psql "$primary dbname=postgres replication=database" -q -c "DROP_REPLICATION_SLOT $slot WAIT"
    fi
    rm -rf "$data" "$data.new"
    "$bin/pg_basebackup" -d "$primary application_name=$QUIRE_REPLICA" -D "$data.new" -X stream -c fast -C -S "$slot"
    touch "$data.new/standby.signal"
    mv "$data.new" "$data"
fi
exec "$bin/postgres" -D "$data" -c config_file=/etc/quire/postgresql.conf -c data_directory="$data" \
    -c primary_conninfo="$primary application_name=$QUIRE_REPLICA passfile=$PGPASSFILE" -c primary_slot_name="$slot"
