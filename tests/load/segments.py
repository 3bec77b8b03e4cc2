"""The broker's log segments. Each is a descriptor, and how many there are is retention's work: a partition that is written to begins one every `segment.ms`, and
keeps each for `retention.ms`, so that their number grows for as long before it stands. That they are as many as the topics' settings say is what can be promised."""

import os
import re
from collections import Counter
from collections.abc import Iterator

from servers.binary import SOURCE
from servers.kafka import topics_of

SEGMENT = re.compile(r"/([^/]+)-(\d+)/\d{20}\.log(\.deleted)?$")
# After a segment's time: until retention looks again (log.retention.check.interval.ms), and until its file is closed (log.segment.delete.delay.ms).
LEFT_MS = 30_000 + 60_000
WRITTEN = 2  # the one that is written to, and the one before, whose newest message has just gone in
OWN_MAX = 4  # of the broker's own topics, which keep no time


def open_names(pid: int) -> Iterator[str]:
    """What each descriptor of a process is, as proc_pid_fd(5) has it."""
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            yield os.readlink(f"/proc/{pid}/fd/{descriptor}")
        except OSError:
            continue  # it has just been closed


def held(pid: int) -> Counter[tuple[str, int]]:
    """Segments by (topic, partition) that a broker has open."""
    found = Counter()
    for name in open_names(pid):
        if match := SEGMENT.search(name):
            found[match[1], int(match[2])] += 1
    return found


def bounds() -> dict[str, int]:
    """The most segments of a partition of each topic: by time, and where more is written than `segment.bytes` in that time, by bytes."""
    found = {}
    for topic in topics_of(os.path.join(SOURCE, "proto/generate.py")):
        config = {name: int(value) for name, value in topic["config"].items() if value.isdigit()}
        by_time = -(-(config["retention.ms"] + LEFT_MS) // config["segment.ms"])
        found[topic["name"]] = WRITTEN + by_time + config["retention.bytes"] // config["segment.bytes"]
    return found


def fullest(pid: int) -> tuple[str, int, int]:
    """(partition, its segments, their bound) of the partition that is nearest to its bound."""
    most = bounds()
    (topic, partition), count = max(held(pid).items(), key=lambda entry: entry[1] / most.get(entry[0][0], OWN_MAX))
    return f"{topic}-{partition}", count, most.get(topic, OWN_MAX)
