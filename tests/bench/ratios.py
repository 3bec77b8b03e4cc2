"""What the bench is for: each target, and what this run reached."""

from dataclasses import dataclass

from measure import GENERATOR, PEOPLE_ROUTE
from nginx import Forwarding
from routes import PASSAGES_ROUTE

PEER_CONNECTIONS = "1000"
PASSAGES_CONNECTIONS = "16"
STORED_ROUTE = "GET /documents/{id}, big account"
LEAST_OF_FLOOR = {"GET /auth/me": 0.6, "GET /documents/{id}": 0.5, "POST /documents, 1 KB": 0.4}
AT_CONNECTIONS = {"GET /auth/me": ("256", "1000")}  # what the target is for; else where it is best


@dataclass(frozen=True)
class Ratio:
    """`least` or `most` is what is asked; neither: told, not asked."""
    what: str
    value: float
    least: float | None = None
    most: float | None = None
    digits: int = 2

    @property
    def asked(self) -> str:
        if self.least is not None:
            return f"≥ {self.least:g}"
        return f"≤ {self.most:g}" if self.most is not None else ""

    @property
    def reached(self) -> str:
        if self.least is None and self.most is None:
            return ""
        good = (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)
        return "yes" if good else "no"


def _of_floor(name: str, route: dict) -> list[Ratio]:
    rows = {number: row["of_floor"] for number, row in route["connections"].items() if "of_floor" in row}
    if not rows:
        return []
    floor = "PostgreSQL's own rate for the same rows" if name.startswith("POST /documents") else "its composed floor"
    numbers = [number for number in AT_CONNECTIONS.get(name, ()) if number in rows] or [max(rows, key=rows.get)]
    return [Ratio(f"{name}, {int(number):,} connections: of {floor}", rows[number], least=LEAST_OF_FLOOR.get(name)) for number in numbers]


def _route(name: str, route: dict) -> list[Ratio]:
    found = _of_floor(name, route)
    if "p50_of_one_in_flight" in route:
        found.append(Ratio(f"{name}: p50 at one connection / (Kafka at one in flight + nginx at one connection)", route["p50_of_one_in_flight"],
                           most=1.5 if name == "GET /auth/me" else None))
    if "p99_at_half_of_p50_at_one" in route:
        found.append(Ratio(f"{name}: p99 at half of capacity, open loop / p50 at one connection", route["p99_at_half_of_p50_at_one"], most=5, digits=1))
    peer, row = route.get("peer", {}).get(PEER_CONNECTIONS), route["connections"].get(PEER_CONNECTIONS)
    if peer and row:
        found.append(Ratio(f"{name}, 1,000 connections: requests/s / the synchronous peer's", row["requests_per_s"][0] / max(peer["requests_per_s"][0], 0.1), least=40, digits=1))
        found.append(Ratio(f"{name}, 1,000 connections: the synchronous peer's p99 / Quire's", peer["p99_us"][0] / max(row["p99_us"][0], 1), least=50, digits=1))
    for number, python in route.get("kafka_python", {}).items():
        if number in route["connections"]:
            found.append(Ratio(f"{name}, {int(number):,} connections: requests/s / those with a Python consumer on the same topic",
                               route["connections"][number]["requests_per_s"][0] / max(python["requests_per_s"][0], 0.1), digits=1))
    if name == PASSAGES_ROUTE and PASSAGES_CONNECTIONS in route["connections"]:
        found.append(Ratio(f"{name}, natural questions, 16 connections: p99, ms", route["connections"][PASSAGES_CONNECTIONS]["p99_us"][0] / 1000, most=20, digits=1))
    return found


def _people(row: dict) -> list[Ratio]:
    what = f"{PEOPLE_ROUTE}, 10,000 connections, one request a second each"
    return [Ratio(f"{what}: errors", row["errors"], most=0, digits=0), Ratio(f"{what}: p99, ms", row["p99_us"][0] / 1000, most=50, digits=1),
            Ratio(f"{what}: the gateway's memory, MB", row["rss_mb"]["gateway"], most=64, digits=0)]


def _forwarding(summary: dict) -> list[Ratio]:
    rows = summary["routes"].get("GET /auth/me", {"connections": {}})["connections"]
    return [Ratio(f"GET /auth/me, {int(number):,} connections: the gateway's CPU / nginx's that forwards the same bytes, {kind}",
                  rows[number]["cpu_us_a_request"]["gateway"] / max(row["cpu_us_a_request"]["nginx"], 0.1), most=1 if kind.startswith(Forwarding.LOGGED) else None)
            for kind, measured in summary.get("forwarding", {}).items() for number, row in measured.items() if number in rows]


def cost_us(row: dict) -> float:
    """CPU of a request, without the load generator's."""
    return sum(us for part, us in row["cpu_us_a_request"].items() if part != GENERATOR)


def _stored(summary: dict) -> list[Ratio]:
    sizes = sorted(summary.get("stored", {}), key=int)
    if len(sizes) < 2:
        return []
    first, last = sizes[0], sizes[-1]
    return [Ratio(f"{name}: CPU with {int(last):,} stored / with {int(first):,}", cost_us(row) / max(cost_us(summary["stored"][first][name]), 0.1),
                  most=1.3 if name == STORED_ROUTE else None) for name, row in summary["stored"][last].items()]


def ratios(summary: dict) -> list[Ratio]:
    found = [ratio for name, route in summary.get("routes", {}).items() for ratio in _route(name, route)]
    if "people" in summary:
        found += _people(summary["people"])
    if "routes" in summary:
        found += _forwarding(summary)
    return found + _stored(summary)
