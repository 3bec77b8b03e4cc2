#!/bin/sh
# Formats the volume on first start, then becomes the broker.
set -eu
if [ ! -f /var/lib/kafka/data/meta.properties ]; then
    tool() { java -Xmx128m -XX:SharedArchiveFile=/opt/kafka/classes.jsa @/opt/kafka/classpath kafka.tools.StorageTool "$@"; }
    tool format --cluster-id "$(tool random-uuid)" --config /etc/kafka/server.properties
fi
# A broker that runs out of memory must die and be restarted, not linger; what its heap may take it takes at once (AlwaysPreTouch), not over hours, when
# others may have it.
exec java -Xms512m -Xmx512m -XX:+AlwaysPreTouch -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true \
    -Dlog4j2.configurationFile=/etc/kafka/log4j2.yaml -javaagent:/opt/kafka/jmx.jar=9100:/etc/kafka/metrics.yaml \
    -XX:SharedArchiveFile=/opt/kafka/classes.jsa @/opt/kafka/classpath kafka.Kafka /etc/kafka/server.properties
