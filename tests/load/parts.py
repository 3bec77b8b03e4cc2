"""What the stack's processes hold: memory, file descriptors, threads, and the bounds that compose/ gives them."""

import functools
import math
import os
import pathlib
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass

import load
import processes
import segments
from measure import GENERATOR, pids_of

COMPOSE = pathlib.Path(__file__).parents[2] / "compose/compose.yaml"
# The compose service that bounds each server of the stack.
SERVICES = {"gateway-1": "gateway", "session": "session", "session-password": "session-password", "documents": "documents", "query": "query",
            "kafka": "kafka", "primary": "primary", "replica-1": "replica-1", "replica-2": "replica-1", "redis": "redis"}
SHARES = 1024  # of a container that has no `cpu_shares`
NICE_STEP = 1.25  # sched(7): a thread's share to that of one that is one step nicer
UNITS = {"m": 1024**2, "g": 1024**3}


def _compose_values(setting: str) -> dict[str, str]:
    """What compose/ has for a setting, by server."""
    found, service = {}, ""
    for line in COMPOSE.read_text().splitlines():
        if match := re.fullmatch(r"  ([a-z0-9-]+):.*", line):
            service = match[1]
        elif match := re.fullmatch(rf"    {setting}: (\w+)", line):
            found[service] = match[1]
    return {server: found[service] for server, service in SERVICES.items() if service in found}


def memory_limits() -> dict[str, int]:
    """Bytes by server: the `mem_limit` of its compose service."""
    return {server: int(limit[:-1]) * UNITS[limit[-1]] for server, limit in _compose_values("mem_limit").items()}


@functools.cache
def _weights() -> dict[str, int]:
    return {**dict.fromkeys(SERVICES, SHARES), **{server: int(shares) for server, shares in _compose_values("cpu_shares").items()}}


def niceness_of(shares: int) -> int:
    """What `cpu_shares` is to containers, niceness is to processes beside each other, a quarter more or less for each step. The heaviest is at 0."""
    return round(math.log(max(_weights().values()) / shares, NICE_STEP))


def niceness() -> dict[str, int]:
    """By server."""
    return {server: niceness_of(shares) for server, shares in _weights().items()}


def weigh(stack) -> None:
    """Before it starts: each server stands back as its container would. What a lane stands back by itself takes the place of that where it is more."""
    steps = niceness()
    for server in stack.servers:
        server.nice = steps.get(server.name, 0)


def with_cores(stack, run) -> tuple:
    """What run() returns, and how many cores each part, and the load generators that it started, kept busy meanwhile."""
    pids = pids_of(stack)
    before, own, began = processes.costs(pids), load.cpu_s(), time.monotonic()
    result = run()
    after, seconds = processes.costs(pids), time.monotonic() - began
    return result, {GENERATOR: (load.cpu_s() - own) / seconds, **{part: (after[part].cpu_s - before[part].cpu_s) / seconds for part in pids}}


@dataclass
class Holding:
    rss_bytes: int
    descriptors: int  # but the broker's log segments: segments.py
    threads: int


def _holding_of(pid: int) -> Holding:
    descriptors = threads = 0
    for member in processes.with_descendants([pid]):
        try:
            descriptors += len(os.listdir(f"/proc/{member}/fd"))
            threads += len(os.listdir(f"/proc/{member}/task"))
        except OSError:
            continue  # it has just ended
    return Holding(processes.costs({"": [pid]})[""].rss_bytes, descriptors, threads)


def _watched(stack) -> list:
    return [server for server in stack.servers if server.name in SERVICES]


def holdings(stack) -> dict[str, Holding]:
    found = {server.name: _holding_of(server.pid) for server in _watched(stack)}
    found["kafka"].descriptors -= sum(segments.held(stack.kafka.pid).values())
    return found


def _open_files(pid: int) -> Counter[str]:
    found = Counter()
    for member in processes.with_descendants([pid]):
        try:
            found.update(re.sub(r":\[\d+\]$", "", "/".join(name.split("/")[-2:])) for name in segments.open_names(member))
        except OSError:
            continue  # it has just ended
    return found


def open_files(stack) -> dict[str, Counter[str]]:
    """By server, what its descriptors are and how many of each: the end of a path, or "socket", "pipe" and the like."""
    return {server.name: _open_files(server.pid) for server in _watched(stack)}


class Watch:
    """Looks at what the processes hold, again and again while it is entered. `samples`: a list by server."""

    def __init__(self, stack, every_s: float) -> None:
        self.stack, self.every_s = stack, every_s
        self.samples: dict[str, list[Holding]] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ending.wait(self.every_s):
            for name, holding in holdings(self.stack).items():
                self.samples.setdefault(name, []).append(holding)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ending.set()
        self._thread.join()

    def most_memory(self) -> dict[str, int]:
        return {name: max(holding.rss_bytes for holding in samples) for name, samples in self.samples.items()}
