"""The kept profiles: which there are, and what they say costs most."""

import json
import pathlib
from dataclasses import dataclass

FOLDER = "docs/performance/flame"
INDEX = "profiles.json"
NONE = "No profile is kept yet: `./quire bench --profile` makes them."
TOP, LEAST_TOLD = 8, 0.005


@dataclass(frozen=True)
class Target:
    """A part and the load that it is looked at under."""
    part: str
    route: str
    connections: int
    server: str  # the stack's attribute


TARGETS = (Target("gateway", "GET /auth/me", 1000, "gateway"), Target("session", "GET /auth/me", 1000, "session"),
           Target("documents", "GET /documents/{id}", 1000, "documents"), Target("query", "POST /query", 64, "query"))
KINDS = {"on": "on a core", "off": "away from the cores"}


def picture_name(part: str, kind: str) -> str:
    return f"{part}-{kind}-cpu.svg"


def _list(costs: list[list]) -> str:
    return ", ".join(f"`{name}` {share:.0%}" for name, share in costs if share >= LEAST_TOLD)


def profiles_text(root: pathlib.Path) -> str:
    path = root / FOLDER / INDEX
    if not path.exists():
        return NONE
    found = json.loads(path.read_text())
    about = found["about"]
    parts = [f"{about['cores']} cores ({about['cpu']}), {about['when']}, commit {about['commit']}, `./quire bench --profile`. {about['kernel']}"]
    for name, profile in found["profiles"].items():
        lists = [f"Quire's functions, with what they call: {_list(profile['own'])}."]
        if profile["kind"] == "on":  # away from the cores every stack ends in the scheduler
            lists.append(f"Innermost frames: {_list(profile['innermost'])}.")
        parts.append(f"### {profile['part']}, {KINDS[profile['kind']]}: `{profile['route']}` at {profile['connections']:,} connections\n\n"
                     f"![{profile['part']}, {profile['kind']} CPU](performance/flame/{name})\n\n"
                     f"{profile['busy']} {' '.join(lists)}")
    return "\n\n".join(parts)
