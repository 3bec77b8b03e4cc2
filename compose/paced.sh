#!/bin/sh
# paced.sh COMMAND...: a container's health check, without starting a process each few seconds for ever.
#
# `./quire up` waits for the first good check of one part after the other, so checks must come quickly; once a part is well nobody waits for the next one, and
# a start in a container costs some 40 ms of processor each time. An engine before 25 has one interval for both (later ones have start_interval). So the
# first good check ends at once, and each good one after it only after a pause, from which on the engine counts its interval; a bad one at once.
# What lies in /dev/shm goes when the container ends; with the first process's start in it, also if that alone is another one.
PAUSE_S=12
mark=/dev/shm/quire-healthy
began=$(cut -d ' ' -f 22 /proc/1/stat)
"$@" || {
    rm -f "$mark"
    exit 1
}
[ "$(cat "$mark" 2>/dev/null)" != "$began" ] || exec sleep "$PAUSE_S"
echo "$began" >"$mark"
