#!/usr/bin/env python3
"""Load beyond what the stack can do, beside others, and for long. Ends with 1 when a promise was broken.

    overload     three times the capacity, each of three routes for --seconds: goodput, refusals, memory, recovery
    neighbours   storms of log-ins, of large documents and of one account's queries: what others notice
    soak         --minutes at half of the capacity: what grows"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "bench"), str(HERE.parent / "e2e")]

import neighbours  # noqa: E402
import overload  # noqa: E402
import soak  # noqa: E402
from parts import weigh  # noqa: E402
from routes import Library  # noqa: E402
from run import bounded, warm_up  # noqa: E402
from servers.ports import free_port  # noqa: E402
from servers.stack import Stack  # noqa: E402

# Clients say which address they come from: a storm comes from many.
TRUSTING = {"QUIRE_TRUSTED_PROXIES": "127.0.0.0/8"}
LIMITS_OFF = {"QUIRE_LIMITS": "off"}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire test load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.environ.get("QUIRE_BUILD", "/build/release"), help=argparse.SUPPRESS)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of all programs, as QUIRE_GATEWAY_QUEUE_MS=0")
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("overload")
    one.add_argument("--seconds", type=bounded(5, 600), default=60, help="of each route's overload [%(default)s]")
    one.add_argument("--only", default="", help="only routes whose name contains this text")
    one = kinds.add_parser("neighbours")
    one.add_argument("--seconds", type=bounded(5, 600), default=20, help="of each storm, and of each quiet time [%(default)s]")
    one.add_argument("--only", default="", help="only storms whose name contains this text")
    one = kinds.add_parser("soak")
    one.add_argument("--minutes", type=bounded(2, 24 * 60), default=15, help="[%(default)s]")
    return parser.parse_args()


def measure(arguments: argparse.Namespace, folder: str):
    os.chmod(folder, 0o755)  # the account of PostgreSQL passes through
    settings = {**(TRUSTING if arguments.kind == "neighbours" else LIMITS_OFF), **dict(word.split("=", 1) for word in arguments.set)}
    stack = Stack(folder, settings, gateways=1, as_deployed=True)
    try:
        weigh(stack)
        stack.start()
        if arguments.kind == "neighbours":
            return neighbours.run(stack, arguments.build, folder, arguments.seconds, arguments.only)
        library = Library(stack.gateway.url, os.path.join(folder, "requests"))
        warm_up(stack.gateway.port, [route for route in library.routes() if route.name in overload.ROUTES])
        if arguments.kind == "overload":
            return overload.run(stack, arguments.build, os.path.join(folder, "nginx"), free_port(), library, arguments.seconds, arguments.only)
        return soak.run(stack, arguments.build, library, arguments.minutes * 60)
    finally:
        stack.stop()


def main() -> None:
    arguments = parse()
    os.environ["QUIRE_BUILD"] = arguments.build
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="quire-load-", ignore_cleanup_errors=True) as folder:  # a run leaves gigabytes there
        verdict = measure(arguments, folder)
    print(verdict.table())
    print(f"The run took {(time.monotonic() - began) / 60:.1f} minutes.", file=sys.stderr)
    if verdict.broken:
        print("\nBroken:\n" + "\n".join(f"  {line}" for line in verdict.broken))
        raise SystemExit(1)


if __name__ == "__main__":
    main()
