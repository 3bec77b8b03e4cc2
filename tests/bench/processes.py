"""What a run cost each process: CPU time, context switches, and the memory it holds. Read from /proc, before and after."""

import os
from dataclasses import dataclass

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Cost:
    cpu_s: float
    rss_bytes: int


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                children.setdefault(int(stat.read().rpartition(")")[2].split()[1]), []).append(int(entry))
        except OSError:
            continue
    return children


def cost_of(pid: int) -> Cost:
    """Of a process and all that descend from it; what has ended and been waited for counts with its parent."""
    children, tree = _children(), [pid]
    cpu_ticks = rss_pages = 0
    for member in tree:
        tree.extend(children.get(member, []))
        try:
            with open(f"/proc/{member}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
            cpu_ticks += sum(int(field) for field in fields[11:15])
            with open(f"/proc/{member}/statm") as statm:
                resident, shared = map(int, statm.read().split()[1:3])
            rss_pages += resident - shared if member != pid else resident
        except OSError:
            continue
    return Cost(cpu_ticks / TICKS_PER_S, rss_pages * PAGE_BYTES)


def costs(pids: dict[str, int]) -> dict[str, Cost]:
    return {name: cost_of(pid) for name, pid in pids.items()}
