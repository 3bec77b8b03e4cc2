"""Medians over the rounds, their spread, and the ratios that the bench is for."""

import statistics

SPREAD = ("requests_per_s", "p50_us", "p95_us", "p99_us")  # kept as [median, least, most]
BY_PART = ("cpu_us_a_request", "switches_a_request", "rss_mb", "instructions_a_request", "system_calls_a_request")
STORE = "POST /documents, 1 KB"  # the route whose floor is PostgreSQL's own rate for the same rows


def spread(values: list[float]) -> list[float]:
    return [round(figure, 1) for figure in (statistics.median(values), min(values), max(values))]


def row(measured: list[dict]) -> dict:
    """One measurement over the rounds."""
    found: dict = {key: spread([figures[key] for figures in measured]) for key in SPREAD}
    found["errors"] = sum(figures.get("errors", 0) for figures in measured)
    for key in BY_PART:
        if key in measured[0]:
            found[key] = {part: statistics.median([figures[key].get(part, 0) for figures in measured]) for part in measured[0][key]}
    for key in ("ring_enters_a_request", "offered_per_s", "refused"):
        if key in measured[0]:
            found[key] = statistics.median([figures[key] for figures in measured])
    return found


def table(rounds: list[dict], *path) -> dict:
    """row() of everything that stands under that path, by its number as text."""
    def at(found: dict) -> dict:
        for step in path:
            found = found.get(step, {})
        return found

    return {str(number): row([at(found)[number] for found in rounds]) for number in at(rounds[0])}


def tables(rounds: list[dict], part: str) -> dict:
    """table() of each name under that part."""
    return {name: table(rounds, part, name) for name in rounds[0][part]}


def best(rows: dict) -> float:
    return max(figures["requests_per_s"][0] for figures in rows.values())


def composed_floor(*parts: float) -> float:
    """Requests a second if each cost what its parts (nginx, Kafka, Redis, PostgreSQL) cost by themselves, one after the other on the same cores."""
    return 1 / sum(1 / part for part in parts)


def summarize(rounds: list[dict], selects: dict[str, str | None]) -> dict:
    """`selects`: of each route the PostgreSQL floor that it stands on (routes.Route)."""
    kafka, nginx = table(rounds, "kafka"), table(rounds, "nginx")
    postgres = {name: spread([found["postgres"][name] for found in rounds]) for name in rounds[0]["postgres"]}
    redis = spread([found["redis"] for found in rounds])
    one_in_flight_us = kafka["1"]["p50_us"][0] + nginx[min(nginx, key=int)]["p50_us"][0]
    routes = {}
    for name in rounds[0]["routes"]:
        rows = table(rounds, "routes", name)
        route: dict = {"connections": rows}
        select = selects[name]
        if select is not None:
            database = [postgres[select][0]] if select else []
            route["floor_per_s"] = round(composed_floor(best(nginx), best(kafka), redis[0], *database), 1)
        elif name == STORE:
            route["floor_per_s"] = postgres["store"][0]
        if "floor_per_s" in route:
            for figures in rows.values():
                figures["of_floor"] = round(figures["requests_per_s"][0] / route["floor_per_s"], 3)
        if "1" in rows:
            route["p50_of_one_in_flight"] = round(rows["1"]["p50_us"][0] / one_in_flight_us, 2)
        if name in rounds[0]["open_loop"]:
            route["open_loop"] = table(rounds, "open_loop", name)
            if "1" in rows:
                route["p99_at_half_of_p50_at_one"] = round(route["open_loop"]["50"]["p99_us"][0] / rows["1"]["p50_us"][0], 1)
        for beside in ("proxied", "peer", "kafka_python"):
            if name in rounds[0][beside]:
                route[beside] = table(rounds, beside, name)
        routes[name] = route
    idle = {part: statistics.median([found["idle"][part] for found in rounds]) for part in rounds[0]["idle"]}
    summary = {"idle_cpu_ms_a_second": idle, "floors": {"kafka": kafka, "nginx": nginx, "postgres": postgres, "redis": redis}, "routes": routes,
               "forwarding": tables(rounds, "forwarding")}
    if "people" in rounds[0]:
        summary["people"] = row([found["people"] for found in rounds])
    return summary
