"""Noisy neighbours, with the limits as they are deployed: what a storm of one kind costs those who do something else."""

import json
import os
import pathlib
import sys
import time
from dataclasses import dataclass

from measure import settle
from parts import with_cores
from routes import PASSWORD, QUESTION, get, open_account, post, store_library, text_of, write_requests
from traffic import Traffic, served_part, together
from verdict import Verdict, cores, kinds, ms, times

PEOPLE = 8  # who are asked how it feels
STORMERS = 16  # accounts that log in at once, from an address each
UPLOADERS = 4
LARGE_BYTES = 5 * 1024 * 1024
DOCUMENTS = 50  # of each account that searches
ME_RATE, QUERY_RATE, PROBE_CONNECTIONS = 50, 25, 40
SETTLE_S = 3
WARM_UP_S = 8  # of each storm, before anything is measured: the broker compiles its code for what it meets the first time
# The promises.
P99_TIMES = 2.0
SERVED_PART = 0.999


@dataclass(frozen=True)
class Storm:
    name: str
    requests: pathlib.Path
    rate: int
    connections: int


@dataclass(frozen=True)
class Person:
    email: str
    token: str


def move_in(url: str, name: str) -> Person:
    """A person with a few documents."""
    api, email = open_account(url, name)
    with api:
        store_library(api, DOCUMENTS)
        return Person(email, api.token)


def log_in(person: Person, address: str) -> bytes:
    content = json.dumps({"email": person.email, "password": PASSWORD}).encode()
    return (f"POST /auth/login HTTP/1.1\r\nHost: load\r\nX-Forwarded-For: {address}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n").encode() + content


class Neighbourhood:
    def __init__(self, url: str, folder: str) -> None:
        self.folder = pathlib.Path(folder) / "requests"
        self.folder.mkdir()
        people = [move_in(url, f"person-{number}") for number in range(PEOPLE)]
        self.me = self._file("me", [get("/auth/me", person.token) for person in people])
        self.query = self._file("query", [post("/query", person.token, {"query": QUESTION}) for person in people])
        stormers = [move_in(url, f"stormer-{number}") for number in range(STORMERS)]
        log_ins = [log_in(person, f"10.1.0.{number}") for number, person in enumerate(stormers, 1)]
        large = [post("/documents", person.token, {"title": "Large", "content": text_of(LARGE_BYTES, number)})
                 for number, person in enumerate(stormers[:UPLOADERS], 1)]
        queries = [post("/query", stormers[0].token, {"query": QUESTION})]
        self.storms = [Storm("log-ins", self._file("log-ins", log_ins), 200, 256), Storm("5 MB documents", self._file("large", large), 4, 16),
                       Storm("one account's queries", self._file("queries", queries), 2000, 64)]

    def _file(self, name: str, requests: list[bytes]) -> pathlib.Path:
        return write_requests(self.folder / name, requests)


@dataclass
class Street:
    """The run: quiet, storm, quiet, storm, quiet."""

    stack: object
    build: str
    seconds: float
    neighbourhood: Neighbourhood
    verdict: Verdict

    def _traffic(self, requests: pathlib.Path, rate: int, connections: int, seconds: float | None = None) -> Traffic:
        return Traffic(self.build, self.stack.gateway.port, requests, rate, connections, seconds or self.seconds)

    def _probes(self) -> dict[str, Traffic]:
        return {"GET /auth/me": self._traffic(self.neighbourhood.me, ME_RATE, PROBE_CONNECTIONS),
                "POST /query": self._traffic(self.neighbourhood.query, QUERY_RATE, PROBE_CONNECTIONS)}

    def quiet(self) -> dict[str, dict]:
        time.sleep(SETTLE_S)
        settle(self.stack)
        probes = self._probes()
        return dict(zip(probes, together(*probes.values())))

    def warm_up(self, storms: list[Storm]) -> None:
        for storm in storms:
            self._traffic(storm.requests, storm.rate, storm.connections, min(WARM_UP_S, self.seconds)).run()

    def storm(self, storm: Storm) -> tuple[dict[str, dict], dict, dict[str, float]]:
        """What the others had, what came of the storm, and the cores that each part kept busy."""
        probes = self._probes()
        traffic = self._traffic(storm.requests, storm.rate, storm.connections)
        (*found, stormed), busy = with_cores(self.stack, lambda: together(*probes.values(), traffic))
        return dict(zip(probes, found)), stormed, busy

    def judge(self, storm: Storm, before: dict, during: dict, after: dict) -> None:
        for route, figures in during.items():
            quiet_us = (before[route]["p99_us"] + after[route]["p99_us"]) / 2
            served = served_part(figures)
            self.verdict.judge(storm.name, f"{route}: p99 / quiet", f"{times(figures['p99_us'], quiet_us)} ({ms(figures['p99_us'])} / {ms(quiet_us)})",
                               f"<= {P99_TIMES}", figures["p99_us"] <= P99_TIMES * quiet_us)
            self.verdict.tell(storm.name, f"{route}: p50, quiet", f"{ms(figures['p50_us'])}, {ms(before[route]['p50_us'])}")
            self.verdict.judge(storm.name, f"{route}: served", f"{served:.2%}", f">= {SERVED_PART:.1%}", served >= SERVED_PART)


def run(stack, build: str, folder: str, seconds: float, wanted: str) -> Verdict:
    neighbourhood, verdict = Neighbourhood(stack.gateway.url, folder), Verdict()
    street = Street(stack, build, seconds, neighbourhood, verdict)
    storms = [storm for storm in neighbourhood.storms if wanted in storm.name]
    street.quiet()  # warms up
    street.warm_up(storms)
    before = street.quiet()
    for storm in storms:
        during, stormed, busy = street.storm(storm)
        after = street.quiet()
        verdict.tell(storm.name, f"offered {storm.rate}/s for {seconds:.0f} s", kinds(stormed))
        verdict.tell(storm.name, f"cores of {os.cpu_count()}", cores(busy))
        street.judge(storm, before, during, after)
        print(f"  {storm.name}: done", file=sys.stderr, flush=True)
        before = after
    return verdict
