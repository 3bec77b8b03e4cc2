"""The pictures of a run's figures: {file name: SVG text}."""

from measure import GENERATOR, PARTS
from ratios import cost_us
from svg import Bar, Line, LineChart, stacked_bars

# One colour a route in all pictures. Bodies of 100 KB and more are in the table only: their rates are of another kind.
ROUTES = {"GET /auth/me": 0, "GET /documents/{id}": 1, "GET /documents": 2, "90 % read, 10 % write": 3, "POST /query": 4, "POST /documents, 1 KB": 5}
READS = ("GET /auth/me", "GET /documents/{id}", "GET /documents", "90 % read, 10 % write")
PART_COLOURS = {part: colour for colour, part in enumerate((*PARTS, GENERATOR))}
LEAST = 0.001  # a logarithmic axis has no zero
BAR_CONNECTIONS = ("64", "1000")


def _drawn(summary: dict) -> dict[str, dict]:
    return {name: summary["routes"][name] for name in ROUTES if name in summary["routes"]}


def _subtitle(summary: dict) -> str:
    about = summary["about"]
    rounds = "one round" if about["rounds"] == 1 else f"median of {about['rounds']} rounds, bars: least and most"
    return f"{about['cores']} cores for everything, load generator included; {rounds}"


def _line(name: str, colour: int, rows: dict, key: str, scale: float, dashed: bool = False) -> Line:
    return Line(name, colour, [(float(at), *(max(figure * scale, LEAST) for figure in row[key])) for at, row in rows.items()], dashed)


def throughput(summary: dict) -> str:
    routes = _drawn(summary)
    lines = [_line(name, ROUTES[name], route["connections"], "requests_per_s", 1) for name, route in routes.items()]
    numbers = [float(number) for number in next(iter(routes.values()))["connections"]]
    floor = routes.get("GET /documents/{id}", {}).get("floor_per_s")
    if floor:
        lines.append(Line("composed floor of a read", 8, [(number, floor, floor, floor) for number in numbers], dashed=True))
    return LineChart("Requests a second against connections", _subtitle(summary), "connections (closed loop)", "requests a second", lines, numbers).draw()


def latency(summary: dict) -> str:
    routes = _drawn(summary)
    lines = [_line(name, ROUTES[name], route["connections"], "p99_us", 1e-3) for name, route in routes.items()]
    numbers = [float(number) for number in next(iter(routes.values()))["connections"]]
    return LineChart("99th percentile of latency against connections", _subtitle(summary), "connections (closed loop)", "milliseconds", lines, numbers).draw()


def open_loop(summary: dict) -> str:
    lines, percents = [], set()
    for name, route in _drawn(summary).items():
        if "open_loop" in route:
            percents.update(map(float, route["open_loop"]))
            lines.append(_line(f"{name}, p99", ROUTES[name], route["open_loop"], "p99_us", 1e-3))
            lines.append(_line(f"{name}, p50", ROUTES[name], route["open_loop"], "p50_us", 1e-3, dashed=True))
    return LineChart("Latency at a constant rate of arrivals, from when a request was due", _subtitle(summary),
                     "offered, in % of what the closed loop reached", "milliseconds", lines, sorted(percents), x_logarithmic=False).draw()


STORED = {"GET /documents/{id}, big account": 1, "GET /documents, big account": 2, "POST /query, big account": 4, "GET /documents/{id}, small account": 3,
          "GET /documents, small account": 5, "POST /query, small account": 6, "GET /auth/me": 8}


def stored(summary: dict) -> str:
    def line(name: str, colour: int) -> Line:
        found = [(float(size), cost_us(measured[name])) for size, measured in summary["stored"].items() if name in measured]
        return Line(name, colour, [(size, cost, cost, cost) for size, cost in found], dashed=name == "GET /auth/me")

    return LineChart("CPU time of a request against stored documents", "all processes but the load generator's; GET /auth/me reads no document and shows the machine's own drift",
                     "documents stored", "microseconds", [line(name, colour) for name, colour in STORED.items()], [float(size) for size in summary["stored"]],
                     label_px=240).draw()


def cpu(summary: dict) -> str:
    def bars(names) -> list[Bar]:
        return [Bar(f"{name} · {int(number):,}", {part: max(value, 0) for part, value in route["connections"][number]["cpu_us_a_request"].items()})
                for name, route in _drawn(summary).items() if name in names for number in BAR_CONNECTIONS if number in route["connections"]]

    panels = [("Reads and the mix · connections", bars(READS)), ("Search and durable writes · connections", bars([name for name in ROUTES if name not in READS]))]
    return stacked_bars("CPU time of a request, by process", _subtitle(summary).partition(";")[0] + "; microseconds", "µs", PART_COLOURS,
                        [panel for panel in panels if panel[1]])


def plots(summary: dict) -> dict[str, str]:
    if not _drawn(summary):
        return {}
    pictures = {"throughput.svg": throughput(summary), "latency.svg": latency(summary), "cpu.svg": cpu(summary)}
    if any("open_loop" in route for route in _drawn(summary).values()):
        pictures["open-loop.svg"] = open_loop(summary)
    if summary.get("stored"):
        pictures["stored.svg"] = stored(summary)
    return pictures
