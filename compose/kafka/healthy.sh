#!/bin/bash
# Asks the broker for its API versions (an ApiVersions request, version 0, in twelve bytes more than nothing) and expects an answer: no JVM is
# started for it, and a broker whose request threads hang fails it.
exec 3<>/dev/tcp/127.0.0.1/9092 || exit 1
printf '\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff' >&3
[ "$(timeout 3 head -c 8 <&3 | wc -c)" = 8 ]
