#!/bin/sh
# Each service's migrations in its own schema; each is safe to run twice, and by two at once. Extensions come last: theirs may ask for what a service
# opens to them.
set -eu
for service in session documents query; do
    "quire-$service" migrate
done
for folder in /usr/share/quire/extensions/*/migrations; do
    [ ! -d "$folder" ] || QUIRE_MIGRATIONS="$folder" quire-migrate "$(basename "$(dirname "$folder")")"
done
