#!/bin/sh
# Each service's migrations in its own schema; each is safe to run twice, and by two at once.
set -eu
for service in session documents query; do
    "quire-$service" migrate
done
