"""HAProxy with the configuration that compose/ deploys, but for the addresses."""

import http.client
import os
import re

from .ports import free_port
from .server import Server

_FOLDER = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../compose/proxy"))
_CONFIG = os.path.join(_FOLDER, "haproxy.cfg")


class Proxy(Server):
    def __init__(self, folder, gateways, address, settings=None):
        """`gateways`: what stands behind it, each with a `port` on loopback. It connects to them from `address`, which they have to trust."""
        super().__init__("proxy", folder)
        self.port = free_port()
        self.admin_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings or {}
        self._gateways = gateways
        self._address = address
        self._config = os.path.join(folder, "haproxy.cfg")

    def prepare(self):
        with open(_CONFIG) as deployed, open(self._config, "w") as file:
            file.write(self._on_loopback(deployed.read()))

    def _on_loopback(self, text):
        """Ports of ours, and the gateways by address: there is no DNS that would tell them."""
        servers = "".join(f"    server gateway-{number} 127.0.0.1:{gateway.port} source {self._address}\n"
                          for number, gateway in enumerate(self._gateways, 1))
        for pattern, instead in ((r"bind :8080", f"bind 127.0.0.1:{self.port}"), (r"bind :9100", f"bind 127.0.0.1:{self.admin_port}"),
                                 (r"resolvers docker\n(?: .*\n)+", ""), (r" init-addr none resolvers docker resolve-prefer ipv4", ""),
                                 (r"    server-template .*\n", servers)):
            text, count = re.subn(pattern, instead, text)
            assert count == 1, f"{_CONFIG} has {count} times {pattern!r}"
        return text

    def environment(self):
        return {**super().environment(), "QUIRE_PROXY_FOLDER": _FOLDER, "QUIRE_PROXY_SOCKETS": f"abns@quire-proxy-{self.port}", **self.settings}

    def command(self):
        return ["haproxy", "-W", "-db", "-f", self._config]

    def ready(self):
        """As soon as a gateway can be reached through it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        finally:
            connection.close()
