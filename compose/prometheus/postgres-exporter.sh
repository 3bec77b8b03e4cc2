#!/bin/bash
# One exporter process a server: primary on 9101, replica-1 on 9102, replica-2 on 9103. One that ends takes the container with it, and the
# restart policy brings all three back.
set -eu
port=9101
for server in primary replica-1 replica-2; do
    DATA_SOURCE_URI="$server:5432/quire?sslmode=disable&connect_timeout=3" DATA_SOURCE_USER=quire_monitor DATA_SOURCE_PASS_FILE=/run/secrets/postgres_monitor \
        prometheus-postgres-exporter --web.listen-address=":$port" --log.level=error --no-collector.wal &
    port=$((port + 1))
done
trap 'kill $(jobs -p)' TERM INT
wait -n
