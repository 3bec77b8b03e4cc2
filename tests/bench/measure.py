"""One round: floors and full path interleaved, so that both see the same machine."""

import sys
import time
from dataclasses import dataclass, field

import counters
import floors
import load
import processes
from peer.peer import Peer
from routes import Library, Route

IN_FLIGHT = (1, 100, 1000)  # of the Kafka floor
OPEN_LOOP_PERCENT = (25, 50, 75, 100, 125)
OPEN_LOOP_CONNECTIONS = 1000
PEOPLE = 10_000  # connections that ask once a second, for PEOPLE_ROUTE
PEOPLE_ROUTE = "GET /auth/me"
FLOOR_SECONDS_MAX = 5  # a floor is steady: longer tells no more
OUTBOX_WAIT_S = 20
# What people know a part by, and the servers that it is.
PARTS = {"gateway": ("gateway-1",), "Kafka": ("kafka",), "session": ("session", "session-password"), "documents": ("documents",),
         "query": ("query",), "PostgreSQL primary": ("primary",), "PostgreSQL replicas": ("replica-1", "replica-2"), "Redis": ("redis",)}
GENERATOR = "load generator"


@dataclass
class Plan:
    build: str
    seconds: int
    connections: list[int]
    open_loop: list[str]  # names of routes
    people: bool
    peer: Peer | None = None
    peer_connections: tuple[int, ...] = (1, 64, 1000)
    events: dict[str, str] = field(default_factory=counters.countable)

    @property
    def floor_seconds(self) -> int:
        return min(self.seconds, FLOOR_SECONDS_MAX)


def say(what: str, figures: dict) -> None:
    print(f"  {what:<46} {figures['requests_per_s']:>10,.0f}/s  p50 {figures['p50_us'] / 1000:>8.2f} ms  p99 {figures['p99_us'] / 1000:>8.2f} ms"
          + (f"  {figures['errors']} errors" if figures.get("errors") else ""), file=sys.stderr, flush=True)


def say_rate(what: str, rate: float) -> None:
    print(f"  {what:<46} {rate:>10,.0f}/s", file=sys.stderr, flush=True)


def pids_of(stack) -> dict[str, list[int]]:
    by_name = {server.name: server.pid for server in stack.servers}
    return {part: [by_name[name] for name in names] for part, names in PARTS.items()}


def ring_enters(stack) -> float:
    return stack.gateway.metrics().sum("quire_gateway_ring_enters_total")


def with_costs(stack, plan: Plan, run) -> dict:
    """The figures of run(), and what each request of them cost each part."""
    pids = pids_of(stack)
    enters, before = ring_enters(stack), processes.costs(pids)
    with counters.Counting(plan.events, pids) as counting:
        figures = run()
    after = processes.costs(pids)
    requests = max(figures["requests"], 1)
    figures.update(processes.a_request(before, after, requests))
    figures["cpu_us_a_request"][GENERATOR] = round(figures.pop("generator_cpu_s") * 1e6 / requests, 1)
    figures["ring_enters_a_request"] = round((ring_enters(stack) - enters) / requests, 2)
    for event, by_part in counting.found.items():
        figures[f"{event}_a_request"] = {part: round(count / requests, 1) for part, count in by_part.items()}
    return figures


def measure_idle(stack, plan: Plan) -> dict[str, float]:
    """CPU milliseconds a second of each part while nobody asks anything."""
    pids = pids_of(stack)
    before, began = processes.costs(pids), time.monotonic()
    time.sleep(plan.seconds)
    after, seconds = processes.costs(pids), time.monotonic() - began
    idle = {part: round((after[part].cpu_s - before[part].cpu_s) * 1e3 / seconds, 1) for part in pids}
    print(f"  {'idle, CPU ms a second':<46} {sum(idle.values()):>10,.0f}", file=sys.stderr, flush=True)
    return idle


def settle(stack) -> None:
    """What the last measurement left to do in the background is not the next one's cost."""
    give_up = time.monotonic() + OUTBOX_WAIT_S
    while time.monotonic() < give_up and stack.primary.query("SELECT EXISTS (SELECT FROM documents.outbox)")[0][0]:
        time.sleep(0.1)


def measure_route(stack, plan: Plan, route: Route, connections: int) -> dict:
    figures = with_costs(stack, plan, lambda: load.closed(stack.gateway.port, route.file, connections, plan.seconds))
    say(f"{route.name}, {connections} connections", figures)
    settle(stack)
    return figures


def measure_open_loop(stack, plan: Plan, route: Route, capacity: float) -> dict:
    found = {}
    for percent in OPEN_LOOP_PERCENT:
        rate = max(int(capacity * percent / 100), 1)
        figures = load.open_loop(plan.build, stack.gateway.port, route.file, rate, OPEN_LOOP_CONNECTIONS, plan.seconds)
        say(f"{route.name}, {percent} % of capacity offered", figures)
        figures.pop("generator_cpu_s")
        found[percent] = figures
        settle(stack)
    return found


def measure_people(stack, plan: Plan, route: Route) -> dict:
    figures = with_costs(stack, plan, lambda: load.open_loop(plan.build, stack.gateway.port, route.file, PEOPLE, PEOPLE, plan.seconds))
    say(f"{route.name}, {PEOPLE:,} connections, one a second each", figures)
    return figures


def measure_floors(stack, plan: Plan, library: Library, routes: list[Route]) -> dict:
    seconds, found = plan.floor_seconds, {"kafka": {}, "postgres": {}}
    for in_flight in IN_FLIGHT:
        found["kafka"][in_flight] = floors.kafka(stack, plan.build, in_flight, seconds)
        say(f"floor: Kafka, {in_flight} in flight", found["kafka"][in_flight])
    for select in sorted({route.select for route in routes if route.select}):
        found["postgres"][select] = floors.postgres_read(stack, library, select, seconds)
        say_rate(f"floor: PostgreSQL, {select}", found["postgres"][select])
    if any(route.name.startswith("POST /documents") for route in routes):
        found["postgres"]["store"] = floors.postgres_write(stack, seconds)
        say_rate("floor: PostgreSQL, durable documents of 1 KB", found["postgres"]["store"])
        settle(stack)
    found["redis"] = floors.session_function(stack, library.session_key, seconds)
    say_rate("floor: session function in Redis", found["redis"])
    return found


def measure_round(stack, plan: Plan, library: Library, routes: list[Route], nginx: floors.Nginx) -> dict:
    found = {"idle": measure_idle(stack, plan), **measure_floors(stack, plan, library, routes), "nginx": {}, "routes": {route.name: {} for route in routes}, "open_loop": {}, "peer": {}}
    for connections in plan.connections:
        found["nginx"][connections] = load.closed(nginx.port, nginx.requests, connections, plan.floor_seconds)
        say(f"floor: nginx return 200, {connections} connections", found["nginx"][connections])
        for route in routes:
            if connections <= route.connections_max:
                found["routes"][route.name][connections] = measure_route(stack, plan, route, connections)
            if plan.peer and route.name in plan.peer.routes and connections in plan.peer_connections:
                found["peer"].setdefault(route.name, {})[connections] = plan.peer.measure(route, connections, plan.seconds)
                say(f"peer: {route.name}, {connections} connections", found["peer"][route.name][connections])
    for route in routes:
        if route.name in plan.open_loop:
            capacity = max(figures["requests_per_s"] for figures in found["routes"][route.name].values())
            found["open_loop"][route.name] = measure_open_loop(stack, plan, route, capacity)
        if plan.people and route.name == PEOPLE_ROUTE:
            found["people"] = measure_people(stack, plan, route)
    return found
