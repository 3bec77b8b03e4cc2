"""quire.documents.events: what happened to documents becomes rows of the service's own table."""

import time
from uuid import UUID

import store
from google.protobuf.message import DecodeError
from lane import Lane
from log import sampled
from quire.events_pb2 import DocumentEvent
from wire import dead_letter

TOPIC = "quire.documents.events"
WRITE_S = 10
RETRY_S = 0.5


class Events:
    """`run` is a thread's whole life."""

    def __init__(self, settings, log, metrics, producer) -> None:
        self._log, self._metrics, self._producer = log, metrics, producer
        self._sample = settings.log_request_sample
        self._store = store.Store(settings, log, "events")
        self.lane = Lane(settings.kafka, TOPIC, f"quire.tags.{TOPIC}", metrics)

    def run(self, stopping) -> None:
        while not stopping.is_set():
            messages = self.lane.take()
            if messages and self._handle(messages, stopping):
                self.lane.done(messages)
        self.lane.close()
        self._store.close()

    def _handle(self, messages, stopping) -> bool:
        """Tried until the database is there. False when the process ends first: then they come again."""
        began = time.monotonic()
        events = [(message, event) for message in messages if (event := self._read(message)) is not None]
        kept, gone = changes_of([event for _, event in events])
        while True:
            try:
                self._store.apply(kept, gone, WRITE_S)
                break
            except store.Away:
                if stopping.wait(RETRY_S):
                    return False
        self._metrics.add("quire_events_total", len(messages), topic=TOPIC)
        for message, event in events:
            if sampled(self._sample, event.request_id):
                self._log.write("info", "event.handled", request_id=event.request_id, topic=TOPIC, partition=message.partition(), offset=message.offset(),
                                topic_wait_ms=round(time.time() * 1000 - message.timestamp()[1], 3), total_ms=round((time.monotonic() - began) * 1000, 3))
        return True

    def _read(self, message) -> DocumentEvent | None:
        try:
            event = DocumentEvent.FromString(message.value() or b"")
            if len(event.document_id) == len(event.account_id) == 16:
                return event
        except DecodeError:
            pass
        dead_letter(self._producer, message, "bad-payload")
        self._metrics.add("quire_dead_letters_total", topic=TOPIC, reason="bad-payload")
        self._log.write("error", "event.dead_letter", reason="bad-payload", topic=TOPIC, partition=message.partition(), offset=message.offset())
        return None


def changes_of(events) -> tuple[list[tuple], list[UUID]]:
    """What a batch comes to, as (rows to keep, documents to forget): the last event of a document counts, as they come in order. One without a state
    was overtaken: a newer one follows."""
    last = {}
    for event in events:
        if event.kind == DocumentEvent.DELETED or event.HasField("state"):
            last[event.document_id] = event
    kept, gone = [], []
    for document, event in last.items():
        if event.kind == DocumentEvent.DELETED:
            gone.append(UUID(bytes=document))
        else:
            kept.append((UUID(bytes=document), UUID(bytes=event.account_id), event.version, list(dict.fromkeys(event.state.tags))))
    return kept, gone
