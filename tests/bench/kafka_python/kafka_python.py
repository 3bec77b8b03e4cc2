"""Kafka's own way beside Quire in the same run: a Python consumer in the place of the C service that answers a route."""

import os
import pathlib
import subprocess
import sys
import time

import load
import processes
from client import Api
from google.api import annotations_pb2
from routes import Library, Route
from servers.binary import SOURCE
from servers.waiting import GivenUp, wait_until

HERE = pathlib.Path(__file__).resolve().parent
PROCESSES = 4  # as many as the synchronous peer has workers
PART = "Python consumer"
PARTITIONS = 12  # of a lane
APART_S = 0.005  # requests that are closer go to the same partition (services/gateway/spread.h)
READY_S = 60
# The attribute of the stack that a route's service is; its topic, which is also its consumer group's name but for the lane.
SERVICES = {"GET /auth/me": ("session", "quire.session", "quire.session.session"),
            "GET /documents/{id}": ("documents", "quire.documents.read", "quire.documents.read")}


def generate(folder: pathlib.Path) -> None:
    """The contract's messages as Python modules."""
    folder.mkdir(parents=True, exist_ok=True)
    imported = pathlib.Path(annotations_pb2.__file__).parents[2]
    contract = pathlib.Path(SOURCE) / "proto"
    subprocess.run(["protoc", f"-I{contract}", f"-I{imported}", f"--python_out={folder}",
                    *(f"quire/{name}.proto" for name in ("options", "wire", "session", "documents"))], check=True)


class KafkaPython:
    connections = (1, 64, 1000)

    def __init__(self, stack, folder: str) -> None:
        self.stack, self.folder = stack, pathlib.Path(folder)
        generate(self.folder)

    def _start(self, room: str, topic: str, group: str) -> list[subprocess.Popen]:
        environment = {**os.environ, **self.stack.service_settings(f"quire_{room}"), "PYTHONDONTWRITEBYTECODE": "1",
                       "PYTHONPATH": f"{self.folder}:{SOURCE}/examples/tags"}
        started = []
        for number in range(PROCESSES):
            with open(self.folder / f"{room}-{number}.log", "ab") as log:
                started.append(subprocess.Popen([sys.executable, str(HERE / "consumer.py"), topic, group], env=environment, stdout=log, stderr=log))
        return started

    def _answers(self, library: Library, route: Route, consumers: list[subprocess.Popen]) -> bool:
        """Answers from all of the topic's partitions: then each has its owner."""
        if any(process.poll() is not None for process in consumers):
            raise GivenUp(f"a consumer ended; its log is in {self.folder}")
        path = "/auth/me" if route.name.endswith("/auth/me") else f"/documents/{library.ids[0]}"
        with Api(self.stack.gateway.url, token=library.token) as api:
            for _ in range(2 * PARTITIONS):
                if api.get(path, headers={"Request-Timeout": "1"}).status_code != 200:
                    return False
                time.sleep(APART_S)
            return True

    def measure(self, library: Library, route: Route, seconds: int, say) -> dict[int, dict]:
        """{connections: figures with cpu_us_a_request of all consumers}. The C service is back afterwards."""
        room, topic, group = SERVICES[route.name]
        service = getattr(self.stack, room)
        service.stop()
        consumers, found = self._start(room, topic, group), {}
        try:
            wait_until(lambda: self._answers(library, route, consumers), READY_S, "the Python consumers answer", every=0.2)
            load.closed(self.stack.gateway.port, route.file, 64, 1)
            for connections in self.connections:
                pids = {PART: [process.pid for process in consumers]}
                before = processes.costs(pids)
                figures = load.closed(self.stack.gateway.port, route.file, connections, seconds)
                figures.pop("generator_cpu_s")
                figures.update(processes.a_request(before, processes.costs(pids), figures["served"]))
                say(f"Python consumer: {route.name}, {connections} connections", figures)
                found[connections] = figures
        finally:
            for process in consumers:
                process.terminate()
            for process in consumers:
                process.wait(30)
            service.start()
            wait_until(lambda: self._answers(library, route, []), READY_S, f"{service.name} answers again", every=0.2)
        return found
