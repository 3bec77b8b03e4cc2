"""The lane example.tags: requests in, answers out."""

import time

import sessions
import store
from google.protobuf.message import DecodeError
from lane import Lane
from log import call_name, sampled
from quire.wire_pb2 import HealthReply
from tags_pb2 import ListRequest, TagList
from wire import Answer, Unreadable, dead_letter, read_request, refusal, send_answer

TOPIC = "example.tags"
LIST, HEALTH = "tags.Tags/List", "quire.Health/Check"
HEALTH_S = 0.5
AWAY = refusal(503, "A part that this needs is away; try again in a moment.", retry_after_s=1)


class Calls:
    """`run` is a thread's whole life."""

    def __init__(self, settings, log, metrics, producer) -> None:
        self._log, self._metrics, self._producer = log, metrics, producer
        self._sample = settings.log_request_sample
        self._sessions = sessions.Sessions(settings, log)
        self._store = store.Store(settings, log, "calls")
        self.lane = Lane(settings.kafka, TOPIC, "quire.tags.tags", metrics)

    def run(self, stopping) -> None:
        while not stopping.is_set():
            messages = self.lane.take()
            for message in messages:
                self._handle(message, len(messages))
            self._producer.poll(0)
            if messages:
                self.lane.done(messages)
        self.lane.close()
        self._store.close()

    def _handle(self, message, batch: int) -> None:
        began, now_ms = time.monotonic(), time.time() * 1000
        try:
            request = read_request(message)
        except Unreadable as error:
            self._put_aside(message, str(error))
            return
        times = {"topic_wait_ms": round(now_ms - message.timestamp()[1], 3), "check_ms": 0.0, "sql_ms": 0.0}
        if request.seconds_left <= 0:  # its caller has had a 504
            self._metrics.add("quire_expired_total", topic=TOPIC)
            self._tell("request.deadline_exceeded", request, message, 504, batch, times, began)
            return
        answer = self._answer(request, message, times)
        send_answer(self._producer, request, answer)
        if request.method != HEALTH:
            self._metrics.add("quire_replies_total", method=request.method, status=answer.status)
            self._tell("request.handled", request, message, answer.status, batch, times, began)

    def _answer(self, request, message, times) -> Answer:
        if request.method == HEALTH:
            return self._health()
        if request.method != LIST:
            self._put_aside(message, "unknown-method")
            return refusal(404, "No such method is served here.")
        try:
            asked = ListRequest.FromString(message.value() or b"")
        except DecodeError:
            self._put_aside(message, "bad-payload")
            return refusal(400, "The message's value can't be read.")
        if not 1 <= asked.limit <= 100:  # the gateway has looked at it; another producer may not have
            return refusal(422, "limit is 1 to 100.")
        return self._list(request, asked, times)

    def _list(self, request, asked, times) -> Answer:
        began = time.monotonic()
        try:
            verdict = self._sessions.check(request)
        except sessions.Away:
            return AWAY
        times["check_ms"] = _ms_since(began)
        if verdict.status:
            return refusal(verdict.status, retry_after_s=verdict.retry_after_s)
        began = time.monotonic()
        try:
            found = self._store.tags(verdict.account, asked.limit, max(0.001, request.seconds_left))
        except store.Away:
            return AWAY
        finally:
            times["sql_ms"] = _ms_since(began)
            self._sessions.release(request, verdict.account)
        reply = TagList()
        for tag, documents in found:
            reply.items.add(tag=tag, documents=documents)
        return Answer(200, reply.SerializeToString())

    def _health(self) -> Answer:
        reply = HealthReply()
        parts = {"postgres_primary": self._store.milliseconds(HEALTH_S), "redis": self._sessions.milliseconds()}
        reply.checks.add(name="tags", status="degraded" if None in parts.values() else "healthy", latency_ms=0)
        for name, latency_ms in parts.items():
            if latency_ms is None:
                reply.checks.add(name=name, status="unhealthy")
            else:
                reply.checks.add(name=name, status="healthy", latency_ms=latency_ms)
        return Answer(200, reply.SerializeToString())

    def _put_aside(self, message, reason: str) -> None:
        dead_letter(self._producer, message, reason)
        self._metrics.add("quire_dead_letters_total", topic=TOPIC, reason=reason)
        self._log.write("error", "request.dead_letter", reason=reason, topic=TOPIC, partition=message.partition(), offset=message.offset())

    def _tell(self, event, request, message, status, batch, times, began) -> None:
        if status < 400 and not sampled(self._sample, request.request_id):
            return
        server = {"server": "primary", "statements": 1, "own_sql_us": round(times["sql_ms"] * 1000)} if times["sql_ms"] else {}
        self._log.write("info", event, request_id=request.request_id, call=call_name(request.correlation), method=request.method, status=status,
                        topic=TOPIC, partition=message.partition(), offset=message.offset(), batch=batch, attempt=1, topic_wait_ms=times["topic_wait_ms"],
                        check_us=round(times["check_ms"] * 1000), sql_us=round(times["sql_ms"] * 1000), total_us=round(_ms_since(began) * 1000), **server)


def _ms_since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)
