"""A topic consumer in Python: GET /tags. Two threads, one for the requests of its own topic, one for the documents' events."""

import os
import signal
import sys
import threading
import time

import admin
import settings
from calls import Calls
from confluent_kafka import Producer
from events import Events
from log import Log
from metrics import Metrics

LEAVE_WAIT_S, FLUSH_WAIT_S = 5, 5


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

    threads = [threading.Thread(target=run, args=[part], name=type(part).__name__, daemon=True) for part in parts]
    for thread in threads:
        thread.start()
    admin.start(values.admin_address, values.admin_port, lambda: not stopping.is_set() and all(part.lane.settled for part in parts), metrics)
    log.write("info", "service.started", workers=len(threads))
    stopping.wait()
    log.write("info", "service.stopping")
    until = time.monotonic() + LEAVE_WAIT_S
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    producer.flush(FLUSH_WAIT_S)  # the last answers
    status = 1 if failed.is_set() else 0
    log.write("info", "service.stopped", clean=status == 0)
    if any(thread.is_alive() for thread in threads):  # Consumer.close() waits for the group's coordinator without a bound
        sys.stdout.flush()
        os._exit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
