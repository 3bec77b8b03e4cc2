#!/bin/bash
# Makes the cluster on first start (database, a role for each secret postgres_NAME), then becomes the primary. Passwords come from files, are set again
# at each start, and stand in no argument list and no log.
set -euo pipefail
bin=/usr/lib/postgresql/17/bin
data=/var/lib/postgresql/data
# Until roles and passwords stand, only this script may come in: no TCP, and a socket where no health check looks.
socket=/tmp

# Waits for as long as postgres needs: after a hard stop the replay of WAL may take many minutes, and whoever gives up on it ends the container and begins it anew.
# A year, as pg_ctl knows no "for ever" and counts tenths of a second in 32 bits. When postgres itself ends, so does the wait.
WAIT_S=31536000
server() { "$bin/pg_ctl" -D "$data" -s -w -t "$WAIT_S" -o "-c config_file=/etc/quire/postgresql.conf -c data_directory=$data -c listen_addresses='' -c unix_socket_directories=$socket" "$@"; }

if [ ! -s "$data/PG_VERSION" ]; then
    # Made beside its place and moved, so that a first start cut short leaves nothing half made.
    rm -rf "$data" "$data.new"
    "$bin/initdb" -D "$data.new" -U postgres --auth=reject --encoding=UTF8 --locale=C.UTF-8 --data-checksums >/dev/null
    mv "$data.new" "$data"
fi

# Who may connect as a service: all roles but the cluster's own three. An extension brings a secret, and with it its role.
services() { ls /run/secrets | sed -n 's/^postgres_\([a-z][a-z0-9_]*\)$/\1/p' | grep -vx -e owner -e monitor -e replication; }
password() { printf "'%s'" "$(tr -d '\n' < "/run/secrets/postgres_$1")"; }
server start
{
    echo "SET log_statement = 'none';"
    for role in service $(services) owner monitor replication; do
        echo "SELECT 'CREATE ROLE quire_$role' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'quire_$role') \\gexec"
        [ "$role" = service ] || echo "ALTER ROLE quire_$role LOGIN PASSWORD $(password "$role");"
    done
    # A group, known to pg_hba.conf; it has no rights but to connect.
    for role in $(services); do echo "GRANT quire_service TO quire_$role;"; done
    echo "ALTER ROLE quire_replication REPLICATION;"
    echo "GRANT pg_monitor TO quire_monitor;"
    echo "SELECT 'CREATE DATABASE quire OWNER quire_owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'quire') \\gexec"
    echo "REVOKE ALL ON DATABASE quire FROM PUBLIC;"
    echo "GRANT CONNECT ON DATABASE quire TO quire_service, quire_monitor;"
} | psql -h "$socket" -U postgres -d postgres -q -v ON_ERROR_STOP=1
server stop -m fast
exec "$bin/postgres" -D "$data" -c config_file=/etc/quire/postgresql.conf -c data_directory="$data"
