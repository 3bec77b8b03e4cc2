"""The stack as it is deployed, in one container: the proxy in front, the hops that a fault worsens led through the relay, the primary on
a disk of bounded size, and somebody who starts again what died."""

import contextlib
import os
import shutil
import tempfile
import threading
import time

from network import Network
from servers.kafka import Kafka
from servers.ports import free_port
from servers.proxy import Proxy
from servers.service import Service
from servers.stack import Stack

_PROXY_ADDRESS = "127.9.0.1"
_SMALL_DISK = "/dev/shm"  # a tmpfs with a size of its own in every container
_RESTART_LOOK_S = 0.05
_SPACE_LEFT_BYTES = 64 * 1024


class _TwoDoorsKafka(Kafka):
    """Kafka with a listener of its own for the gateways, advertised at the relay's port."""

    def __init__(self, folder, network):
        self.gateways_port = free_port()
        self.relayed_port = network.route(self.gateways_port)
        super().__init__(folder)

    def _settings(self):
        settings = super()._settings()
        settings["listeners"] += f",GATEWAYS://127.0.0.1:{self.gateways_port}"
        settings["advertised.listeners"] += f",GATEWAYS://127.0.0.1:{self.relayed_port}"
        settings["listener.security.protocol.map"] += ",GATEWAYS:PLAINTEXT"
        return settings


class ChaosStack(Stack):
    """`supervised` servers are started again at once when they die, as compose's restart policy does."""

    def __init__(self, stopped_s, settings=None):
        """`stopped_s`: how long a server that a fault stops stands still."""
        self.stopped_s = stopped_s
        self.network = Network()
        self._disk = tempfile.mkdtemp(prefix="quire-chaos-", dir=_SMALL_DISK)
        os.chmod(self._disk, 0o755)
        super().__init__(None, settings)
        self._own_folder = not os.environ.get("QUIRE_KEEP")
        self.proxy = Proxy(os.path.join(self.folder, "proxy"), self.gateways, _PROXY_ADDRESS)
        self.supervised = [*self.infrastructure, *self.ours, self.proxy]
        self._supervising = threading.Event()
        self._left_alone = set()
        self._supervisor = None

    def _make_infrastructure(self, as_deployed):
        super()._make_infrastructure(as_deployed)
        self.kafka = self.infrastructure[0] = _TwoDoorsKafka(os.path.join(self.folder, "kafka"), self.network)
        self.primary.cluster = os.path.join(self._disk, "primary")
        self.primary_port = self.network.route(self.primary.port)

    def service_settings(self, role):
        settings = super().service_settings(role)
        settings["QUIRE_POSTGRES_PRIMARY"] = self.primary.conninfo(role, port=self.primary_port)
        return settings

    def gateway_settings(self):
        return {**super().gateway_settings(), "QUIRE_KAFKA_BROKERS": f"127.0.0.1:{self.kafka.relayed_port}", "QUIRE_TRUSTED_PROXIES": f"{_PROXY_ADDRESS}/32",
                "QUIRE_HTTP_LISTEN_WHEN_READY": "on", "QUIRE_GATEWAY_DRAIN_MS": "2000"}

    def start(self):
        self.network.start()
        super().start()
        self.proxy.start()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()
        return self

    def stop(self):
        self._supervising.set()
        if self._supervisor is not None:
            self._supervisor.join()
        self.network.stop()
        self.proxy.kill()
        try:
            super().stop()
        finally:
            shutil.rmtree(self._disk, ignore_errors=True)

    # What died is started again.

    def _supervise(self):
        while not self._supervising.wait(_RESTART_LOOK_S):
            for server in self.supervised:
                if server.process is not None and server not in self._left_alone and not server.alive:
                    server.spawn()

    def leave_alone(self, *servers):
        """Whoever is down from here on stays down until take_back()."""
        self._left_alone.update(servers)

    def take_back(self, *servers):
        self._left_alone.difference_update(servers)

    def restart_gracefully(self, server):
        """Asks it to end, waits for that, and starts it again."""
        self.leave_alone(server)
        server.stop(20)
        server.spawn()
        server.wait_ready()
        self.take_back(server)

    def one_more(self, service):
        """A further process of a service, as scaling up makes one; not started."""
        return Service(f"{service.name}-more", os.path.join(self.folder, f"{service.name}-more"), service.room, service.settings)

    # The small disk.

    def fill_disk(self):
        """Leaves the primary next to no room: neither tables nor WAL can grow."""
        with open(os.path.join(self._disk, "ballast"), "wb") as file:
            while (room := self._room() - _SPACE_LEFT_BYTES) > 0:
                with contextlib.suppress(OSError):  # the primary has taken some of it meanwhile
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, room)

    def _room(self):
        space = os.statvfs(self._disk)
        return space.f_bavail * space.f_frsize

    def empty_disk(self):
        path = os.path.join(self._disk, "ballast")
        if os.path.exists(path):
            os.remove(path)


def restarted_since(server, process, seconds):
    """Waits until the server is another process than `process`; raises when nobody starts it."""
    deadline = time.monotonic() + seconds
    while server.process is process or not server.alive:
        assert time.monotonic() < deadline, f"{server.name} was not started again"
        time.sleep(0.01)
