"""HTTP as bytes: for what no decent client library would send."""

import socket

from client import new_address
from servers.waiting import PATIENCE


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        """The one value of a header, or None; twice the same header fails."""
        values = [value for found, value in self.headers if found.lower() == name.lower()]
        assert len(values) <= 1, (name, values)
        return values[0] if values else None

    def __repr__(self):
        return f"Answer({self.status}, {self.headers}, {self.body[:200]!r})"


class RawConnection:
    """A connection that sends what it is told and reads answers one after another (RFC 9112)."""

    def __init__(self, gateway, seconds=20, address=None):
        self.socket = socket.create_connection(("127.0.0.1", gateway.port), timeout=seconds * PATIENCE, source_address=(address or new_address(), 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        for part in parts:
            self.socket.sendall(part if isinstance(part, bytes) else part.encode())
        return self

    def _fill(self):
        more = self.socket.recv(65536)
        self._buffer += more
        return bool(more)

    def answer(self, to_head=False):
        """The next answer. Fails when the connection ends before it is complete."""
        while b"\r\n\r\n" not in self._buffer:
            assert self._fill(), f"closed within an answer's head: {self._buffer!r}"
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        version, status, *_ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        answer = Answer(int(status), headers, b"")
        size = 0
        if not to_head and answer.status >= 200 and answer.status not in (204, 304):
            assert answer.header("Transfer-Encoding") is None
            size = int(answer.header("Content-Length"))
        while len(self._buffer) < size:
            assert self._fill(), "closed within an answer's body"
        answer.body, self._buffer = self._buffer[:size], self._buffer[size:]
        return answer

    def closed(self):
        """Waits for the end of the connection; True when nothing came before it."""
        try:
            while self._fill():
                pass
        except ConnectionResetError:
            pass
        return self._buffer == b""

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)


def exchange(gateway, *parts, answers=1):
    """Sends bytes on a new connection and returns the answers (one: itself)."""
    with RawConnection(gateway) as connection:
        connection.send(*parts)
        got = [connection.answer() for _ in range(answers)]
        return got[0] if answers == 1 else got
