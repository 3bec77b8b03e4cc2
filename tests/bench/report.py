"""What people read of a run: the table of README, the tables and plots of docs/PERFORMANCE.md, all made from the figures that are kept."""

import json
import pathlib

import plots
import tables
from profiles import profiles_text

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = "docs/performance/bench.json"
NO_RUN = "No run is kept yet: `./quire bench --keep` measures and fills this in."


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


def tables_of(summary: dict) -> dict[str, str]:
    """What stands between the markers of docs/PERFORMANCE.md, but for the pictures."""
    return {
        "about": tables.about_text(summary), "ratios": tables.ratios_table(summary), "skipped": tables.skipped_text(summary), "floors": tables.floors_table(summary),
        "routes": tables.routes_table(summary), "proxied": tables.proxied_table(summary), "cpu": tables.parts_table(summary, "cpu_us_a_request", 0),
        "memory": tables.parts_table(summary, "rss_mb", 0), "idle": tables.idle_table(summary), "open-loop": tables.open_loop_table(summary),
        "stored": tables.stored_table(summary), "forwarding": tables.forwarding_table(summary), "kafka-python": tables.kafka_python_table(summary),
        "peer": tables.peer_table(summary), "scaling": tables.scaling_table(summary),
    }


ON_SCREEN = ("floors", "routes", "proxied", "open-loop", "stored", "forwarding", "kafka-python", "peer", "ratios", "skipped")
PICTURES, PROFILES = "plots", "profiles"
MARKERS = ("about", "ratios", "skipped", "floors", "routes", "proxied", "cpu", "memory", "idle", "open-loop", "stored", "forwarding", "kafka-python", "peer", "scaling", PICTURES)


def full_table(summary: dict) -> str:
    if "routes" not in summary:
        return "\n\n".join((tables.stored_table(summary), tables.ratios_table(summary), tables.skipped_text(summary)))
    found = tables_of(summary)
    return "\n\n".join(found[name] for name in ON_SCREEN if found[name] != tables.NOT_IN_RUN)


def sections(summary: dict | None, root: pathlib.Path = ROOT) -> dict[str, dict[str, str]]:
    """{page: {marker: what stands between <!-- bench:marker --> and <!-- /bench:marker -->}}"""
    profiles = {PROFILES: profiles_text(root)}
    if summary is None:
        return {"README.md": {"readme": NO_RUN}, "docs/PERFORMANCE.md": {**dict.fromkeys(MARKERS, NO_RUN), **profiles}}
    pictures = "\n\n".join(f"![{name.removesuffix('.svg')}](performance/{name})" for name in plots.plots(summary))
    return {
        "README.md": {"readme": tables.about_text(summary) + "\n\n" + tables.readme_table(summary)},
        "docs/PERFORMANCE.md": {**tables_of(summary), PICTURES: pictures, **profiles},
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
    for page, by_marker in sections(summary, root).items():
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
