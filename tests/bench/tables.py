"""The tables that people read of a run, as Markdown."""

from measure import PROXY
from ratios import cost_us, ratios
from scaling import CORES, LANES, ceilings

NOT_IN_RUN = "Not measured in this run."
# The handful that a newcomer wants; the rest is in docs/PERFORMANCE.md.
README_ROWS = (("GET /auth/me", "1"), ("GET /auth/me", "1000"), ("GET /documents/{id}", "1000"), ("POST /documents, 1 KB", "64"), ("POST /query", "16"),
               ("90 % read, 10 % write", "256"))


def _grid(head: list[str], rows: list[list[str]]) -> str:
    aligned = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, aligned, *rows))


def _ms(us: float) -> str:
    return f"{us / 1000:.2f}" if us < 100_000 else f"{us / 1000:,.0f}"


def _spread(figure: list[float]) -> str:
    median, least, most = figure
    return f"{median:,.0f} ({least:,.0f}–{most:,.0f})" if most > least else f"{median:,.0f}"


def about_text(summary: dict) -> str:
    about = summary["about"]
    rounds = "one round" if about["rounds"] == 1 else f"medians of {about['rounds']} rounds"
    return f"{about['cores']} cores ({about['cpu']}), {about['when']}, commit {about['commit']}, `{about['command'].strip()}`: {rounds} of {about['seconds']} s each."


def readme_table(summary: dict) -> str:
    peers = any("peer" in route for route in summary["routes"].values())
    proxied = any("proxied" in route for route in summary["routes"].values())
    rows = []
    for name, number in README_ROWS:
        route = summary["routes"].get(name, {"connections": {}})
        if number not in route["connections"]:
            continue
        row = route["connections"][number]
        cells = [f"`{name}`" if "/" in name else name, f"{int(number):,}", f"{row['requests_per_s'][0]:,.0f}", _ms(row["p50_us"][0]), _ms(row["p99_us"][0]),
                 f"{row['of_floor']:.2f}" if "of_floor" in row else ""]
        for wanted, beside in ((proxied, "proxied"), (peers, "peer")):
            if wanted:
                other = route.get(beside, {}).get(number)
                cells.append(f"{other['requests_per_s'][0]:,.0f}" if other else "")
        rows.append(cells)
    return _grid(["call", "connections", "requests/s", "p50 ms", "p99 ms", "of its floor", *(["through the proxy, requests/s"] if proxied else []),
                  *(["FastAPI peer, requests/s"] if peers else [])], rows)


def floors_table(summary: dict) -> str:
    floors = summary["floors"]
    rows = [[f"Kafka request and reply, {int(number):,} in flight", _spread(row["requests_per_s"]), _ms(row["p50_us"][0]), _ms(row["p99_us"][0])]
            for number, row in floors["kafka"].items()]
    rows += [[f"nginx `return 200`, {int(number):,} connections", _spread(row["requests_per_s"]), _ms(row["p50_us"][0]), _ms(row["p99_us"][0])]
             for number, row in floors["nginx"].items()]
    rows.append(["Redis: the session function, pipelined by 32", _spread(floors["redis"]), "", ""])
    named = {"document": "PostgreSQL: a document by its key, pipelined by ten",
             "page": "PostgreSQL: a page of the list, pipelined by ten", "search": "PostgreSQL: the question's search, one by one",
             "store": "PostgreSQL: durable documents of 1 KB, 32 clients"}
    rows += [[named[name], _spread(figure), "", ""] for name, figure in floors["postgres"].items()]
    return _grid(["floor", "a second", "p50 ms", "p99 ms"], rows)


def routes_table(summary: dict) -> str:
    rows = []
    for name, route in summary["routes"].items():
        for number, row in route["connections"].items():
            rows.append([name, f"{int(number):,}", _spread(row["requests_per_s"]), _ms(row["p50_us"][0]), _ms(row["p95_us"][0]), _ms(row["p99_us"][0]),
                         f"{row['errors']:,}", f"{row['of_floor']:.2f}" if "of_floor" in row else "", f"{sum(row['cpu_us_a_request'].values()):,.0f}",
                         f"{sum(row['switches_a_request'].values()):.1f}", f"{row['ring_enters_a_request']:.2f}",
                         _counted(row, "system_calls_a_request"), _counted(row, "instructions_a_request")])
    return _grid(["call", "connections", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors", "of its floor", "CPU µs", "context switches",
                  "io_uring enters", "system calls", "instructions"], rows)


def proxied_table(summary: dict) -> str:
    """Beside the same at the gateway's own port."""
    rows = []
    for name, route in summary["routes"].items():
        for number, row in route.get("proxied", {}).items():
            direct = route["connections"].get(number)
            rows.append([name, f"{int(number):,}", _spread(direct["requests_per_s"]) if direct else "", _spread(row["requests_per_s"]),
                         _ms(direct["p50_us"][0]) if direct else "", _ms(row["p50_us"][0]), _ms(direct["p99_us"][0]) if direct else "", _ms(row["p99_us"][0]),
                         f"{row['errors']:,}", f"{row['cpu_us_a_request'][PROXY]:,.0f}"])
    return _grid(["call", "connections", "own port, requests/s", "proxy, requests/s", "own port, p50 ms", "proxy, p50 ms", "own port, p99 ms", "proxy, p99 ms",
                  "errors", "the proxy's CPU µs"], rows) if rows else NOT_IN_RUN


def _counted(row: dict, key: str) -> str:
    return f"{sum(row[key].values()):,.0f}" if key in row else "n/a"


def parts_table(summary: dict, key: str, digits: int) -> str:
    """Of each part, at the most connections of each route."""
    rows, parts = [], []
    for name, route in summary["routes"].items():
        number = max(route["connections"], key=int)
        by_part = route["connections"][number][key]
        parts = list(by_part)
        rows.append([name, f"{int(number):,}", *(f"{value:,.{digits}f}" for value in by_part.values())])
    return _grid(["call", "connections", *parts], rows)


def idle_table(summary: dict) -> str:
    idle = summary["idle_cpu_ms_a_second"]
    return _grid(["", *idle], [["CPU ms a second", *(f"{value:,.0f}" for value in idle.values())]])


def open_loop_table(summary: dict) -> str:
    rows = []
    for name, route in summary["routes"].items():
        for percent, row in route.get("open_loop", {}).items():
            rows.append([name, percent, f"{row['offered_per_s']:,.0f}", _spread(row["requests_per_s"]), _ms(row["p50_us"][0]), _ms(row["p95_us"][0]), _ms(row["p99_us"][0]),
                         f"{row['errors']:,}", _refused(row)])
    if "people" in summary:
        row = summary["people"]
        rows.append(["GET /auth/me, 10,000 connections, one request a second each", "", f"{row['offered_per_s']:,.0f}", _spread(row["requests_per_s"]),
                     _ms(row["p50_us"][0]), _ms(row["p95_us"][0]), _ms(row["p99_us"][0]), f"{row['errors']:,}", _refused(row)])
    return _grid(["call", "% of capacity", "offered/s", "served/s", "p50 ms", "p95 ms", "p99 ms", "errors, all rounds", "of those refused, a round"], rows)


def _refused(row: dict) -> str:
    return f"{row['refused']:,.0f}" if "refused" in row else ""


def ratios_table(summary: dict) -> str:
    return _grid(["what", "asked", "measured", "reached"], [[ratio.what, ratio.asked, f"{ratio.value:,.{ratio.digits}f}", ratio.reached] for ratio in ratios(summary)])


def skipped_text(summary: dict) -> str:
    """What this machine's limits didn't let be measured."""
    lines = [f"- n/a: {what}: {why}." for what, why in summary.get("skipped", {}).items()]
    return "\n".join(lines) if lines else "Nothing was left out for want of open files or disk."


def forwarding_table(summary: dict) -> str:
    gateway = summary["routes"].get("GET /auth/me", {"connections": {}})["connections"]
    rows = [[kind, f"{int(number):,}", _spread(row["requests_per_s"]), f"{row['cpu_us_a_request']['nginx']:,.1f}",
             f"{gateway[number]['cpu_us_a_request']['gateway']:,.1f}" if number in gateway else ""]
            for kind, measured in summary.get("forwarding", {}).items() for number, row in measured.items()]
    return _grid(["nginx forwards", "connections", "requests/s", "its CPU µs a request", "the gateway's CPU µs a request"], rows) if rows else NOT_IN_RUN


def kafka_python_table(summary: dict) -> str:
    rows = []
    for name, route in summary["routes"].items():
        for number, python in route.get("kafka_python", {}).items():
            ours = route["connections"].get(number)
            service = LANES[name][0]
            rows.append([name, f"{int(number):,}", _spread(python["requests_per_s"]), _spread(ours["requests_per_s"]) if ours else "", _ms(python["p50_us"][0]),
                         _ms(ours["p50_us"][0]) if ours else "", _ms(python["p99_us"][0]), _ms(ours["p99_us"][0]) if ours else "", f"{python['errors']:,}",
                         f"{sum(python['cpu_us_a_request'].values()):,.0f}", f"{ours['cpu_us_a_request'][service]:,.0f}" if ours else ""])
    return _grid(["call", "connections", "Python, requests/s", "C, requests/s", "Python, p50 ms", "C, p50 ms", "Python, p99 ms", "C, p99 ms", "Python's errors",
                  "Python's CPU µs", "C's CPU µs"], rows) if rows else NOT_IN_RUN


def stored_table(summary: dict) -> str:
    rows = [[name, f"{int(size):,}", _spread(row["requests_per_s"]), _ms(row["p50_us"][0]), _ms(row["p99_us"][0]), f"{row['errors']:,}", f"{cost_us(row):,.0f}",
             f"{row['cpu_us_a_request']['PostgreSQL replicas'] + row['cpu_us_a_request']['PostgreSQL primary']:,.0f}"]
            for size, measured in summary.get("stored", {}).items() for name, row in measured.items()]
    rows.sort(key=lambda cells: list(summary["stored"][next(iter(summary["stored"]))]).index(cells[0]))
    return _grid(["call", "stored", "requests/s", "p50 ms", "p99 ms", "errors", "CPU µs", "of that PostgreSQL's"], rows) if rows else NOT_IN_RUN


def scaling_table(summary: dict) -> str:
    rows = []
    for name in LANES:
        found = ceilings(summary, name)
        if found:
            rows.append([name, f"{found.cost_us:,.0f}", f"{found.partitions}", *(_ceiling(figure) for figure in (found.cores, found.redis, found.workers, found.connections)), found.first])
    return _grid(["call", "CPU µs a request, all parts", "partitions", f"{CORES} cores in all, requests/s", "Redis' one thread", "a worker a partition", "a connection a worker",
                  "what is full first"], rows) if rows else NOT_IN_RUN


def _ceiling(figure: float) -> str:
    return f"{figure:,.0f}" if figure < 1e7 else "no limit"


def peer_table(summary: dict) -> str:
    rows = []
    for name, route in summary["routes"].items():
        for number, peer in route.get("peer", {}).items():
            row = route["connections"].get(number)
            ours = [f"{row['requests_per_s'][0] / max(peer['requests_per_s'][0], 0.1):.1f} ×", f"{peer['p99_us'][0] / max(row['p99_us'][0], 1):.1f} ×"] if row else ["", ""]
            rows.append([name, f"{int(number):,}", _spread(peer["requests_per_s"]), _ms(peer["p50_us"][0]), _ms(peer["p99_us"][0]), f"{peer['errors']:,}", *ours])
    return _grid(["call", "connections", "peer's requests/s", "p50 ms", "p99 ms", "errors", "Quire's requests/s", "peer's p99 / Quire's"], rows) if rows else NOT_IN_RUN


