"""What the clients write down: a line for each request before it is sent, and one for what came back. Times are CLOCK_MONOTONIC in
seconds, the same in all processes of a machine."""

import json
import os
import threading
import time
from dataclasses import asdict, dataclass, field


@dataclass
class Request:
    """One request. `write` names the change that it asks for: repetitions with the same key share it, so it has one effect or none."""

    id: str  # its X-Request-ID
    client: int
    kind: str  # me, get, list, query, create, update, delete, register, login, logout, probe
    account: str  # the e-mail
    deadline_s: float
    sent_at: float
    write: str | None = None
    key: str | None = None
    document: str | None = None
    # What came back.
    ended_at: float | None = None
    status: int | None = None  # None: no HTTP answer
    error: str | None = None  # why there is none
    answer: dict = field(default_factory=dict)  # of a write: id, version, fingerprint
    wrong: str | None = None  # what was wrong about the answer

    @property
    def seconds(self):
        return (self.ended_at if self.ended_at is not None else time.monotonic()) - self.sent_at

    def under_way(self, moment):
        return self.sent_at < moment and (self.ended_at is None or self.ended_at > moment)

    @property
    def succeeded(self):
        """Answered as it was meant to be, refusals that the caller has coming included."""
        return self.status is not None and self.status < 500 and self.status != 429

    @property
    def acknowledged(self):
        return self.write is not None and self.status in (200, 201, 204)


class Journal:
    """The writing side; any thread. A line is in the file when the function returns, whatever happens to this process."""

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._lock = threading.Lock()

    def sent(self, request):
        self._put("sent", asdict(request))

    def ended(self, request):
        self._put("ended", asdict(request))

    def delay(self, at, seconds):
        """The client itself stood still: a control request to a server that does nothing took so long."""
        self._put("delay", {"at": at, "seconds": seconds})

    def _put(self, what, values):
        line = (json.dumps([what, values], separators=(",", ":")) + "\n").encode()
        with self._lock:
            os.write(self._file, line)


class Reader:
    """The reading side: `poll()` takes in what has been written since."""

    def __init__(self, path):
        self._path = path
        self._place = 0
        self.requests = {}  # id -> Request, in the order of sending
        self.delays = []  # (at, seconds)

    def poll(self):
        if not os.path.exists(self._path):
            return self
        with open(self._path, "rb") as file:
            file.seek(self._place)
            written = file.read()
        whole = written[:written.rfind(b"\n") + 1]
        self._place += len(whole)
        for line in whole.splitlines():
            what, values = json.loads(line)
            if what == "delay":
                self.delays.append((values["at"], values["seconds"]))
            else:
                self.requests[values["id"]] = Request(**values)
        return self

    def between(self, begin, end=float("inf")):
        """Requests sent in that time."""
        return [request for request in self.requests.values() if begin <= request.sent_at < end]

    def concerning(self, moment, begin, end):
        """Requests sent from `begin` to `end`, a time that has the moment in it, or before and still under way at that moment."""
        return [request for request in self.requests.values() if begin <= request.sent_at < end or request.under_way(moment)]

    def own_delay(self, begin, end):
        """The longest that the clients themselves stood still within that time."""
        return max((seconds for at, seconds in self.delays if at + seconds >= begin and at <= end), default=0.0)
