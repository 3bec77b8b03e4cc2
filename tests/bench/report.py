"""What people read of a run: the table of README, the tables and plots of docs/PERFORMANCE.md, all made from the figures that are kept."""

import json
import pathlib

import plots

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = "docs/performance/bench.json"
NO_RUN = "No run is kept yet: `./quire bench --keep` measures and fills this in."
# The handful that a newcomer wants; the rest is in docs/PERFORMANCE.md.
README_ROWS = (("GET /auth/me", "1"), ("GET /auth/me", "1000"), ("GET /documents/{id}", "1000"), ("POST /documents, 1 KB", "64"), ("POST /query", "16"),
               ("90 % read, 10 % write", "256"))


def dump(summary: dict) -> str:
    """JSON with a line for each measurement, so that two runs can be compared by eye."""
    def lines(value, depth: int) -> str:
        if not isinstance(value, dict) or not value or depth == 0:
            return json.dumps(value)
        inner = ",\n".join(" " * (6 - depth) + json.dumps(key) + ": " + lines(item, depth - 1) for key, item in value.items())
        return "{\n" + inner + "\n" + " " * (5 - depth) + "}"

    return lines(summary, 4) + "\n"


def kept(root: pathlib.Path = ROOT) -> dict | None:
    path = root / KEPT
    return json.loads(path.read_text()) if path.exists() else None


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
    rows = []
    for name, number in README_ROWS:
        route = summary["routes"].get(name, {"connections": {}})
        if number not in route["connections"]:
            continue
        row = route["connections"][number]
        cells = [f"`{name}`" if "/" in name else name, f"{int(number):,}", f"{row['requests_per_s'][0]:,.0f}", _ms(row["p50_us"][0]), _ms(row["p99_us"][0]),
                 f"{row['of_floor']:.2f}" if "of_floor" in row else ""]
        if peers:
            peer = route.get("peer", {}).get(number)
            cells.append(f"{peer['requests_per_s'][0]:,.0f}" if peer else "")
        rows.append(cells)
    return _grid(["call", "connections", "requests/s", "p50 ms", "p99 ms", "of its floor", *(["FastAPI peer, requests/s"] if peers else [])], rows)


def floors_table(summary: dict) -> str:
    floors = summary["floors"]
    rows = [[f"Kafka request and reply, {int(number):,} in flight", _spread(row["requests_per_s"]), _ms(row["p50_us"][0]), _ms(row["p99_us"][0])]
            for number, row in floors["kafka"].items()]
    rows += [[f"nginx `return 200`, {int(number):,} connections", _spread(row["requests_per_s"]), _ms(row["p50_us"][0]), _ms(row["p99_us"][0])]
             for number, row in floors["nginx"].items()]
    rows.append(["Redis: the session function, pipelined by 32", _spread(floors["redis"]), "", ""])
    named = {"account": "PostgreSQL: the account of `/auth/me`, pipelined by ten", "document": "PostgreSQL: a document by its key, pipelined by ten",
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
                         f"{row['errors']:,}"])
    if "people" in summary:
        row = summary["people"]
        rows.append(["GET /auth/me, 10,000 connections, one request a second each", "", f"{row['offered_per_s']:,.0f}", _spread(row["requests_per_s"]),
                     _ms(row["p50_us"][0]), _ms(row["p95_us"][0]), _ms(row["p99_us"][0]), f"{row['errors']:,}"])
    return _grid(["call", "% of capacity", "offered/s", "answered/s", "p50 ms", "p95 ms", "p99 ms", "errors"], rows)


def ratios_table(summary: dict) -> str:
    rows = []
    for name, route in summary["routes"].items():
        if "of_floor" in next(iter(route["connections"].values()), {}):
            rows.append([f"{name}: of its floor, at best", f"{max(row['of_floor'] for row in route['connections'].values()):.2f}"])
        if "p50_of_one_in_flight" in route:
            rows.append([f"{name}: p50 at one connection / (Kafka at one in flight + nginx at one connection)", f"{route['p50_of_one_in_flight']:.2f}"])
        if "p99_at_half_of_p50_at_one" in route:
            rows.append([f"{name}: p99 at half of capacity, open loop / p50 at one connection", f"{route['p99_at_half_of_p50_at_one']:.1f}"])
    if "people" in summary:
        rows.append(["gateway's memory with 10,000 connections, MB", f"{summary['people']['rss_mb']['gateway']:.0f}"])
    return _grid(["what", "ratio"], rows)


def peer_table(summary: dict) -> str:
    rows = []
    for name, route in summary["routes"].items():
        for number, peer in route.get("peer", {}).items():
            row = route["connections"].get(number)
            ours = [f"{row['requests_per_s'][0] / max(peer['requests_per_s'][0], 0.1):.1f} ×", f"{peer['p99_us'][0] / max(row['p99_us'][0], 1):.1f} ×"] if row else ["", ""]
            rows.append([name, f"{int(number):,}", _spread(peer["requests_per_s"]), _ms(peer["p50_us"][0]), _ms(peer["p99_us"][0]), f"{peer['errors']:,}", *ours])
    return _grid(["call", "connections", "peer's requests/s", "p50 ms", "p99 ms", "errors", "Quire's requests/s", "peer's p99 / Quire's"], rows) if rows else "The peer was not measured in this run."


def full_table(summary: dict) -> str:
    return "\n\n".join((floors_table(summary), routes_table(summary), open_loop_table(summary), ratios_table(summary), peer_table(summary)))


def sections(summary: dict | None) -> dict[str, dict[str, str]]:
    """{page: {marker: what stands between <!-- bench:marker --> and <!-- /bench:marker -->}}"""
    if summary is None:
        names = ("about", "ratios", "floors", "routes", "cpu", "memory", "idle", "open-loop", "peer", "plots")
        return {"README.md": {"readme": NO_RUN}, "docs/PERFORMANCE.md": dict.fromkeys(names, NO_RUN)}
    pictures = "\n\n".join(f"![{name.removesuffix('.svg')}](performance/{name})" for name in plots.plots(summary))
    return {
        "README.md": {"readme": about_text(summary) + "\n\n" + readme_table(summary)},
        "docs/PERFORMANCE.md": {
            "about": about_text(summary), "ratios": ratios_table(summary), "floors": floors_table(summary), "routes": routes_table(summary),
            "cpu": parts_table(summary, "cpu_us_a_request", 0), "memory": parts_table(summary, "rss_mb", 0), "idle": idle_table(summary), "open-loop": open_loop_table(summary),
            "peer": peer_table(summary), "plots": pictures,
        },
    }


def filled(text: str, by_marker: dict[str, str]) -> str:
    """The page with what stands between its markers replaced. Raises ValueError where a marker is missing."""
    for marker, content in by_marker.items():
        begin, end = f"<!-- bench:{marker} -->\n", f"<!-- /bench:{marker} -->"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not found or not ended:
            raise ValueError(f"no {begin.strip()} … {end}")
        text = before + begin + content + "\n" + end + after
    return text


def write_all(summary: dict | None, root: pathlib.Path = ROOT) -> None:
    for page, by_marker in sections(summary).items():
        path = root / page
        path.write_text(filled(path.read_text(), by_marker))
    folder = root / pathlib.Path(KEPT).parent
    for name, picture in plots.plots(summary).items() if summary else ():
        (folder / name).write_text(picture)


def keep(summary: dict, root: pathlib.Path = ROOT) -> None:
    path = root / KEPT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump(summary))
    write_all(summary, root)
