#!/usr/bin/env python3
"""Makes the cluster's topics what the contract says: creates the missing ones, adds partitions, sets the configuration.

Reads `proto/generate.py --topics` (a JSON line a topic) from the file named; running it again changes nothing."""

import json
import os
import sys
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic
from kafka_access import kafka_properties

BROKER_WAIT_S = 120


def existing_topics(admin: AdminClient) -> dict[str, int]:
    """Partition counts by topic, once a broker answers."""
    deadline = time.monotonic() + BROKER_WAIT_S
    while True:
        try:
            topics = admin.list_topics(timeout=5).topics
            return {name: len(topic.partitions) for name, topic in topics.items()}
        except KafkaException as error:
            if time.monotonic() > deadline:
                sys.exit(f"no broker answered within {BROKER_WAIT_S} s: {error}")


def settle(futures: dict) -> None:
    for name, future in futures.items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                sys.exit(f"{name}: {error}")


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as lines:
        wanted = [json.loads(line) for line in lines if line.strip()]
    replicas = int(os.environ.get("QUIRE_KAFKA_REPLICATION", "1"))
    admin = AdminClient(kafka_properties())
    existing = existing_topics(admin)

    missing = [topic for topic in wanted if topic["name"] not in existing]
    if missing:
        settle(admin.create_topics([NewTopic(topic["name"], topic["partitions"], replicas, config=topic["config"]) for topic in missing]))
    growing = [topic for topic in wanted if 0 < existing.get(topic["name"], 0) < topic["partitions"]]
    if growing:
        settle(admin.create_partitions([NewPartitions(topic["name"], topic["partitions"]) for topic in growing]))
    settled = [topic for topic in wanted if topic["name"] in existing]
    if settled:
        settle(admin.alter_configs([ConfigResource("topic", topic["name"], set_config=topic["config"]) for topic in settled]))
    print(json.dumps({"event": "topics.ready", "created": len(missing), "grown": len(growing), "all": len(wanted)}))


if __name__ == "__main__":
    main()
