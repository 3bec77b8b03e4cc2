"""The HTTP gateway."""

import http.client

from .binary import Binary
from .ports import free_port


class Gateway(Binary):
    def __init__(self, name, folder, settings):
        self.port = free_port()
        super().__init__(name, folder, "gateway", {"QUIRE_HTTP_ADDRESS": "127.0.0.1", "QUIRE_HTTP_PORT": str(self.port), **settings})
        self.url = f"http://127.0.0.1:{self.port}"

    def status_of(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()

    def ready(self):
        return self.status_of("/readyz") == 200
