"""What would saturate first on a machine with more cores: from what a request costs each part in the kept run, and what each part can be split by.

A part is at its end when the most threads that it can be split over are all busy. The gateway, the broker's threads, PostgreSQL's replicas and the processes of a service
have no such end of their own: there may be any number. But a lane has a number of partitions, each is read by one worker, a worker waits for one PostgreSQL
connection at a time; and Redis runs functions on one thread."""

from dataclasses import dataclass

from measure import GENERATOR, PROXY

CORES = 32
# The service that answers a route, and its lane's topic.
LANES = {"GET /auth/me": ("session", "quire.session"), "GET /documents/{id}": ("documents", "quire.documents.read"),
         "GET /documents": ("documents", "quire.documents.read"), "POST /query": ("query", "quire.query"),
         "POST /documents, 1 KB": ("documents", "quire.documents.write")}


@dataclass(frozen=True)
class Ceilings:
    """Requests a second."""
    cost_us: float  # of all parts, without the load generator
    cores: float
    redis: float
    workers: float
    connections: float
    partitions: int

    @property
    def first(self) -> str:
        by_name = {f"the {CORES} cores": self.cores, "Redis' one thread": self.redis, "the workers": self.workers, "their connections": self.connections}
        return min(by_name, key=by_name.get)


def _a_second(threads: int, us_a_request: float) -> float:
    return threads * 1e6 / us_a_request if us_a_request > 0 else float("inf")


def ceilings(summary: dict, name: str) -> Ceilings | None:
    """From the row with the most requests a second; None where the run has none, or doesn't know how many partitions there are."""
    service, topic = LANES[name]
    rows = summary["routes"].get(name, {}).get("connections")
    partitions = summary.get("partitions", {}).get(topic)
    if not rows or not partitions:
        return None
    cost = max(rows.values(), key=lambda row: row["requests_per_s"][0])["cpu_us_a_request"]
    whole = sum(us for part, us in cost.items() if part not in (GENERATOR, PROXY))
    return Ceilings(whole, _a_second(CORES, whole), _a_second(1, cost["Redis"]), _a_second(partitions, cost[service]),
                    _a_second(partitions, cost["PostgreSQL primary"] + cost["PostgreSQL replicas"]), partitions)
