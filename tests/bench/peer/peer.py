"""The synchronous shape that teams start from, beside Quire in the same run: a FastAPI gateway, HTTP, a FastAPI service, asyncpg and Redis; four
workers each, the same routes over the same tables. Its packages are pinned in requirements.txt and come into a folder of their own on first use."""

import os
import pathlib
import subprocess
import sys
import time

import load
import processes
from routes import Route
from servers.ports import free_port
from servers.waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent
WORKERS = 4
SETTLE_S, SETTLE_LOOK_S, SETTLED_CORES = 20, 0.25, 0.1
POSTINGS_MAX = 3000  # as QUIRE_QUERY_POSTINGS_MAX
ROUTES = ("GET /auth/me", "GET /documents/{id}", "POST /documents, 1 KB", "POST /query")


def python(build: str) -> str:
    """The interpreter that has the peer's packages."""
    wanted = (HERE / "requirements.txt").read_text()
    folder = pathlib.Path(build).parent / "bench-peer"
    stamp = folder / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print("  installing the peer's packages", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(folder / "bin/pip"), "install", "-q", "--disable-pip-version-check", "-r", str(HERE / "requirements.txt")], check=True)
        stamp.write_text(wanted)
    return str(folder / "bin/python")


class Peer:
    routes = ROUTES

    def __init__(self, stack, folder: str) -> None:
        self.stack, self.folder = stack, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.python = python(os.environ["QUIRE_BUILD"])
        self.port = free_port()
        self._processes: list[subprocess.Popen] = []

    def _uvicorn(self, module: str, port: int, **settings: str) -> None:
        with open(self.folder / f"{module}.log", "ab") as log:
            self._processes.append(subprocess.Popen(
                [self.python, "-m", "uvicorn", f"{module}:app", "--host", "127.0.0.1", "--port", str(port), "--workers", str(WORKERS), "--no-access-log",
                 "--backlog", "4096", "--log-level", "warning", "--timeout-worker-healthcheck", "60"], cwd=HERE, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **settings}, stdout=log, stderr=log))

    def start(self) -> None:
        service, password = free_port(), self.stack.primary.superuser_password
        database = lambda server: f"postgres://postgres:{password}@127.0.0.1:{server.port}/quire"  # noqa: E731
        self._uvicorn("service", service, PEER_PRIMARY=database(self.stack.primary), PEER_REPLICA=database(self.stack.replicas[0]),
                      PEER_REDIS=f"redis://:{self.stack.redis.password}@{self.stack.redis.address}", PEER_POSTINGS_MAX=str(POSTINGS_MAX))
        self._uvicorn("gateway", self.port, PEER_SERVICE=f"http://127.0.0.1:{service}")
        wait_until(self._answers, 30, "the peer answers", every=0.2)

    def _answers(self) -> bool:
        """401 comes from the service, through the gateway."""
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{self.port}/auth/me"],
                              capture_output=True, text=True, check=False)
        return done.stdout == "401"

    def measure(self, route: Route, connections: int, seconds: int) -> dict:
        figures = load.closed(self.port, route.file, connections, seconds)
        figures.pop("generator_cpu_s")
        return figures

    def settle(self) -> None:
        """What it works off for callers that have gone, for seconds after a thousand of them, is not the next measurement's cost."""
        give_up, busy = time.monotonic() + SETTLE_S, True
        while busy and time.monotonic() < give_up:
            before = self._cpu_s()
            time.sleep(SETTLE_LOOK_S)
            busy = self._cpu_s() - before > SETTLED_CORES * SETTLE_LOOK_S

    def _cpu_s(self) -> float:
        return processes.costs({"peer": [process.pid for process in self._processes]})["peer"].cpu_s

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(15)
