"""A topic consumer in Python: GET /tags. Two threads, one for the requests of its own topic, one for the documents' events."""

import signal
import sys
import threading

import admin
import settings
from calls import Calls
from confluent_kafka import Producer
from events import Events
from log import Log
from metrics import Metrics


def main() -> int:
    values = settings.load()
    log, metrics = Log("tags", values.instance, values.log_level), Metrics()
    stopping, failed = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    producer = Producer({**values.kafka, "client.id": "tags", "enable.idempotence": True, "linger.ms": 0, "message.timeout.ms": 5000,
                         "queue.buffering.max.messages": 10_000, "log_level": 2})
    parts = [Calls(values, log, metrics, producer), Events(values, log, metrics, producer)]

    def run(part) -> None:
        try:
            part.run(stopping)
        except Exception as error:  # a bug: end, say so, and be started anew
            log.write("error", "worker.failed", work=type(part).__name__, error=repr(error)[:500])
            failed.set()
            stopping.set()

    threads = [threading.Thread(target=run, args=[part], name=type(part).__name__) for part in parts]
    for thread in threads:
        thread.start()
    admin.start(values.admin_address, values.admin_port, lambda: not stopping.is_set() and all(part.lane.settled for part in parts), metrics)
    log.write("info", "service.started", workers=len(threads))
    stopping.wait()
    log.write("info", "service.stopping")
    for thread in threads:
        thread.join()
    producer.flush(5)  # the last answers
    log.write("info", "service.stopped", clean=not failed.is_set())
    return 1 if failed.is_set() else 0


if __name__ == "__main__":
    sys.exit(main())
