"""Asks each partition of a lane all the time, past the gateway: the slowest answer tells how long one of them had no consumer."""

import threading
import time

from servers.waiting import wait_until
from topics import Caller

_PARTITIONS = 12
_EACH_S = 0.05
_DEADLINE_S = 30  # none is dropped for being late
_CALLS = {"read": ("quire.documents.read", "quire.Documents/Get", "GetDocumentRequest"),
          "write": ("quire.documents.write", "quire.Documents/Delete", "DeleteDocumentRequest")}
LANES = tuple(_CALLS)
_CONTROL = ("quire.session", "quire.Session/Me", "MeRequest")  # of another service, whose group doesn't change meanwhile


class Ticker:
    """Asks something that is refused at once: there is no session. With `control` it asks another service as well: what that takes is the
    machine's own delay."""

    def __init__(self, brokers, contract, lane, control=False):
        topic, method, message = _CALLS[lane]
        value = contract.message(message)(id=bytes(16)).SerializeToString()
        self._questions = [(topic, method, value, partition) for partition in range(_PARTITIONS)]
        if control:
            topic, method, message = _CONTROL
            self._questions.append((topic, method, contract.message(message)().SerializeToString(), _PARTITIONS))
        self.caller = Caller(brokers, contract)
        self._sent, self._answers = {}, []  # correlation -> (partition, when); (partition, sent, seconds)
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._take)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self.caller.close()

    def _send(self):
        while not self._ending.wait(_EACH_S):
            for topic, method, value, number in self._questions:
                correlation = self.caller.correlation()
                self._sent[correlation] = (number, time.monotonic())
                self.caller.producer.produce(topic, value, partition=number % _PARTITIONS,
                                             headers=list(self.caller.headers(method, correlation, seconds=_DEADLINE_S).items()))
            self.caller.producer.poll(0)

    def _take(self):
        while not self._ending.is_set() or self._sent:
            for message in self.caller.consumer.consume(500, timeout=0.02):
                sent = self._sent.pop(dict(message.headers() or []).get("kafka_correlationId"), None)
                if sent is not None:
                    self._answers.append((*sent, time.monotonic() - sent[1]))
            if self._ending.is_set() and all(time.monotonic() - at > _DEADLINE_S for _, at in list(self._sent.values())):
                return

    def wait_answered(self):
        """Waits until all that was sent is answered, and a round more; returns when it began to wait."""
        began = time.monotonic()
        wait_until(lambda: all(at > began + 2 * _EACH_S for _, at in list(self._sent.values())) and time.monotonic() > began + 4 * _EACH_S, _DEADLINE_S,
                   "every partition answers")
        return began

    def slowest(self, since):
        """Each partition's longest wait, the longest first, of what was sent since."""
        return sorted(self._waits(since)[:_PARTITIONS], reverse=True)

    def own_delay(self, since):
        """The control's longest wait."""
        return self._waits(since)[_PARTITIONS]

    def _waits(self, since):
        waits = [0.0] * (_PARTITIONS + 1)
        for number, at, seconds in list(self._answers):
            if at >= since:
                waits[number] = max(waits[number], seconds)
        return waits
