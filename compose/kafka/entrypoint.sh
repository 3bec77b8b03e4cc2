#!/bin/sh
# Formats the volume on first start, then becomes the broker.
set -eu
if [ ! -f /var/lib/kafka/data/meta.properties ]; then
    tool() { java -Xmx128m -XX:SharedArchiveFile=/opt/kafka/classes.jsa @/opt/kafka/classpath kafka.tools.StorageTool "$@"; }
    tool format --cluster-id "$(tool random-uuid)" --config /etc/kafka/server.properties
fi
# A broker that runs out of memory must die and be restarted, not linger; what its heap may take it takes at once (AlwaysPreTouch), not over hours, when
# others may have it. The last of two options counts, so QUIRE_KAFKA_JVM_OPTIONS (words, as -Xmx2g) may say otherwise.
# shellcheck disable=SC2086
exec java -Xms512m -Xmx512m -XX:+AlwaysPreTouch -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true \
    -Dlog4j2.configurationFile=/etc/kafka/log4j2.yaml -javaagent:/opt/kafka/jmx.jar=9100:/etc/kafka/metrics.yaml \
    -XX:SharedArchiveFile=/opt/kafka/classes.jsa ${QUIRE_KAFKA_JVM_OPTIONS:-} @/opt/kafka/classpath kafka.Kafka /etc/kafka/server.properties
