"""Requests and replies as docs/WIRE.md has them: the headers of a message as values, and an answer on its way back."""

import time
from dataclasses import dataclass

from quire.wire_pb2 import Problem

DEADLINE_MS_MAX = 30_000  # the farthest that a caller may ask for,
SKEW_MS_MAX = 1_000       # and how far its clock may be ahead


class Unreadable(Exception):
    """A message that can't be handled; its text is the dead letter's reason."""


@dataclass(frozen=True)
class Request:
    correlation: bytes
    method: str
    deadline: float  # time.monotonic()
    deadline_ms: int
    request_id: str
    traceparent: bytes | None
    session: bytes | None
    reply_topic: str | None  # None: nobody waits
    reply_partition: int

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()


def read_request(message) -> Request:
    """Of a confluent_kafka message."""
    headers = dict(message.headers() or [])
    needed = [headers.get(name) for name in ("kafka_correlationId", "quire-method", "quire-deadline")]
    if None in needed or len(needed[2]) != 8:
        raise Unreadable("bad-headers")
    now_ms = int(time.time() * 1000)
    deadline_ms = min(int.from_bytes(needed[2]), now_ms + DEADLINE_MS_MAX + SKEW_MS_MAX)
    partition = headers.get("kafka_replyPartition", b"")
    session = headers.get("quire-session")
    if len(partition) not in (0, 4) or (session is not None and len(session) != 34):
        raise Unreadable("bad-headers")
    return Request(
        correlation=needed[0], method=needed[1].decode(errors="replace"),
        deadline=time.monotonic() + (deadline_ms - now_ms) / 1000, deadline_ms=deadline_ms,
        request_id=headers.get("x-request-id", b"").decode(errors="replace"), traceparent=headers.get("traceparent"), session=session,
        reply_topic=headers["kafka_replyTopic"].decode(errors="replace") if headers.get("kafka_replyTopic") else None,
        reply_partition=int.from_bytes(partition) if partition else -1)


@dataclass(frozen=True)
class Answer:
    status: int
    value: bytes


def refusal(status: int, detail: str | None = None, retry_after_s: int | None = None) -> Answer:
    problem = Problem(status=status)
    if detail is not None:
        problem.detail = detail
    if retry_after_s is not None:
        problem.retry_after_s = retry_after_s
    return Answer(status, problem.SerializeToString())


def send_answer(producer, request: Request, answer: Answer) -> None:
    """Into the producer's queue. An answer is small: no need of the bulk reply topic."""
    if request.reply_topic is None:
        return
    headers = {"kafka_correlationId": request.correlation, "x-request-id": request.request_id.encode(), "traceparent": request.traceparent,
               "quire-status": b"%d" % answer.status}
    producer.produce(request.reply_topic, answer.value, partition=request.reply_partition,
                     headers=[(name, value) for name, value in headers.items() if value is not None])


def dead_letter(producer, message, reason: str) -> bool:
    """The message as it came, on <topic>-dlt, with why and where it stood. True when Kafka has it."""
    taken = []
    where = {"quire-dlt-reason": reason, "quire-dlt-topic": message.topic(), "quire-dlt-partition": str(message.partition()),
             "quire-dlt-offset": str(message.offset())}
    headers = [(name, value) for name, value in message.headers() or [] if name not in where] + [(name, text.encode()) for name, text in where.items()]
    producer.produce(f"{message.topic()}-dlt", message.value(), message.key(), headers=headers, on_delivery=lambda error, _: taken.append(error is None))
    producer.flush(5)
    return taken == [True]
