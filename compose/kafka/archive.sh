#!/bin/sh
# Makes /opt/kafka/classes.jsa when the image is built: the classes that a broker loads, parsed and verified once (dynamic archive of class data,
# https://docs.oracle.com/en/java/javase/21/vm/class-data-sharing.html). A broker then starts in about half the time. The virtual machine takes the archive only for
# the very class path it was made with, so that stands in a file in one order; without a fitting archive a broker starts as without any.
set -eu
cd /opt/kafka
printf -- '-cp %s\n' "$(printf '%s:' libs/*.jar | sed 's#libs/#/opt/kafka/libs/#g; s/:$//')" >classpath

work=$(mktemp -d)
sed "s#^log.dirs=.*#log.dirs=$work/data#; s#^listeners=PLAINTEXT://#&127.0.0.1#; s#^advertised.listeners=.*#advertised.listeners=PLAINTEXT://127.0.0.1:9092#" \
    /etc/kafka/server.properties >"$work/server.properties"
java @classpath kafka.tools.StorageTool format -t "$(java @classpath kafka.tools.StorageTool random-uuid)" -c "$work/server.properties"
java -XX:ArchiveClassesAtExit=/opt/kafka/classes.jsa @classpath kafka.Kafka "$work/server.properties" &
broker=$!
java @classpath org.apache.kafka.tools.TopicCommand --bootstrap-server 127.0.0.1:9092 --create --topic any --partitions 12
kill "$broker"
wait "$broker" || [ $? = 143 ]
rm -r "$work"
test -s classes.jsa
