#!/usr/bin/env python3
"""The bench: the floors and the full path in one run on loopback, at the gateway's own port; ratios between them.

The figures of one machine at one time mean little by themselves, so the parts are measured in the same minutes as the whole, round by round; medians
are told, with their spread. Servers are as deployed: durable, logging, limits computed but raised. The load generator runs on the same cores."""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from servers.ports import free_port  # noqa: E402
from servers.stack import Stack  # noqa: E402

import load  # noqa: E402
import report  # noqa: E402
from floors import Nginx  # noqa: E402
from measure import Plan, measure_round  # noqa: E402
from peer.peer import Peer  # noqa: E402
from routes import Library, Route  # noqa: E402
from summary import summarize  # noqa: E402

WARM_UP_S = 3
SECONDS_MAX, ROUNDS_MAX, CONNECTIONS_MAX = 60, 20, 10_000
FULL = {"rounds": 3, "connections": [1, 16, 64, 256, 1000], "routes": "", "open_loop": ["GET /auth/me", "GET /documents/{id}"], "people": True}
QUICK = {"rounds": 1, "connections": [1, 64, 1000], "routes": "", "open_loop": ["GET /auth/me"], "people": False}


def bounded(least: int, most: int):
    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"from {least} to {most}")
        return value

    return number


def connections_list(text: str) -> list[int]:
    return sorted({bounded(1, CONNECTIONS_MAX)(part) for part in text.split(",")})


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round at 1, 64 and 1,000 connections: two to three minutes; the full run takes about ten")
    parser.add_argument("--seconds", type=bounded(1, SECONDS_MAX), default=2, help="of each measurement; a floor takes at most 5 [%(default)s]")
    parser.add_argument("--rounds", type=bounded(1, ROUNDS_MAX), help="of everything; medians and spread are told [3]")
    parser.add_argument("--connections", type=connections_list, help="as 1,64,1000; 10000 is possible [1,16,64,256,1000]")
    parser.add_argument("--routes", help="only routes whose name contains this text, or one of several, separated by |")
    parser.add_argument("--no-open-loop", action="store_true", help="leave out constant arrival rates and the 10,000 who ask once a second")
    parser.add_argument("--peer", action="store_true", help="measure the synchronous shape of tests/bench/peer too; its packages come from PyPI the first time")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("bench-results/bench.json"), help="where the figures go [%(default)s]")
    parser.add_argument("--keep", action="store_true", help="keep the figures in docs/performance, and make README's table, docs/PERFORMANCE.md's and the plots")
    parser.add_argument("--report", action="store_true", help="measure nothing: make them again from the figures that are kept")
    parser.add_argument("--build", default=os.environ.get("QUIRE_BUILD", "/build/release"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    for name, value in (QUICK if arguments.quick else FULL).items():
        if getattr(arguments, name, None) is None:
            setattr(arguments, name, value)
    if arguments.no_open_loop:
        arguments.open_loop, arguments.people = [], False
    return arguments


def wanted(routes: list[Route], text: str) -> list[Route]:
    found = [route for route in routes if any(part.strip() in route.name for part in text.split("|"))]
    if not found:
        raise SystemExit(f"no route has '{text}' in its name; there are: " + ", ".join(route.name for route in routes))
    return found


def warm_up(port: int, routes: list[Route]) -> None:
    """The broker's code is compiled while it runs: its first seconds say nothing of the others."""
    for route in routes:
        load.closed(port, route.file, min(64, route.connections_max), WARM_UP_S)


def about(arguments: argparse.Namespace) -> dict:
    with open("/proc/cpuinfo") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {"when": time.strftime("%Y-%m-%d"), "commit": os.environ.get("QUIRE_COMMIT", "unknown"), "cores": os.cpu_count(),
            "cpu": models[0] if models else "unknown", "seconds": arguments.seconds, "rounds": arguments.rounds,
            "command": "./quire bench " + " ".join(word for word in sys.argv[1:])}


def measure(arguments: argparse.Namespace) -> dict:
    folder = tempfile.mkdtemp(prefix="quire-bench-")
    stack = Stack(folder, {"QUIRE_LIMITS": "off"}, gateways=1, as_deployed=True)
    peer = Peer(stack, os.path.join(folder, "peer")) if arguments.peer else None
    try:
        stack.start()
        stack.kafka.create_topics([{"name": f"bench.{name}", "partitions": 1, "config": {}} for name in ("requests", "replies")])
        library = Library(stack.gateway.url, os.path.join(folder, "requests"))
        routes = wanted(library.routes(), arguments.routes)
        plan = Plan(arguments.build, arguments.seconds, arguments.connections, arguments.open_loop, arguments.people, peer)
        if peer:
            peer.start()
        warm_up(stack.gateway.port, routes)
        rounds = []
        with Nginx(os.path.join(folder, "nginx"), free_port()) as nginx:
            for number in range(arguments.rounds):
                print(f"Round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
                rounds.append(measure_round(stack, plan, library, routes, nginx))
    finally:
        if peer:
            peer.stop()
        stack.stop()
    return {"about": about(arguments), **summarize(rounds, {route.name: route.select for route in routes})}


def main() -> None:
    arguments = parse()
    if arguments.report:
        report.write_all(report.kept())
        return
    os.environ["QUIRE_BUILD"] = arguments.build
    began = time.monotonic()
    summary = measure(arguments)
    print(f"The run took {(time.monotonic() - began) / 60:.1f} minutes.", file=sys.stderr)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(report.dump(summary))
    print(report.full_table(summary))
    print(f"\nAll figures: {arguments.json}", file=sys.stderr)
    if arguments.keep:
        report.keep(summary)


if __name__ == "__main__":
    main()
