"""What is done to the stack: each fault is a row of `FAULTS`, and what must hold meanwhile stands with it."""

import shutil
import time
from dataclasses import dataclass

from report import KNOWN_KILLED_S, KNOWN_SILENT_KAFKA_S, KNOWN_SILENT_S

from chaos_stack import restarted_since
from servers.waiting import wait_until

_AWAY_S = 5.0
_BAD_NETWORK_S = 6.0
_DISK_FULL_S = 7.0
_START_S = 60.0  # nothing of ours or others takes as long to start

# How soon after a fault's end the stack must be whole again.
PROCESS_OF_OURS_S = 3.0
BACKEND_S = 10.0

_READING = frozenset({"me", "get", "list", "query", "probe"})
_ALL = None


@dataclass
class Fault:
    """`strike(stack, mark)` does it; it calls mark() when the cause has ended, from when recovery counts, and returns then, with the time from which
    what is away was on its way back if that was before."""

    name: str
    strike: object
    recovery_s: float
    proxy_away: bool = False  # until mark() and recovery a connection may be reset or silent
    no_failure: bool = False  # not one request may fail
    # While a backend is known to be away: kinds of requests that go on; all others are refused at once.
    goes_on: frozenset | None = frozenset()  # None: all
    known_s: float | None = None  # by when the absence is known, counted from the strike; None: nobody can know


def _killed(find):
    def strike(stack, mark):
        server = find(stack)
        process = server.process
        died = time.monotonic()
        server.strike_down()
        restarted_since(server, process, _START_S)
        if server in stack.infrastructure:
            wait_until(server.ready, _START_S, f"{server.name} is back", every=0.05)
            mark()
        else:
            mark(died)
    return strike


def _stopped(find):
    def strike(stack, mark):
        server = find(stack)
        server.pause()
        time.sleep(stack.stopped_s)
        server.resume()
        mark()
    return strike


def _away(find):
    """Killed, and not back for a while: long enough to see who notices, and what goes on."""
    def strike(stack, mark):
        servers = find(stack)
        stack.leave_alone(*servers)
        for server in servers:
            server.kill()
        time.sleep(_AWAY_S)
        returning = time.monotonic()
        for server in servers:
            server.spawn()
        for server in servers:
            wait_until(server.ready, _START_S, f"{server.name} is back", every=0.05)
        stack.take_back(*servers)
        mark()
        return returning
    return strike


def _everything(stack, mark):
    """The power is cut and comes back."""
    for server in [*stack.ours, stack.proxy, *stack.infrastructure]:
        server.strike_down()
    for server in stack.infrastructure:
        wait_until(lambda server=server: server.alive and server.ready(), _START_S, f"{server.name} is back", every=0.05)
    mark()


def _replay_stands(stack, mark):
    stack.replicas[0].pause_replay()
    time.sleep(_BAD_NETWORK_S)
    stack.replicas[0].resume_replay()
    mark()


def _network(port, worsen):
    def strike(stack, mark):
        worsen(stack.network, port(stack))
        time.sleep(_BAD_NETWORK_S)
        stack.network.heal()
        mark()
    return strike


def _disk_full(stack, mark):
    stack.fill_disk()
    time.sleep(_DISK_FULL_S)
    stack.empty_disk()
    wait_until(lambda: stack.primary.alive and stack.primary.ready(), _START_S, "the primary is back", every=0.05)
    mark()


def _redis_forgets(stack, mark):
    with stack.redis.connect() as redis:
        redis.flushall()
    mark()


def _redis_two_seconds_ago(stack, mark):
    """Its files of two seconds ago are what it finds when it comes back."""
    kept = stack.redis.files + ".kept"
    stack.redis.keep_files(kept)
    time.sleep(2)
    stack.leave_alone(stack.redis)
    stack.redis.kill()
    stack.redis.put_files(kept)
    shutil.rmtree(kept)
    stack.redis.spawn()
    wait_until(stack.redis.ready, _START_S, "Redis is back", every=0.05)
    stack.take_back(stack.redis)
    mark()


def _rolling_restart(stack, mark):
    for server in stack.ours:
        stack.restart_gracefully(server)
        wait_until(stack.proxy.ready, _START_S, "a gateway is in rotation")
        time.sleep(1)
    mark()


def _scaling(stack, mark):
    """One more of each service, for a while."""
    for service in stack.services:
        more = stack.one_more(service)
        more.start()
        time.sleep(1.5)
        more.stop(20)
        time.sleep(0.5)
    mark()


_PARTS = {
    "gateway": (lambda stack: stack.gateways[0], PROCESS_OF_OURS_S), "session": (lambda stack: stack.session, PROCESS_OF_OURS_S),
    "session-password": (lambda stack: stack.session_password, PROCESS_OF_OURS_S), "documents": (lambda stack: stack.documents, PROCESS_OF_OURS_S),
    "query": (lambda stack: stack.query, PROCESS_OF_OURS_S), "kafka": (lambda stack: stack.kafka, BACKEND_S),
    "primary": (lambda stack: stack.primary, BACKEND_S), "replica": (lambda stack: stack.replicas[0], BACKEND_S),
    "redis": (lambda stack: stack.redis, BACKEND_S), "proxy": (lambda stack: stack.proxy, PROCESS_OF_OURS_S)}
_KAFKA_WAY = lambda stack: stack.kafka.relayed_port  # noqa: E731
_PRIMARY_WAY = lambda stack: stack.primary_port  # noqa: E731
_WHILE_STOPPED = {"kafka": {"known_s": KNOWN_SILENT_KAFKA_S}, "redis": {"known_s": KNOWN_SILENT_S}, "replica": {"known_s": KNOWN_SILENT_S, "goes_on": _ALL},
                  "primary": {"known_s": KNOWN_SILENT_S, "goes_on": _READING}}

FAULTS = [
    *(Fault(f"kill {name}", _killed(find), seconds, proxy_away=name == "proxy") for name, (find, seconds) in _PARTS.items()),
    *(Fault(f"stop {name}", _stopped(find), seconds, proxy_away=name == "proxy", **_WHILE_STOPPED.get(name, {})) for name, (find, seconds) in _PARTS.items()),
    Fault("primary away", _away(lambda stack: [stack.primary]), BACKEND_S, goes_on=_READING, known_s=KNOWN_KILLED_S),
    Fault("replicas away", _away(lambda stack: stack.replicas), BACKEND_S, goes_on=_ALL, known_s=KNOWN_KILLED_S),
    Fault("redis away", _away(lambda stack: [stack.redis]), BACKEND_S, known_s=KNOWN_KILLED_S),
    Fault("kafka away", _away(lambda stack: [stack.kafka]), BACKEND_S, known_s=KNOWN_KILLED_S),
    Fault("everything restarts", _everything, BACKEND_S, proxy_away=True),
    Fault("replay stands still", _replay_stands, BACKEND_S, no_failure=True),
    *(Fault(f"{hop}: {what}", _network(way, worsen), BACKEND_S)
      for hop, way in (("gateway-kafka", _KAFKA_WAY), ("service-primary", _PRIMARY_WAY))
      for what, worsen in (("packets lost", lambda network, port: network.drop(port, 20)), ("cut off", lambda network, port: network.drop(port, 100)),
                           ("slow", lambda network, port: network.delay(port, 0.1)))),
    Fault("disk full", _disk_full, BACKEND_S),
    Fault("redis forgets", _redis_forgets, BACKEND_S),
    Fault("redis two seconds ago", _redis_two_seconds_ago, BACKEND_S),
    Fault("rolling restart", _rolling_restart, PROCESS_OF_OURS_S, no_failure=True),
    Fault("scaling", _scaling, PROCESS_OF_OURS_S, no_failure=True),
]
