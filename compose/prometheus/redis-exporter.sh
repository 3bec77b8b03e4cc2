#!/bin/sh
# The exporter wants a JSON file of passwords by address.
set -eu
umask 077
printf '{"redis://redis:6379":"%s"}\n' "$(tr -d '\n' < /run/secrets/redis)" > /tmp/passwords.json
exec prometheus-redis-exporter -redis.addr redis://redis:6379 -redis.password-file /tmp/passwords.json -web.listen-address :9121
