#!/usr/bin/env python3
"""The clients, in a process of their own so that nothing but their number slows them. Ends at SIGTERM, each after its request.

    workload.py PORT JOURNAL CLIENTS RATE SEED      RATE: requests a second of each client"""

import http.client
import http.server
import os
import signal
import sys
import threading
import time
import traceback

from journal import Journal
from person import Person

_CONTROL_EACH_S = 0.02
_CONTROL_TELLS_S = 0.005  # shorter delays are no news


class _Nothing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def _end_with(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def serve_nothing():
    """A server that answers at once, in another process; returns its port."""
    server = http.server.HTTPServer(("127.0.0.1", 0), _Nothing)
    parent = os.getpid()
    if os.fork() == 0:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
        server.serve_forever()
    server.server_close()
    return server.server_address[1]


def control(port, journal, ending):
    """Asks the server that does nothing, again and again: what that takes is this machine's and these clients' own delay."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while not ending.wait(_CONTROL_EACH_S):
        began = time.monotonic()
        connection.request("GET", "/")
        connection.getresponse().read()
        took = time.monotonic() - began
        if took > _CONTROL_TELLS_S:
            journal.delay(began, took)


def live(person, rate, ending):
    while not ending.is_set():
        began = time.monotonic()
        person.step()
        ending.wait(max(0.0, person.random.uniform(0.5, 1.5) / rate - (time.monotonic() - began)))


def guarded(function, *arguments):
    """A client that breaks ends the whole workload, which its watcher sees."""
    try:
        function(*arguments)
    except BaseException:  # noqa: BLE001 - a bug of ours must not look like a quiet client
        traceback.print_exc()
        os._exit(3)


def main():
    port, path, clients, rate, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
    control_port = serve_nothing()
    journal, ending = Journal(path), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    people = [Person(number, port, journal, seed) for number in range(clients)]
    threads = [threading.Thread(target=guarded, args=(live, person, rate, ending)) for person in people]
    threads.append(threading.Thread(target=guarded, args=(control, control_port, journal, ending)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
