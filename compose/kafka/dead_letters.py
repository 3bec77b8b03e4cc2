#!/usr/bin/env python3
"""Dead letters: messages that could not be handled, in the topics that end in -dlt, and what an operator does about them.

    list [TOPIC...] [--all]     those nobody has dealt with; --all: with those that were replayed or dropped
    show ID [--raw]             one with all its headers; --raw: its value as it is, to standard output
    replay ID... [--seconds N]  puts it back on its topic, once, with a new deadline of N seconds (default 30, which is the most)
    drop ID...                  it needs nothing more

An ID is TOPIC@OFFSET as `list` prints it. Kafka can't take one message out of a topic: what was done about a letter is noted behind it in
the same topic, and the first note counts, so two who replay the same letter at once replay it once. A replay is noted before it is sent and
again behind it; what stopped in between is listed as `cut off`, and `replay --again` repeats it."""

import argparse
import sys
import time
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from kafka_access import kafka_properties

SUFFIX = "-dlt"
PARTITION = 0  # a topic of dead letters has one
# Headers of a note.
NOTE_OF, NOTE_ACTION = "quire-dlt-note-of", "quire-dlt-note"
REASON, HOME_TOPIC, HOME_PARTITION = "quire-dlt-reason", "quire-dlt-topic", "quire-dlt-partition"
LOST_BYTES = "quire-dlt-lost-bytes"
DEADLINE, REPLY_TOPIC, REPLY_PARTITION, BULK_REPLY_TOPIC = "quire-deadline", "kafka_replyTopic", "kafka_replyPartition", "quire-bulk-reply-topic"
BINARY = {"kafka_correlationId", REPLY_PARTITION, DEADLINE, "quire-session", "quire-fingerprint"}
MESSAGE_BYTES_MAX = 21 * 1024 * 1024  # the largest topic of dead letters takes 20 MiB and headers
# What librdkafka holds ready, and the largest answer that it asks for. Left alone that is 64 and 50 MiB, and the container has 256 for everything.
FETCHED_BYTES_MAX = MESSAGE_BYTES_MAX
DEADLINE_SECONDS_MAX = 30
WAIT_S = 30
# What is done about a letter, in the order in which notes may follow each other.
REPLAYING, REPLAYED, DROPPED, FAILED = "replaying", "replayed", "dropped", "failed"


def fail(text):
    sys.exit(f"dead-letters: {text}")


@dataclass
class Letter:
    topic: str  # of dead letters
    offset: int
    at_ms: int
    key: bytes | None
    size: int  # of the value, in bytes; Cluster.value reads it
    headers: list
    notes: list = field(default_factory=list)  # (offset, action)

    @property
    def id(self):
        return f"{self.topic.removesuffix(SUFFIX)}@{self.offset}"

    def header(self, name, otherwise=""):
        return next((value.decode(errors="replace") for found, value in self.headers if found == name and value is not None), otherwise)

    @property
    def state(self):
        """waiting, cut off, replayed or dropped. A failed replay gives the letter back."""
        state, held = "waiting", False
        for _, action in self.notes:
            if action == DROPPED and not held:
                return "dropped"
            if action == REPLAYED:
                return "replayed"
            held = action == REPLAYING or (held and action != FAILED)
            state = "cut off" if held else "waiting"
        return state


class Cluster:
    def __init__(self, access):
        """`access`: librdkafka's properties of how to get in."""
        self.settings = {**access, "log_level": 2}
        self.consumer = Consumer({**self.settings, "group.id": "quire.dead-letters", "enable.auto.commit": False, "auto.offset.reset": "earliest",
                                  "enable.partition.eof": False, "fetch.message.max.bytes": MESSAGE_BYTES_MAX, "fetch.max.bytes": FETCHED_BYTES_MAX,
                                  "queued.max.messages.kbytes": FETCHED_BYTES_MAX // 1024})
        self.producer = Producer({**self.settings, "enable.idempotence": True, "acks": "all", "message.max.bytes": MESSAGE_BYTES_MAX,
                                  "delivery.timeout.ms": WAIT_S * 1000})

    def topics(self):
        return sorted(name for name in self.consumer.list_topics(timeout=WAIT_S).topics if name.endswith(SUFFIX))

    def letters(self, topic):
        """All letters of a topic by their offsets, each with its notes. Without values: all of them may be more than the memory."""
        first, end = self.consumer.get_watermark_offsets(TopicPartition(topic, PARTITION), timeout=WAIT_S)
        letters = {}
        for message in self._read(topic, first, end):
            self._take(letters, topic, message)
        return letters

    def value(self, letter):
        for message in self._read(letter.topic, letter.offset, letter.offset + 1):
            if message.offset() == letter.offset:
                return message.value() or b""
        fail(f"{letter.id} is gone: Kafka keeps nothing for ever")

    def _read(self, topic, first, end):
        """The messages with offsets from `first` to before `end`, one at a time."""
        if first >= end:
            return
        until = time.monotonic() + WAIT_S
        self.consumer.assign([TopicPartition(topic, PARTITION, first)])
        try:
            while self.consumer.position([TopicPartition(topic, PARTITION)])[0].offset < end:
                if time.monotonic() > until:
                    fail(f"{topic} could not be read to its end within {WAIT_S} s")
                message = self.consumer.poll(0.5)
                if message is None:
                    continue
                if message.error() is not None:
                    raise KafkaException(message.error())
                until = time.monotonic() + WAIT_S
                if message.offset() < end:
                    yield message
        finally:
            self.consumer.unassign()

    @staticmethod
    def _take(letters, topic, message):
        headers = message.headers() or []
        noted = next((value for name, value in headers if name == NOTE_OF), None)
        if noted is None:
            letters[message.offset()] = Letter(topic, message.offset(), message.timestamp()[1], message.key(), len(message.value() or b""), headers)
        elif int(noted) in letters:
            letters[int(noted)].notes.append((message.offset(), dict(headers)[NOTE_ACTION].decode()))

    def find(self, identity):
        topic, at, offset = identity.rpartition("@")
        if not at or not offset.isdigit():
            fail(f"{identity} is no TOPIC@OFFSET")
        topic = topic if topic.endswith(SUFFIX) else topic + SUFFIX
        if topic not in self.topics():
            fail(f"there is no topic {topic}")
        letter = self.letters(topic).get(int(offset))
        if letter is None:
            fail(f"there is no letter {identity}")
        return letter

    def send(self, topic, partition, key, value, headers):
        """Returns the offset once the broker has it; raises KafkaException."""
        placed = []
        self.producer.produce(topic, value, key, partition, on_delivery=lambda error, message: placed.append((error, message)), headers=headers)
        self.producer.flush(WAIT_S + 5)
        error, message = placed[0] if placed else fail(f"{topic} did not take the message within {WAIT_S} s")
        if error is not None:
            raise KafkaException(error)
        return message.offset()

    def note(self, letter, action):
        return self.send(letter.topic, PARTITION, None, None, [(NOTE_OF, str(letter.offset).encode()), (NOTE_ACTION, action.encode())])

    def claim(self, letter, action, again=False):
        """Notes that we deal with it; fails when somebody does or did already."""
        if letter.state != "waiting" and not (again and letter.state == "cut off"):
            fail(f"{letter.id} is {letter.state}" + (" (replay --again repeats it)" if letter.state == "cut off" else " already"))
        known = len(letter.notes)
        ours = self.note(letter, action)
        first = self.letters(letter.topic)[letter.offset].notes[known]
        if first[0] != ours:
            fail(f"{letter.id}: somebody else has just noted '{first[1]}'")


def replayed_headers(letter, seconds):
    """Its own, but for the deadline, which has passed, the caller, who was answered, and what the dead letter topic added."""
    left_out = {DEADLINE, REPLY_TOPIC, REPLY_PARTITION, BULK_REPLY_TOPIC}
    headers = [(name, value) for name, value in letter.headers if name not in left_out and not name.startswith("quire-dlt-")]
    if letter.header(DEADLINE):
        headers.append((DEADLINE, int((time.time() + seconds) * 1000).to_bytes(8)))
    return headers


def show_list(cluster, arguments):
    wanted = [topic if topic.endswith(SUFFIX) else topic + SUFFIX for topic in arguments.topics]
    there = cluster.topics()
    if missing := [topic for topic in wanted if topic not in there]:
        fail(f"there is no topic {', '.join(missing)}")
    found = [letter for topic in wanted or there for letter in cluster.letters(topic).values()
             if arguments.all or letter.state in ("waiting", "cut off")]
    if not found:
        print("no dead letters")
        return
    width = max(len(letter.id) for letter in found)
    print(f"{'ID':<{width}}  {'SINCE':<20} {'STATE':<9} {'REASON':<14} {'BYTES':>9}  {'METHOD':<28} REQUEST")
    for letter in sorted(found, key=lambda letter: letter.at_ms):
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(letter.at_ms / 1000))
        print(f"{letter.id:<{width}}  {since:<20} {letter.state:<9} {printable(letter.header(REASON, '-')):<14} {letter.size:>9}  "
              f"{printable(letter.header('quire-method', '-')):<28} {printable(letter.header('x-request-id', '-'))}")


def printable(text):
    """Headers are foreign text: no control character reaches the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def show_one(cluster, arguments):
    letter = cluster.find(arguments.id)
    if arguments.raw:
        sys.stdout.buffer.write(cluster.value(letter))
        return
    print(f"{letter.id}: {letter.state}, {letter.size} bytes; show --raw prints them")
    for name, value in letter.headers:
        text = value.hex() if value is not None and name in BINARY else printable((value or b"").decode(errors="backslashreplace"))
        print(f"  {printable(name)}: {text}")


def replay(cluster, arguments):
    for identity in arguments.ids:
        letter = cluster.find(identity)
        home = letter.header(HOME_TOPIC)
        if not home or home + SUFFIX != letter.topic:
            fail(f"{letter.id} doesn't say where it came from")
        if letter.header(LOST_BYTES):
            fail(f"{letter.id} was too large to be kept: its {letter.header(LOST_BYTES)} bytes are lost")
        value = cluster.value(letter)  # before the note: one that can't be read isn't cut off
        cluster.claim(letter, REPLAYING, arguments.again)
        try:
            partition = int(letter.header(HOME_PARTITION))
            offset = cluster.send(home, partition, letter.key, value, replayed_headers(letter, arguments.seconds))
        except (KafkaException, ValueError) as error:
            cluster.note(letter, FAILED)
            fail(f"{letter.id} could not be replayed: {error}")
        cluster.note(letter, REPLAYED)
        print(f"{letter.id}: replayed as {home}[{partition}]@{offset}")


def drop(cluster, arguments):
    for identity in arguments.ids:
        letter = cluster.find(identity)
        cluster.claim(letter, DROPPED)
        print(f"{letter.id}: dropped")


def seconds(text):
    value = float(text)
    if not 0 < value <= DEADLINE_SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"above 0, at most {DEADLINE_SECONDS_MAX}")
    return value


def main():
    parser = argparse.ArgumentParser(prog="./quire dead-letters", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list")
    listing.add_argument("topics", nargs="*", metavar="TOPIC")
    listing.add_argument("--all", action="store_true")
    listing.set_defaults(run=show_list)
    showing = commands.add_parser("show")
    showing.add_argument("id", metavar="ID")
    showing.add_argument("--raw", action="store_true")
    showing.set_defaults(run=show_one)
    replaying = commands.add_parser("replay")
    replaying.add_argument("ids", nargs="+", metavar="ID")
    replaying.add_argument("--seconds", type=seconds, default=DEADLINE_SECONDS_MAX)
    replaying.add_argument("--again", action="store_true", help="also when an earlier replay was cut off")
    replaying.set_defaults(run=replay)
    dropping = commands.add_parser("drop")
    dropping.add_argument("ids", nargs="+", metavar="ID")
    dropping.set_defaults(run=drop)
    arguments = parser.parse_args()
    cluster = Cluster(kafka_properties())
    try:
        arguments.run(cluster, arguments)
    except KafkaException as error:
        fail(f"Kafka: {error}")
    finally:
        cluster.consumer.close()


if __name__ == "__main__":
    main()
