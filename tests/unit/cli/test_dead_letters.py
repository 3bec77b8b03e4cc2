"""How ./quire dead-letters reads a topic, whose messages may be more than its memory."""

import pathlib
import tracemalloc

import pytest
from confluent_kafka import TopicPartition

MIB = 1024 * 1024
TOPIC = "quire.documents.write-dlt"


class Message:
    def __init__(self, offset, value, headers=()):
        self._offset, self._value, self._headers = offset, value, list(headers)

    def offset(self):
        return self._offset

    def value(self):
        return self._value

    def headers(self):
        return self._headers

    def key(self):
        return b"key"

    def timestamp(self):
        return 1, 1_000

    def error(self):
        return None


class Topic:
    """In place of the consumer: each message is made when its turn comes. What retention took is not among `offsets`."""

    def __init__(self, offsets, message):
        self.offsets, self.message, self.end, self.at = list(offsets), message, max(offsets) + 1, None

    def get_watermark_offsets(self, place, timeout):
        return min(self.offsets), self.end

    def assign(self, places):
        self.at = places[0].offset

    def unassign(self):
        self.at = None

    def position(self, places):
        return [TopicPartition(TOPIC, 0, self.at)]

    def poll(self, timeout):
        offset = next(offset for offset in self.offsets if offset >= self.at)
        self.at = offset + 1
        return self.message(offset)


@pytest.fixture
def dead_letters(monkeypatch):
    monkeypatch.syspath_prepend(str(pathlib.Path(__file__).parents[3] / "compose/kafka"))
    import dead_letters
    return dead_letters


def cluster_of(dead_letters, topic):
    cluster = dead_letters.Cluster({})
    cluster.consumer.close()
    cluster.consumer = topic
    return cluster


def test_values_are_not_held(dead_letters):
    """A dozen large letters would get the container killed, and none could be dealt with."""
    cluster = cluster_of(dead_letters, Topic(range(3, 43), lambda offset: Message(offset, bytes(4 * MIB + offset))))
    tracemalloc.start()
    letters = cluster.letters(TOPIC)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {offset: letter.size for offset, letter in letters.items()} == {offset: 4 * MIB + offset for offset in range(3, 43)}
    assert peak < 3 * 4 * MIB and cluster.consumer.at is None


def test_a_letters_value_is_read_when_it_is_wanted(dead_letters):
    noted = {5: [("quire-dlt-note-of", b"4"), ("quire-dlt-note", b"dropped")]}
    topic = Topic([3, 4, 5, 6], lambda offset: Message(offset, None if offset in (5, 6) else b"value %d" % offset, noted.get(offset, ())))
    cluster = cluster_of(dead_letters, topic)
    letters = cluster.letters(TOPIC)
    assert {offset: letter.state for offset, letter in letters.items()} == {3: "waiting", 4: "dropped", 6: "waiting"}
    assert [cluster.value(letters[offset]) for offset in (4, 3, 6)] == [b"value 4", b"value 3", b""] and topic.at is None


def test_a_letter_that_kafka_took_away_meanwhile_is_told(dead_letters):
    topic = Topic([3, 4], lambda offset: Message(offset, b"value"))
    cluster = cluster_of(dead_letters, topic)
    letter = cluster.letters(TOPIC)[3]
    topic.offsets.remove(3)
    with pytest.raises(SystemExit, match="quire.documents.write@3 is gone"):
        cluster.value(letter)
