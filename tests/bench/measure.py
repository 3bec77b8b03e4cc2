"""One round: floors and full path interleaved, so that both see the same machine."""

import sys
import time
from dataclasses import dataclass, field

import counters
import floors
import limits
import load
import nginx
import processes
from kafka_python.kafka_python import SERVICES as PYTHON_ROUTES
from kafka_python.kafka_python import KafkaPython
from peer.peer import Peer
from routes import Library, Route
from servers.proxy import Proxy

IN_FLIGHT = (1, 100, 1000)  # of the Kafka floor
OPEN_LOOP_PERCENT = (10, 25, 50, 75, 90, 100, 125, 150)
OPEN_LOOP_CONNECTIONS = 1000
PEOPLE = 10_000  # connections that ask once a second, for PEOPLE_ROUTE
PEOPLE_ROUTE = "GET /auth/me"
MANY = 10_000  # connections: that many take seconds to open
MANY_SECONDS_MIN = 5
FLOOR_SECONDS_MAX = 5  # a floor is steady: longer tells no more
FORWARDING_ROUTE = "GET /auth/me"  # whose bytes nginx forwards
FORWARDING_CONNECTIONS = (64, 1000)
AT_OUR_RATE = ", at Quire's rate"
PROXIED_CONNECTIONS = (1, 64, 1000, 10_000)
PROXY_DESCRIPTORS = 2  # of the proxy for a connection: one on each side
SETTLE_S = 20
SETTLED_LOOKS, SETTLE_LOOK_S = 3, 0.05  # between two batches nobody is busy for a moment
# What people know a part by, and the servers that it is.
PARTS = {"gateway": ("gateway-1",), "Kafka": ("kafka",), "session": ("session", "session-password"), "documents": ("documents",),
         "query": ("query",), "PostgreSQL primary": ("primary",), "PostgreSQL replicas": ("replica-1", "replica-2"), "Redis": ("redis",)}
GENERATOR = "load generator"
PROXY = "proxy"


@dataclass
class Plan:
    build: str
    seconds: int
    connections: list[int]
    open_loop: list[str]  # names of routes
    people: bool
    proxied: tuple[str, ...] = ()  # names of routes
    proxy: Proxy | None = None
    forwarding: nginx.Forwarding | None = None
    peer: Peer | None = None
    peer_connections: tuple[int, ...] = (1, 64, 1000)
    kafka_python: KafkaPython | None = None
    events: dict[str, str] = field(default_factory=counters.countable)
    skipped: dict[str, str] = field(default_factory=dict)  # what can't be measured here, and why

    @property
    def floor_seconds(self) -> int:
        return min(self.seconds, FLOOR_SECONDS_MAX)

    def seconds_for(self, connections: int) -> int:
        return max(self.seconds, MANY_SECONDS_MIN) if connections >= MANY else self.seconds

    def possible(self, what: str, connections: int, descriptors_each: int = 1) -> bool:
        lack = limits.descriptors_lacking(connections, descriptors_each)
        if lack:
            self.skipped[what] = lack
        return lack is None


def say(what: str, figures: dict) -> None:
    print(f"  {what:<56} {figures['requests_per_s']:>10,.0f}/s  p50 {figures['p50_us'] / 1000:>8.2f} ms  p99 {figures['p99_us'] / 1000:>8.2f} ms"
          + (f"  {figures['errors']} errors" if figures.get("errors") else ""), file=sys.stderr, flush=True)


def say_rate(what: str, rate: float) -> None:
    print(f"  {what:<56} {rate:>10,.0f}/s", file=sys.stderr, flush=True)


def pids_of(stack) -> dict[str, list[int]]:
    by_name = {server.name: server.pid for server in stack.servers}
    return {part: [by_name[name] for name in names] for part, names in PARTS.items()}


def ring_enters(stack) -> float:
    return stack.gateway.metrics().sum("quire_gateway_ring_enters_total")


def with_costs(stack, plan: Plan, run, more: dict[str, list[int]] | None = None) -> dict:
    """The figures of run(), and what each request of them cost each part, and those of `more` (name: pids)."""
    pids = {**pids_of(stack), **(more or {})}
    enters, before = ring_enters(stack), processes.costs(pids)
    with counters.Counting(plan.events, pids) as counting:
        figures = run()
    after = processes.costs(pids)
    requests = max(figures["served"], 1)
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
    say_rate("idle, CPU ms", sum(idle.values()))
    return idle


def _busy(stack) -> bool:
    """Events wait to be published, or a replica still answers: requests whose callers have gone are worked off all the same."""
    active = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid())"
    return stack.primary.query("SELECT EXISTS (SELECT FROM documents.outbox)")[0][0] or any(replica.query(active)[0][0] for replica in stack.replicas)


def settle(stack) -> None:
    """What the last measurement left to do in the background is not the next one's cost."""
    give_up, quiet = time.monotonic() + SETTLE_S, 0
    while time.monotonic() < give_up and quiet < SETTLED_LOOKS:
        quiet = 0 if _busy(stack) else quiet + 1
        time.sleep(SETTLE_LOOK_S)


def measure_route(stack, plan: Plan, route: Route, connections: int) -> dict:
    seconds = plan.seconds_for(connections)
    figures = with_costs(stack, plan, lambda: load.closed(stack.gateway.port, route.file, connections, seconds))
    say(f"{route.name}, {connections} connections", figures)
    settle(stack)
    return figures


def measure_proxied(stack, plan: Plan, route: Route, connections: int) -> dict:
    """The same through the proxy."""
    seconds = plan.seconds_for(connections)
    figures = with_costs(stack, plan, lambda: load.closed(plan.proxy.port, route.file, connections, seconds), {PROXY: [plan.proxy.pid]})
    say(f"{route.name}, {connections} connections, proxied", figures)
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
    seconds = plan.seconds_for(PEOPLE)
    figures = with_costs(stack, plan, lambda: load.open_loop(plan.build, stack.gateway.port, route.file, PEOPLE, PEOPLE, seconds))
    say(f"{route.name}, {PEOPLE:,} connections, one a second each", figures)
    return figures


def measure_forwarding(plan: Plan, route: Route, rates: dict[int, float]) -> dict:
    """{kind: {connections: figures with nginx's own cost}}, not its upstream's; as a closed loop, and at the rates that Quire reached with as many connections, as a
    process that works at its end costs less a request than one that waits for each."""
    found: dict[str, dict] = {}

    def measure(kind: str, connections: int, run) -> None:
        pids = {"nginx": [plan.forwarding.pid]}
        before = processes.costs(pids)
        figures = run()
        figures.update(processes.a_request(before, processes.costs(pids), figures["served"]))
        figures.pop("generator_cpu_s")
        say(f"nginx forwards {route.name}, {kind}, {connections} connections", figures)
        found.setdefault(kind, {})[connections] = figures

    for kind, port in plan.forwarding.ports.items():
        for connections in FORWARDING_CONNECTIONS:
            measure(kind, connections, lambda port=port, connections=connections: load.closed(port, route.file, connections, plan.seconds))
            if connections in rates:
                rate = max(int(rates[connections]), 1)
                measure(f"{kind}{AT_OUR_RATE}", connections, lambda port=port, connections=connections, rate=rate: load.open_loop(
                    plan.build, port, route.file, rate, connections, plan.seconds))
    return found


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


def measure_at(stack, plan: Plan, route: Route, connections: int, found: dict) -> None:
    """One route at one number of connections: at the gateway's own port, through the proxy, and the peer's."""
    if connections > route.connections_max:
        return
    if plan.possible(f"{connections:,} connections", connections):
        found["routes"][route.name][connections] = measure_route(stack, plan, route, connections)
    if route.name in plan.proxied and connections in PROXIED_CONNECTIONS and plan.possible(f"{connections:,} connections through the proxy", connections, PROXY_DESCRIPTORS):
        found["proxied"].setdefault(route.name, {})[connections] = measure_proxied(stack, plan, route, connections)
    if plan.peer and route.name in plan.peer.routes and connections in plan.peer_connections:
        found["peer"].setdefault(route.name, {})[connections] = plan.peer.measure(route, connections, plan.seconds)
        say(f"peer: {route.name}, {connections} connections", found["peer"][route.name][connections])
        plan.peer.settle()
        settle(stack)


def measure_round(stack, plan: Plan, library: Library, routes: list[Route], floor: nginx.Floor) -> dict:
    found = {"idle": measure_idle(stack, plan), **measure_floors(stack, plan, library, routes), "nginx": {}, "routes": {route.name: {} for route in routes},
             "proxied": {}, "open_loop": {}, "peer": {}, "forwarding": {}, "kafka_python": {}}
    for connections in plan.connections:
        if plan.possible(f"{connections:,} connections", connections):
            found["nginx"][connections] = load.closed(floor.port, floor.requests, connections, max(plan.floor_seconds, plan.seconds_for(connections)))
            say(f"floor: nginx return 200, {connections} connections", found["nginx"][connections])
        for route in routes:
            measure_at(stack, plan, route, connections, found)
    for route in routes:
        if route.name in plan.open_loop:
            capacity = max(figures["requests_per_s"] for figures in found["routes"][route.name].values())
            found["open_loop"][route.name] = measure_open_loop(stack, plan, route, capacity)
        if plan.people and route.name == PEOPLE_ROUTE and plan.possible(f"{PEOPLE:,} connections that ask once a second", PEOPLE):
            found["people"] = measure_people(stack, plan, route)
        if plan.forwarding and route.name == FORWARDING_ROUTE:
            found["forwarding"] = measure_forwarding(plan, route, {number: figures["requests_per_s"] for number, figures in found["routes"][route.name].items()})
        if plan.kafka_python and route.name in PYTHON_ROUTES:
            found["kafka_python"][route.name] = plan.kafka_python.measure(library, route, plan.seconds, say)
    return found
