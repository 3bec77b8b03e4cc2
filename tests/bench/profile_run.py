"""Flame graphs of the gateway and the services at saturation: on the cores (samples of the CPU clock), and away from them (every switch with the time until the
return). Needs perf. What the kernel does is seen where the process may ask for it (CAP_SYS_ADMIN or CAP_PERFMON, or kernel.perf_event_paranoid at most 1), else the user's side alone, and no
time away from the cores; the page says which."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter

import flame
import load
import perf_script
import processes
from profiles import FOLDER, INDEX, KINDS, TARGETS, TOP, Target, picture_name
from raised import RAISED_LIMITS
from routes import Library
from servers.binary import SOURCE
from servers.stack import Stack

SECONDS, OFF_SECONDS = 6, 2
LOAD_BEFORE_S, LOAD_AFTER_S = 2, 1
HZ = 499
STACK_BYTES = {"on": 8192, "off": 4096}  # of each sample, for unwinding
SCRIPT_S = 600


def sees_kernel() -> bool:
    done = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock:k", "-o", os.devnull, "true"], capture_output=True, check=False)
    return done.returncode == 0


def record(pid: int, kind: str, kernel: bool, path: str) -> None:
    event = ["-e", "cpu-clock" if kernel else "cpu-clock:u", "-F", str(HZ)] if kind == "on" else ["-e", "context-switches", "-c", "1", "--switch-events"]
    seconds = SECONDS if kind == "on" else OFF_SECONDS
    done = subprocess.run(["perf", "record", "-q", *event, "--call-graph", f"dwarf,{STACK_BYTES[kind]}", "-p", str(pid), "-o", path, "--", "sleep", str(seconds)],
                          check=False, capture_output=True, text=True, timeout=seconds + 120)
    if done.returncode != 0:
        raise RuntimeError(f"perf record of {pid}: {done.stderr}")


def stacks_of(path: str, kind: str) -> Counter:
    """Reads as perf writes: the text of a profile is far larger than its stacks."""
    words = ["perf", "script", "-i", path, "-F", perf_script.FIELDS, "--no-inline", *(["--show-switch-events"] if kind == "off" else [])]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace") as script:
        killer = threading.Timer(SCRIPT_S, script.kill)
        killer.start()
        try:
            return (perf_script.on_cpu if kind == "on" else perf_script.off_cpu)(script.stdout)
        finally:
            killer.cancel()


def split_of(pid: int, run) -> tuple[float, float]:
    """Seconds on a core in the user's side and the kernel's, while run() ran."""
    def times() -> tuple[int, int]:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return int(fields[11]), int(fields[12])

    before = times()
    run()
    after = times()
    return tuple((late - early) / processes.TICKS_PER_S for late, early in zip(after, before, strict=True))


def profile_part(stack, target: Target, requests, kind: str, kernel: bool, folder: pathlib.Path) -> dict:
    """Draws one, and returns what profiles.py tells of it."""
    server, seconds = getattr(stack, target.server), SECONDS if kind == "on" else OFF_SECONDS
    figures: dict = {}
    loading = threading.Thread(target=lambda: figures.update(load.closed(stack.gateway.port, requests, target.connections, LOAD_BEFORE_S + seconds + LOAD_AFTER_S)))
    loading.start()
    time.sleep(LOAD_BEFORE_S)
    with tempfile.NamedTemporaryFile(suffix=".perf") as data:
        user_s, system_s = split_of(server.pid, lambda: record(server.pid, kind, kernel, data.name))
        loading.join()
        stacks = stacks_of(data.name, kind)
    weight = 1 / HZ if kind == "on" else 1
    stacks = Counter({stack_: count * weight for stack_, count in stacks.items()})
    title = f"{target.part}, {KINDS[kind]}: {target.route} at {target.connections:,} connections"
    picture = flame.draw(title, f"{sum(stacks.values()):.1f} s of all its threads in {seconds} s; frames below {flame.LEAST_SHARE:.1%} are left out", "s", stacks)
    (folder / picture_name(target.part, kind)).write_text(picture)
    busy = f"In {seconds} s: {user_s:.1f} s of CPU in the user's side, {system_s:.1f} s in the kernel; {figures['requests_per_s']:,.0f} requests/s while perf looked."
    print(f"  {title}: {busy} {len(picture) / 1000:.0f} KB", file=sys.stderr, flush=True)
    return {"part": target.part, "kind": kind, "route": target.route, "connections": target.connections, "busy": busy,
            "innermost": rounded(flame.costs(stacks, TOP)), "own": rounded(flame.costs(stacks, TOP, flame.innermost_own))}


def rounded(costs: list[tuple[str, float]]) -> list[list]:
    return [[name, round(share, 3)] for name, share in costs]


def profile(about: dict) -> None:
    kernel = sees_kernel()
    folder = pathlib.Path(SOURCE) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    home = tempfile.mkdtemp(prefix="quire-profile-")
    stack, found = Stack(home, RAISED_LIMITS, gateways=1, as_deployed=True), {}
    try:
        stack.start()
        library = Library(stack.gateway.url, os.path.join(home, "requests"))
        files = {route.name: route.file for route in library.routes()}
        for target in TARGETS:
            load.closed(stack.gateway.port, files[target.route], 64, LOAD_BEFORE_S)
            for kind in KINDS if kernel else ("on",):
                found[picture_name(target.part, kind)] = profile_part(stack, target, files[target.route], kind, kernel, folder)
    finally:
        stack.stop()
    seen = "Kernel and user's side." if kernel else "The user's side alone: the kernel lets nobody here look further (CAP_PERFMON, or kernel.perf_event_paranoid at most 1)."
    (folder / INDEX).write_text(json.dumps({"about": {**about, "kernel": seen}, "profiles": found}, indent=1) + "\n")
