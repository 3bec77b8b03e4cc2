"""The topics that must exist, each with its partitions and settings. One table of sizes: what a lane, an answer or an event may weigh."""

import json

KIB, MIB = 1024, 1024 * 1024
HOUR_MS = 3600 * 1000

# The largest body (16 MiB of JSON) as protobuf, with headers and room; and the rest, which is at most 1 MiB where a call has no bulk lane.
BULK_MESSAGE_BYTES = 20 * MIB
MESSAGE_BYTES = MIB + 64 * KIB
DEAD_LETTER_HEADERS_BYTES = 64 * KIB

LANE_PARTITIONS = 12   # the ceiling of a service's scale
REPLY_PARTITIONS = 64  # a ring of a gateway takes one

# Minutes, not days: a request that is older than its deadline is of no use. Bytes are those of one partition.
PASSING_MS = 600_000
PASSING = {
    "small": {"retention.bytes": 64 * MIB, "segment.bytes": 32 * MIB, "segment.ms": 120_000},
    "bulk": {"retention.bytes": 128 * MIB, "segment.bytes": 64 * MIB, "segment.ms": 120_000},
    "replies": {"retention.bytes": 32 * MIB, "segment.bytes": 16 * MIB, "segment.ms": 120_000},
    "replies_bulk": {"retention.bytes": 64 * MIB, "segment.bytes": 32 * MIB, "segment.ms": 120_000},
}
KEPT = {"retention.bytes": 1024 * MIB, "segment.bytes": 128 * MIB, "segment.ms": 24 * HOUR_MS}
DEAD_LETTERS_MS = 7 * 24 * HOUR_MS

REPLIES, BULK_REPLIES = "quire.replies", "quire.replies.bulk"


def topic(name, partitions, retention_ms, sizes, message_bytes):
    config = {"cleanup.policy": "delete", "retention.ms": retention_ms, "max.message.bytes": message_bytes, **sizes}
    return {"name": name, "partitions": partitions, "config": {key: str(value) for key, value in config.items()}}


def dead_letters(name, message_bytes):
    return topic(f"{name}-dlt", 1, DEAD_LETTERS_MS, KEPT, message_bytes + DEAD_LETTER_HEADERS_BYTES)


def all_topics(contract):
    """The largest value of a lane that is some call's bulk lane is a whole body."""
    found = []
    for service in contract.services:
        for lane in service.lanes:
            size = BULK_MESSAGE_BYTES if lane.bulk else MESSAGE_BYTES
            found.append(topic(lane.topic, LANE_PARTITIONS, PASSING_MS, PASSING["bulk" if lane.bulk else "small"], size))
            found.append(dead_letters(lane.topic, size))
    found.append(topic(REPLIES, REPLY_PARTITIONS, PASSING_MS, PASSING["replies"], MESSAGE_BYTES))
    found.append(topic(BULK_REPLIES, REPLY_PARTITIONS, PASSING_MS, PASSING["replies_bulk"], BULK_MESSAGE_BYTES))
    for message in contract.event_messages():
        option = message.topic
        found.append(topic(option.name, option.partitions, option.retention_ms, KEPT, MESSAGE_BYTES))
        found.append(dead_letters(option.name, MESSAGE_BYTES))
    return found


def lines(contract):
    return "".join(json.dumps(entry) + "\n" for entry in all_topics(contract))
