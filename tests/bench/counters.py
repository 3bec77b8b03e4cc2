"""Instructions and system calls of processes, where the kernel lets perf count them: virtual machines often have no counters, and containers
no tracepoints. What can't be counted is left out, never guessed."""

import signal
import subprocess

from processes import with_descendants

EVENTS = {"instructions": "instructions", "system_calls": "raw_syscalls:sys_enter"}


def countable() -> dict[str, str]:
    """The events that count here."""
    def counts(event: str) -> bool:
        done = subprocess.run(["perf", "stat", "-x", ",", "-e", event, "true"], capture_output=True, text=True, check=False)
        return done.returncode == 0 and bool(parse(done.stderr))

    try:
        return {name: event for name, event in EVENTS.items() if counts(event)}
    except FileNotFoundError:
        return {}


def parse(text: str) -> list[float]:
    """The counts in perf's CSV, in the order of the events; <not supported> and <not counted> are none."""
    found = []
    for line in text.splitlines():
        count = line.partition(",")[0]
        if count.replace(".", "", 1).isdigit():
            found.append(float(count))
    return found


class Counting:
    """with Counting(events, pids) as counting: ...; then counting.found: {event: {part: count}}."""

    def __init__(self, events: dict[str, str], pids: dict[str, list[int]]) -> None:
        self.events, self.pids = events, pids
        self.found: dict[str, dict[str, float]] = {name: {} for name in events}
        self._runs: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Counting":
        for part, members in self.pids.items() if self.events else ():
            self._runs[part] = subprocess.Popen(
                ["perf", "stat", "-x", ",", "-e", ",".join(self.events.values()), "-p", ",".join(map(str, with_descendants(members)))],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_) -> None:
        for part, run in self._runs.items():
            run.send_signal(signal.SIGINT)
            counts = parse(run.communicate(timeout=10)[1])
            for name, count in zip(self.events, counts, strict=False):
                self.found[name][part] = count
