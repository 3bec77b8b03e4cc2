"""A consumer group's share of one topic: messages in, offsets back."""

from confluent_kafka import Consumer

BATCH_MAX = 64
WAIT_S = 0.1  # for a message; also how soon a stop is noticed


class Lane:
    """One thread, but for `settled`."""

    def __init__(self, kafka: dict[str, str], topic: str, group: str, metrics) -> None:
        self.topic, self.settled = topic, False
        self._metrics = metrics
        self._consumer = Consumer({
            **kafka, "client.id": "tags", "group.id": group, "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": 2500, "heartbeat.interval.ms": 500, "max.poll.interval.ms": 60_000, "auto.offset.reset": "earliest",
            "enable.auto.offset.store": False, "auto.commit.interval.ms": 100, "fetch.wait.max.ms": 100, "topic.metadata.refresh.interval.ms": 1000,
            "log_level": 2})
        self._consumer.subscribe([topic], on_assign=lambda *_: self._settle(True), on_lost=lambda *_: self._settle(False))

    def _settle(self, settled: bool) -> None:
        self.settled = settled

    def take(self) -> list:
        """What is there, after waiting at most WAIT_S for the first one."""
        first = self._consumer.poll(WAIT_S)
        messages = [first] if first is not None else []
        if first is not None:
            messages += self._consumer.consume(BATCH_MAX - 1, timeout=0)
        return [message for message in messages if message.error() is None]  # librdkafka mends what can be mended

    def done(self, messages: list) -> None:
        """Their effects are durable and their answers produced: they don't come again."""
        for message in messages:
            self._consumer.store_offsets(message)
        for place in self._consumer.position(self._consumer.assignment()):
            _, end = self._consumer.get_watermark_offsets(place, cached=True)
            if place.offset >= 0 and end >= 0:
                self._metrics.set("quire_consumer_lag", max(0, end - place.offset), topic=self.topic, partition=place.partition)

    def close(self) -> None:
        """Commits, and leaves the group."""
        self._consumer.close()
