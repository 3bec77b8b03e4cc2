"""What a run cost each part: CPU time, context switches, and the memory it holds. Read from /proc, before and after."""

import os
from dataclasses import dataclass

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Cost:
    cpu_s: float = 0.0
    rss_bytes: int = 0
    switches: int = 0

    def add(self, other: "Cost") -> None:
        self.cpu_s += other.cpu_s
        self.rss_bytes += other.rss_bytes
        self.switches += other.switches


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                children.setdefault(int(stat.read().rpartition(")")[2].split()[1]), []).append(int(entry))
        except OSError:
            continue
    return children


def with_descendants(pids: list[int]) -> list[int]:
    children, tree = _children(), list(pids)
    for member in tree:
        tree.extend(children.get(member, []))
    return tree


def _switches(pid: int) -> int:
    """Of all threads that live; /proc/PID/status has only the first one's. One that ends while it is looked at doesn't hide the process."""
    count = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/status") as status:
                count += sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
        except OSError:
            continue
    return count


def _cost_of(root: int, children: dict[int, list[int]]) -> Cost:
    """Of a process and all that descend from it; what has ended and been waited for counts with its parent."""
    cost, tree = Cost(), [root]
    for member in tree:
        tree.extend(children.get(member, []))
        try:
            with open(f"/proc/{member}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
            with open(f"/proc/{member}/statm") as statm:
                resident, shared = map(int, statm.read().split()[1:3])
            switches = _switches(member)
        except OSError:
            continue
        cost.add(Cost(sum(int(field) for field in fields[11:15]) / TICKS_PER_S,
                      (resident if member == root else resident - shared) * PAGE_BYTES, switches))
    return cost


def costs(pids: dict[str, list[int]]) -> dict[str, Cost]:
    """Of each part, which may be several processes."""
    children, found = _children(), {}
    for part, members in pids.items():
        found[part] = Cost()
        for pid in members:
            found[part].add(_cost_of(pid, children))
    return found


def a_request(before: dict[str, Cost], after: dict[str, Cost], requests: int) -> dict[str, dict[str, float]]:
    """{"cpu_us_a_request": {part: ...}, "switches_a_request": ..., "rss_mb": ...}. A thread that ended meanwhile takes its switches along."""
    requests = max(requests, 1)
    return {
        "cpu_us_a_request": {part: round((after[part].cpu_s - before[part].cpu_s) * 1e6 / requests, 1) for part in after},
        "switches_a_request": {part: round(max(after[part].switches - before[part].switches, 0) / requests, 2) for part in after},
        "rss_mb": {part: round(after[part].rss_bytes / 1e6, 1) for part in after},
    }
