"""Requests at a constant rate, whatever the server does (tests/bench/arrivals.c), in processes of their own."""

import json
import pathlib
import subprocess
from dataclasses import dataclass

START_S = 60  # to open the connections, and to end


@dataclass
class Traffic:
    """One stream of arrivals. Its answers are told by kind: served, limited (429), refused (503), expired (504), failed; and what was never sent: unsent."""

    build: str
    port: int
    requests: pathlib.Path
    rate: int
    connections: int
    seconds: float
    niceness: int = 0

    def start(self) -> "Traffic":
        words = ["nice", "-n", str(self.niceness), f"{self.build}/tests/bench/arrivals", str(self.port), str(self.requests), str(self.rate), str(self.seconds), str(self.connections)]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        return self

    def wait(self) -> dict:
        output, _ = self._process.communicate(timeout=self.seconds + START_S)
        assert self._process.returncode == 0, f"arrivals ended with {self._process.returncode}"
        return json.loads(output)

    def run(self) -> dict:
        return self.start().wait()


def goodput(figures: dict, seconds: float) -> float:
    """Requests a second that were served before the load ended."""
    return figures["outcomes"]["served"]["in_time"] / seconds


def sent_of(figures: dict) -> int:
    """Requests that the load generator got round to: the rest says nothing of the server, as long as it answers what is sent."""
    return figures["requests"] - figures["outcomes"]["unsent"]["count"]


def served_part(figures: dict) -> float:
    """Of what was sent."""
    return figures["outcomes"]["served"]["count"] / max(sent_of(figures), 1)


def together(*streams: Traffic) -> list[dict]:
    for stream in streams:
        stream.start()
    return [stream.wait() for stream in streams]
