"""A topic consumer as Kafka's guides for Python have it: poll, handle, produce. Answers GET /auth/me or GET /documents/{id} in the place of the C service.

    consumer.py TOPIC GROUP        settings as the services have them (QUIRE_KAFKA_BROKERS, QUIRE_POSTGRES_REPLICAS, QUIRE_REDIS, ...)"""

import json
import os
import signal
import sys
import time
import uuid

import psycopg
import redis
from confluent_kafka import Consumer, Producer
from quire.documents_pb2 import Document, GetDocumentRequest
from quire.session_pb2 import Account
from wire import Answer, Unreadable, read_request, refusal, send_answer

POLL_S = 0.1
DOCUMENT = ("SELECT title, content, tags, metadata::text, language, version, chunk_count, created_at, updated_at FROM documents.documents"
            " WHERE id = %s AND account_id = %s")


def milliseconds(moment) -> int:
    return round(moment.timestamp() * 1000)


class Service:
    def __init__(self) -> None:
        host, _, port = os.environ["QUIRE_REDIS"].rpartition(":")
        self.redis = redis.Redis(host=host, port=int(port), password=secret("QUIRE_REDIS_PASSWORD"))
        replica = os.environ["QUIRE_POSTGRES_REPLICAS"].split(";")[0]
        self.database = psycopg.connect(replica, password=secret("QUIRE_POSTGRES_PASSWORD"), autocommit=True, prepare_threshold=0)
        self.calls = {"quire.Session/Me": self.me, "quire.Documents/Get": self.document}

    def check(self, request) -> list | None:
        """The session check of services/runtime/redis/quire.lua, with the limits off; of /auth/me with the session's note. None: refused."""
        if request.session is None:
            return None
        key = f"quire:{{{request.session[:2].hex()}}}:session:{request.session[2:].hex()}"
        wants_note = int(request.method == "quire.Session/Me")
        found = self.redis.fcall("quire_check", 1, key, request.correlation, request.deadline_ms, 0, 1, 1, 1, wants_note)
        return found if found[0] == 1 else None

    def me(self, _: bytes, account: uuid.UUID, note: bytes) -> Answer:
        noted = Account.FromString(note)
        return Answer(200, noted.SerializeToString()) if noted.id == account.bytes else refusal(503)

    def document(self, value: bytes, account: uuid.UUID) -> Answer:
        identity = GetDocumentRequest.FromString(value).id
        found = self.database.execute(DOCUMENT, (uuid.UUID(bytes=identity), account), binary=True).fetchone()
        if found is None:
            return refusal(404)
        title, content, tags, metadata, language, version, chunk_count, created_at, updated_at = found
        return Answer(200, Document(id=identity, title=title, content=content, tags=tags, metadata=metadata, language=language, version=version,
                                    chunk_count=chunk_count, created_at=milliseconds(created_at), updated_at=milliseconds(updated_at),
                                    etag=f'"{version}"').SerializeToString())

    def answer(self, request, value: bytes) -> Answer:
        call = self.calls.get(request.method)
        if call is None:
            return refusal(404)
        found = self.check(request)
        return refusal(401) if found is None else call(value, uuid.UUID(found[1].decode()), *found[6:])


def secret(name: str) -> str:
    with open(os.environ[f"{name}_FILE"], encoding="utf-8") as file:
        return file.read().strip()


def main() -> None:
    topic, group = sys.argv[1:]
    client = {"bootstrap.servers": os.environ["QUIRE_KAFKA_BROKERS"], "socket.nagle.disable": True}
    consumer = Consumer({**client, "group.id": group, "partition.assignment.strategy": "cooperative-sticky", "auto.offset.reset": "latest",
                         "session.timeout.ms": 6000, "fetch.wait.max.ms": 100, "fetch.queue.backoff.ms": 2})
    producer = Producer({**client, "linger.ms": 0, "enable.idempotence": True, "queue.buffering.max.messages": 1_000_000})
    service = Service()
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    consumer.subscribe([topic])
    while not stopping:
        message = consumer.poll(POLL_S)
        if message is None or message.error():
            continue
        began = time.monotonic()
        try:
            request = read_request(message)
        except Unreadable:
            continue
        answer = service.answer(request, message.value() or b"")
        send_answer(producer, request, answer)
        producer.poll(0)
        print(json.dumps({"event": "request.handled", "request_id": request.request_id, "method": request.method, "status": answer.status,
                          "total_us": round((time.monotonic() - began) * 1e6)}))
    producer.flush(5)
    consumer.close()


if __name__ == "__main__":
    main()
