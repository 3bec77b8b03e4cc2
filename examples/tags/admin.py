"""The admin port: /livez, /readyz, /metrics; not for the public side."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def start(address: str, port: int, ready, metrics) -> ThreadingHTTPServer:
    """Serves on a thread of its own. `ready()` says whether requests are answered."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            status, text = {
                "/livez": lambda: (200, "ok\n"),
                "/readyz": lambda: (200, "ok\n") if ready() else (503, "not ready\n"),
                "/metrics": lambda: (200, metrics.text()),
            }.get(self.path, lambda: (404, "not found\n"))()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_) -> None:
            pass  # scrapes and health checks are no news

    server = ThreadingHTTPServer((address, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="admin", daemon=True).start()
    return server
