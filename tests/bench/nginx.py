"""nginx, for two comparisons: `return 200` as the floor of HTTP, and a reverse proxy of the same bytes beside the gateway."""

import pathlib
import subprocess

import httpx
import routes
from servers.ports import free_port
from servers.waiting import wait_until

WORKERS = 2
CONNECTIONS_MAX = 16384
UPSTREAM_KEPT = 512  # idle connections to the upstream, a worker
OWN_HEADERS = ("date", "content-length", "content-type", "server", "connection")  # nginx writes them itself


class Nginx:
    """One nginx of two workers; `servers` is what stands in its http block."""

    def __init__(self, folder: pathlib.Path, servers: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"worker_processes {WORKERS};\npid {folder}/pid;\nerror_log {folder}/error.log;\nworker_rlimit_nofile {CONNECTIONS_MAX + 2048};\n"
            f"events {{ worker_connections {CONNECTIONS_MAX}; }}\nhttp {{ access_log off; keepalive_requests 100000000; {temporary}\n{servers}\n}}\n")

    def __enter__(self):
        self.process = subprocess.Popen(["nginx", "-c", str(self.folder / "nginx.conf"), "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    @property
    def pid(self) -> int:
        return self.process.pid


def _answering(port: int, answer: str) -> str:
    return f"server {{ listen 127.0.0.1:{port} reuseport backlog={CONNECTIONS_MAX}; location / {{ default_type application/json; {answer} }} }}"


def _quoted(text: str) -> str:
    """As a word of nginx's configuration. A dollar sign would begin a variable: there is no way to write one."""
    assert "$" not in text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Floor(Nginx):
    """`return 200`, or another status."""

    def __init__(self, folder: str, port: int | None = None, status: int = 200) -> None:
        self.port = port or free_port()
        super().__init__(pathlib.Path(folder), _answering(self.port, f"return {status} '{{\"ok\":true}}';"))
        self.requests = routes.write_requests(self.folder / "requests", [b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"])


class Forwarding:
    """nginx as a reverse proxy before another nginx that answers as the gateway did: what passing a request on and its answer back costs without Kafka.
    Twice: with a log line a request, as the gateway writes one, and without."""

    LOGGED, SILENT = "with a log line a request", "without logs"

    def __init__(self, folder: str, answer: httpx.Response) -> None:
        upstream, self.ports = free_port(), {self.LOGGED: free_port(), self.SILENT: free_port()}
        headers = " ".join(f"add_header {name} {_quoted(value)};" for name, value in answer.headers.items() if name.lower() not in OWN_HEADERS)
        home = pathlib.Path(folder)
        self._upstream = Nginx(home / "upstream", _answering(upstream, f"{headers} return 200 {_quoted(answer.text)};"))
        servers = "\n".join(
            f"server {{ listen 127.0.0.1:{port} reuseport backlog={CONNECTIONS_MAX}; access_log {home / 'access.log' if kind == self.LOGGED else 'off'};"
            " location / { proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection ''; } }" for kind, port in self.ports.items())
        self._proxy = Nginx(home / "proxy", f"upstream upstream {{ server 127.0.0.1:{upstream}; keepalive {UPSTREAM_KEPT}; }}\n{servers}")

    def __enter__(self):
        self._upstream.__enter__()
        self._proxy.__enter__()
        for port in self.ports.values():
            wait_until(lambda port=port: httpx.get(f"http://127.0.0.1:{port}/").status_code == 200, 10, "nginx forwards")
        return self

    def __exit__(self, *exception):
        self._proxy.__exit__(*exception)
        self._upstream.__exit__(*exception)

    @property
    def pid(self) -> int:
        """Of the one that forwards, whose cost it is."""
        return self._proxy.pid
