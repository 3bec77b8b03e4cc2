"""The topics, read and written by hand, past the gateway."""

import base64
import glob
import hashlib
import os
import subprocess
import tempfile
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from servers.binary import SOURCE
from servers.waiting import PATIENCE

REPLIES, BULK_REPLIES = "quire.replies", "quire.replies.bulk"
MESSAGE_BYTES_MAX = 20 * 1024 * 1024


class Contract:
    """The messages of proto/, as Python classes."""

    def __init__(self):
        proto = os.path.join(SOURCE, "proto")
        includes = [path for path in ("/usr/lib/python3/dist-packages", "/usr/include") if os.path.isdir(path)]
        with tempfile.NamedTemporaryFile() as file:
            subprocess.run(["protoc", f"-I{proto}", *(f"-I{path}" for path in includes), "--include_imports",
                            f"--descriptor_set_out={file.name}", *sorted(glob.glob(f"{proto}/quire/*.proto"))], check=True)
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
        self.pool = descriptor_pool.DescriptorPool()
        for one in files.file:
            self.pool.Add(one) if hasattr(self.pool, "Add") else self.pool.AddSerializedFile(one.SerializeToString())

    def message(self, name):
        """The class of "Document" or "quire.Document"."""
        descriptor = self.pool.FindMessageTypeByName(name if "." in name else f"quire.{name}")
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        return message_factory.MessageFactory(self.pool).GetPrototype(descriptor)


def session_key(token):
    """What of a token may travel: the account's tag and the token's SHA-256."""
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[:2] + hashlib.sha256(token.encode()).digest()


def deadline_in(seconds):
    return int((time.time() + seconds) * 1000).to_bytes(8)


class Reply:
    def __init__(self, message):
        self.headers = dict(message.headers() or [])
        self.value = message.value() or b""
        self.topic = message.topic()
        status = self.headers.get("quire-status")
        # Others write to the same partitions, garbage among it (test_injection).
        self.status = int(status) if status is not None and status.isdigit() else None


class Caller:
    """Sends requests to topics and waits for their replies, as a gateway does."""

    def __init__(self, brokers, contract):
        self.contract = contract
        self.producer = Producer({"bootstrap.servers": brokers, "log_level": 2, "message.max.bytes": MESSAGE_BYTES_MAX, "linger.ms": 0})
        self.consumer = Consumer({"bootstrap.servers": brokers, "log_level": 2, "group.id": "none", "enable.auto.commit": False,
                                  "fetch.message.max.bytes": MESSAGE_BYTES_MAX, "fetch.wait.max.ms": 20})
        self.instance = os.urandom(16)
        self.partition = os.urandom(1)[0] % 64
        self.count = 0
        self._kept = []
        places = []
        for topic in (REPLIES, BULK_REPLIES):
            place = TopicPartition(topic, self.partition)
            place.offset = self.consumer.get_watermark_offsets(place, timeout=10)[1]
            places.append(place)
        self.consumer.assign(places)

    def close(self):
        self.consumer.close()

    def correlation(self):
        self.count += 1
        return self.instance + bytes(4) + bytes(4) + self.count.to_bytes(4)

    def headers(self, method, correlation, token=None, seconds=5, request_id=None, **more):
        headers = {
            "kafka_correlationId": correlation, "kafka_replyTopic": REPLIES.encode(), "kafka_replyPartition": self.partition.to_bytes(4),
            "quire-bulk-reply-topic": BULK_REPLIES.encode(), "x-request-id": (request_id or f"test-{correlation.hex()}").encode(),
            "quire-method": method.encode(), "quire-deadline": deadline_in(seconds), "quire-client": b"192.0.2.1",
        }
        if token is not None:
            headers["quire-session"] = session_key(token)
        headers.update({name.replace("_", "-"): value for name, value in more.items()})
        return {name: value for name, value in headers.items() if value is not None}

    def send(self, topic, value, headers, partition=None, key=None):
        """Puts one message on a topic and waits until the broker has it; returns (partition, offset)."""
        placed = []

        def delivered(error, message):
            assert error is None, error
            placed.append((message.partition(), message.offset()))

        payload = value if isinstance(value, bytes) else value.SerializeToString()
        self.producer.produce(topic, payload, key, headers=list(headers.items()), on_delivery=delivered,
                              **({} if partition is None else {"partition": partition}))
        assert self.producer.flush(10 * PATIENCE) == 0
        return placed[0]

    def reply(self, correlation, seconds=10):
        """The reply with that correlation id, or None when none comes."""
        deadline = time.monotonic() + seconds * PATIENCE
        while True:
            for kept in self._kept:
                if kept.headers.get("kafka_correlationId") == correlation:
                    self._kept.remove(kept)
                    return kept
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            message = self.consumer.poll(min(left, 0.2))
            if message is not None and message.error() is None:
                self._kept.append(Reply(message))

    def call(self, topic, method, value, **more):
        """Sends a request and returns its reply; fails when none comes."""
        correlation = self.correlation()
        self.send(topic, value, self.headers(method, correlation, **more))
        reply = self.reply(correlation)
        assert reply is not None, f"{method} on {topic} got no reply"
        return reply


def read_all(brokers, topics, seconds=30):
    """Every message that the topics hold now, from the beginning, as confluent_kafka gives it."""
    consumer = Consumer({"bootstrap.servers": brokers, "log_level": 2, "group.id": "none", "enable.auto.commit": False, "enable.partition.eof": False,
                         "fetch.message.max.bytes": MESSAGE_BYTES_MAX, "auto.offset.reset": "earliest"})
    try:
        cluster = consumer.list_topics(timeout=10).topics
        ends = {}
        for topic in topics:
            for partition in cluster[topic].partitions:
                first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
                if end > first:
                    ends[(topic, partition)] = (first, end)
        consumer.assign([TopicPartition(topic, partition, first) for (topic, partition), (first, _) in ends.items()])
        open_ends = {place: end for place, (_, end) in ends.items()}
        messages = []
        deadline = time.monotonic() + seconds * PATIENCE
        while open_ends:
            assert time.monotonic() < deadline, f"could not read to the end of {sorted(open_ends)}"
            for message in consumer.consume(500, timeout=0.2):
                assert message.error() is None, message.error()
                messages.append(message)
            positions = consumer.position([TopicPartition(topic, partition) for topic, partition in open_ends])
            for place in positions:
                if place.offset >= open_ends[(place.topic, place.partition)]:
                    del open_ends[(place.topic, place.partition)]
        return messages
    finally:
        consumer.close()


def committed(brokers, group, topic):
    """Committed offset of each partition of a topic; partitions without one are left out."""
    consumer = Consumer({"bootstrap.servers": brokers, "log_level": 2, "group.id": group, "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        places = consumer.committed([TopicPartition(topic, partition) for partition in partitions], timeout=10)
        return {place.partition: place.offset for place in places if place.offset >= 0}
    finally:
        consumer.close()


def end_offsets(brokers, topic):
    consumer = Consumer({"bootstrap.servers": brokers, "log_level": 2, "group.id": "none"})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return {partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1] for partition in partitions}
    finally:
        consumer.close()
