#!/bin/sh
# The password reaches Redis by a file in memory, never by an argument that `ps` shows.
set -eu
umask 077
printf 'requirepass %s\n' "$(tr -d '\n' < /run/secrets/redis)" > /run/redis/password.conf
exec redis-server /etc/quire/redis.conf
