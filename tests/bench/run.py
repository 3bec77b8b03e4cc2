#!/usr/bin/env python3
"""The bench: the floors and the full path in one run on loopback, at the gateway's own port and through the proxy; ratios between them.

The figures of one machine at one time mean little by themselves, so the parts are measured in the same minutes as the whole, round by round; medians
are told, with their spread. Servers are as deployed: durable, logging, limits computed but raised. The load generator runs on the same cores."""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from client import Api  # noqa: E402
from servers.binary import SOURCE  # noqa: E402
from servers.kafka import topics_of  # noqa: E402
from servers.proxy import Proxy  # noqa: E402
from servers.stack import PROXY_ADDRESS, Stack  # noqa: E402

import load  # noqa: E402
import nginx  # noqa: E402
import profile_run  # noqa: E402
import report  # noqa: E402
import stored  # noqa: E402
from kafka_python.kafka_python import KafkaPython  # noqa: E402
from measure import FORWARDING_ROUTE, Plan, measure_round  # noqa: E402
from peer.peer import Peer  # noqa: E402
from raised import RAISED_LIMITS  # noqa: E402
from routes import PASSAGES_ROUTE, Library, Route  # noqa: E402
from summary import summarize  # noqa: E402

WARM_UP_S = 3
SECONDS_MAX, ROUNDS_MAX, CONNECTIONS_MAX = 60, 20, 10_000
PROXY_CONNECTIONS = "20000"  # an address: all of the load comes from one
READS = ("GET /auth/me", "GET /documents/{id}")
ALL = ("",)  # a part of every name
FULL = {"rounds": 3, "connections": [1, 16, 64, 256, 1000, 10_000], "routes": "", "open_loop": list(READS), "people": True, "proxied": ALL, "natural": True,
        "kafka_python": True, "stored": [1000, 10_000, 100_000, 1_000_000]}
QUICK = {"rounds": 1, "connections": [1, 64, 1000], "routes": "", "open_loop": ["GET /auth/me"], "people": False, "proxied": READS, "natural": False,
         "kafka_python": False, "stored": []}


def bounded(least: int, most: int):
    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"from {least} to {most}")
        return value

    return number


def numbers_list(most: int):
    """1,64,1000; an empty text is none."""
    def numbers(text: str) -> list[int]:
        return sorted({bounded(1, most)(part) for part in text.split(",") if part.strip()})

    return numbers


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round at 1, 64 and 1,000 connections: about three minutes; the full run takes about 25")
    parser.add_argument("--seconds", type=bounded(1, SECONDS_MAX), default=2, help="of each measurement; a floor takes at most 5, 10,000 connections at least 5 [%(default)s]")
    parser.add_argument("--rounds", type=bounded(1, ROUNDS_MAX), help="of everything; medians and spread are told [3]")
    parser.add_argument("--connections", type=numbers_list(CONNECTIONS_MAX), help="as 1,64,1000 [1,16,64,256,1000,10000]")
    parser.add_argument("--routes", help="only routes whose name contains this text, or one of several, separated by |")
    parser.add_argument("--no-open-loop", action="store_true", help="leave out constant arrival rates and the 10,000 who ask once a second")
    parser.add_argument("--stored", type=numbers_list(stored.SIZES_MAX), metavar="SIZES",
                        help="cost against so many stored documents; '' for none [1000,10000,100000,1000000; with --quick none]")
    parser.add_argument("--only-stored", action="store_true", help="measure nothing but that")
    parser.add_argument("--peer", action="store_true", help="measure the synchronous shape of tests/bench/peer too; its packages come from PyPI the first time")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("bench-results/bench.json"), help="where the figures go [%(default)s]")
    parser.add_argument("--keep", action="store_true", help="keep the figures in docs/performance, and make README's table, docs/PERFORMANCE.md's and the plots")
    parser.add_argument("--report", action="store_true", help="measure nothing: make them again from the figures that are kept")
    parser.add_argument("--profile", action="store_true", help="measure nothing: flame graphs of the gateway and the services at saturation, in docs/performance/flame")
    parser.add_argument("--build", default=os.environ.get("QUIRE_BUILD", "/build/release"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.only_stored and arguments.keep:
        parser.error("what is kept is of one whole run: --only-stored has no --keep")
    for name, value in (QUICK if arguments.quick else FULL).items():
        if getattr(arguments, name, None) is None:
            setattr(arguments, name, value)
    if arguments.no_open_loop:
        arguments.open_loop, arguments.people = [], False
    return arguments


def wanted(routes: list[Route], text: str) -> list[Route]:
    return [route for route in routes if named(route.name, text)]


def named(name: str, text: str) -> bool:
    return any(part.strip() in name for part in text.split("|"))


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


def partitions() -> dict[str, int]:
    return {topic["name"]: topic["partitions"] for topic in topics_of(os.path.join(SOURCE, "proto/generate.py"))}


def chosen_routes(library: Library, arguments: argparse.Namespace) -> list[Route]:
    found = wanted(library.routes(), arguments.routes)
    if arguments.natural and named(PASSAGES_ROUTE, arguments.routes):
        found.append(library.natural())
    if not found:
        raise SystemExit(f"no route has '{arguments.routes}' in its name; there are: " + ", ".join(route.name for route in library.routes()))
    return found


def measure_rounds(arguments: argparse.Namespace, folder: str) -> dict:
    """Everything but the cost against stored documents, on one stack. The folder, with all logs, stays when that fails."""
    inside = lambda name: os.path.join(folder, name)  # noqa: E731
    with ExitStack() as ending:
        stack = Stack(folder, RAISED_LIMITS, gateways=1, as_deployed=True)
        ending.callback(stack.stop)
        stack.start()
        stack.kafka.create_topics([{"name": f"bench.{name}", "partitions": 1, "config": {}} for name in ("requests", "replies")])
        library = Library(stack.gateway.url, inside("requests"))
        routes = chosen_routes(library, arguments)
        plan = Plan(arguments.build, arguments.seconds, arguments.connections, arguments.open_loop, arguments.people,
                    proxied=tuple(route.name for route in routes if any(part in route.name for part in arguments.proxied)))
        plan.proxy = Proxy(inside("proxy"), stack.gateways, PROXY_ADDRESS, {"QUIRE_PROXY_CONNECTIONS_AN_ADDRESS": PROXY_CONNECTIONS})
        ending.callback(plan.proxy.stop)
        plan.proxy.start()
        plan.forwarding = ending.enter_context(nginx.Forwarding(inside("forwarding"), Api(stack.gateway.url, token=library.token).get(FORWARDING_ROUTE.split()[1])))
        if arguments.kafka_python:
            plan.kafka_python = KafkaPython(stack, inside("kafka-python"))
        if arguments.peer:
            plan.peer = Peer(stack, inside("peer"))
            ending.callback(plan.peer.stop)
            plan.peer.start()
        warm_up(stack.gateway.port, routes)
        floor, rounds = ending.enter_context(nginx.Floor(inside("nginx"))), []
        for number in range(arguments.rounds):
            print(f"Round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
            rounds.append(measure_round(stack, plan, library, routes, floor))
        found = summarize(rounds, {route.name: route.select for route in routes})
    return {**found, "skipped": plan.skipped}


def measure_stored(arguments: argparse.Namespace, folder: str) -> tuple[dict, dict]:
    """On a stack of its own, where nothing else has been stored."""
    stack = Stack(folder, RAISED_LIMITS, gateways=1, as_deployed=True)
    try:
        stack.start()
        return stored.measure_stored(stack, Plan(arguments.build, arguments.seconds, [], [], False), arguments.stored, os.path.join(folder, "requests"))
    finally:
        stack.stop()


def measure(arguments: argparse.Namespace) -> dict:
    folder = tempfile.mkdtemp(prefix="quire-bench-")
    os.chmod(folder, 0o755)  # the account of PostgreSQL passes through
    summary = {"about": about(arguments), "partitions": partitions()}
    if not arguments.only_stored:
        summary.update(measure_rounds(arguments, os.path.join(folder, "rounds")))
        shutil.rmtree(os.path.join(folder, "rounds"))
    if arguments.stored:
        found, skipped = measure_stored(arguments, os.path.join(folder, "stored"))
        summary["stored"] = found
        summary["skipped"] = {**summary.get("skipped", {}), **skipped}
    shutil.rmtree(folder)
    return summary


def main() -> None:
    arguments = parse()
    os.environ["QUIRE_BUILD"] = arguments.build
    if arguments.report:
        report.write_all(report.kept())
        return
    if arguments.profile:
        profile_run.profile(about(arguments))
        report.write_all(report.kept())
        return
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
