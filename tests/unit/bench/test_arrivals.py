"""The open loop: latencies count from when a request was due, and nothing is lost from the count."""

import json
import os
import socket
import subprocess
import threading
import time

import pytest
from routes import get, write_requests

ARRIVALS = os.path.join(os.environ.get("QUIRE_BUILD", "/build/dev"), "tests/bench/arrivals")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
SECONDS = 1


class Answerer:
    """Speaks just enough HTTP: answer(number of the request) -> bytes, or None to close instead."""

    def __init__(self, answer) -> None:
        self._answer, self._count, self._lock = answer, 0, threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                with self._lock:
                    number, self._count = self._count, self._count + 1
                    answer = self._answer(number)
                if answer is None:
                    return
                connection.sendall(answer)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def arrive(tmp_path):
    servers = []

    def run(answer, rate: int, connections: int) -> dict:
        servers.append(Answerer(answer))
        requests = write_requests(tmp_path / "requests", [get("/", "token")])
        done = subprocess.run([ARRIVALS, str(servers[-1].port), str(requests), str(rate), str(SECONDS), str(connections)], capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout)

    yield run
    for server in servers:
        server.close()


def test_every_arrival_is_answered_and_counted(arrive):
    found = arrive(lambda number: ANSWER, rate=200, connections=10)
    assert (found["requests"], found["status_errors"], found["socket_errors"], found["unanswered"]) == (200, 0, 0, 0)


def test_waiting_for_a_busy_connection_is_part_of_the_latency(arrive):
    """A closed loop would see one slow answer of 200; whoever came meanwhile has waited too."""
    def stall_once(number: int) -> bytes:
        if number == 20:
            time.sleep(0.5)
        return ANSWER

    found = arrive(stall_once, rate=200, connections=1)
    assert found["requests"] == 200
    assert found["max_us"] >= 490_000
    assert found["p95_us"] >= 300_000
    served = found["outcomes"]["served"]  # of them one alone waited for its own answer
    assert served["sent_max_us"] >= 490_000 and 2 * served["sent_p50_us"] < served["p99_us"]


def test_faults_are_counted_each_by_its_kind(arrive):
    def fault(number: int) -> bytes | None:
        if number % 10 == 3:
            return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
        return None if number % 10 == 7 else ANSWER

    found = arrive(fault, rate=100, connections=5)
    assert found["requests"] == 100
    assert (found["status_errors"], found["socket_errors"]) == (10, 10)
    outcomes = found["outcomes"]
    assert {name: outcome["count"] for name, outcome in outcomes.items()} == {"served": 80, "limited": 0, "refused": 10, "expired": 0, "failed": 10, "unsent": 0}


def test_what_is_never_answered_counts_with_the_time_it_waited(arrive):
    found = arrive(lambda number: ANSWER if number < 50 else b"HTTP/1.1 200 OK\r\n", rate=100, connections=200)
    assert (found["requests"], found["unanswered"]) == (100, 50)
    assert (found["outcomes"]["failed"]["count"], found["outcomes"]["unsent"]["count"]) == (50, 0)
    assert found["p99_us"] >= 5_000_000


def test_what_was_never_sent_is_told_from_what_failed(arrive):
    """Nothing is known of a server by a request that it never got."""
    found = arrive(lambda number: ANSWER if number < 50 else b"HTTP/1.1 200 OK\r\n", rate=100, connections=10)
    assert (found["requests"], found["unanswered"]) == (100, 50)
    assert {name: outcome["count"] for name, outcome in found["outcomes"].items() if outcome["count"]} == {"served": 50, "failed": 10, "unsent": 40}
    assert found["outcomes"]["unsent"]["in_time"] == 0
