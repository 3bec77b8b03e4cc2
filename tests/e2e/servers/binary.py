"""What a program of ours has as a server: the built binary, settings by environment, an admin port."""

import http.client
import os

from .metrics import Metrics
from .ports import free_port
from .server import Server

BUILD = os.environ.get("QUIRE_BUILD", "/build/dev")
SANITIZED = os.path.basename(BUILD) in ("asan", "tsan")  # several times slower, with allocators of their own
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
_TSAN_SUPPRESSIONS = os.path.join(SOURCE, "tests/tsan/suppressions")


class Binary(Server):
    """`room` is the folder under services/ that the program is built from."""

    def __init__(self, name, folder, room, settings):
        super().__init__(name, folder)
        self.path = os.path.join(BUILD, "services", room, f"quire-{room}")
        self.settings = dict(settings)
        self.overrides = {}  # a test's own settings until heal(); None: it isn't set
        self._running_overrides = {}
        self.admin_port = free_port()

    def command(self):
        return [self.path]

    def environment(self):
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
        environment.setdefault("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=77"))
        environment.setdefault("UBSAN_OPTIONS", os.environ.get("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1"))
        environment.setdefault("TSAN_OPTIONS", os.environ.get("TSAN_OPTIONS", f"suppressions={_TSAN_SUPPRESSIONS}:exitcode=77"))
        environment.update({"QUIRE_ADMIN_ADDRESS": "127.0.0.1", "QUIRE_ADMIN_PORT": str(self.admin_port)})
        environment.update(self.settings)
        environment.update(self.overrides)
        return {name: str(value) for name, value in environment.items() if value is not None}

    def prepare(self):
        self._running_overrides = dict(self.overrides)

    @property
    def overridden(self):
        """Runs, or is to run, with settings of a test's own."""
        return bool(self.overrides or self._running_overrides)

    def heal(self, wait=True):
        self.overrides = {}
        if self._running_overrides and self.alive:
            self.stop()
        return super().heal(wait)

    def stop(self, seconds=15):
        status = super().stop(seconds)
        assert status in (None, 0), f"{self.name} was asked to end and did so with status {status}:\n{self.log_tail()}"
        return status

    def admin(self, path):
        """(status, body) of a GET on the admin port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def ready(self):
        return self.admin("/readyz")[0] == 200

    def metrics(self):
        status, body = self.admin("/metrics")
        assert status == 200
        return Metrics(body.decode())
