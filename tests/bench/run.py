#!/usr/bin/env python3
"""The bench: the floors and the full path in one run on loopback, at the gateway's own port; ratios between them; a table and a JSON file.

The figures of one machine at one time mean little by themselves, so the parts are measured in the same minutes as the whole, and medians over
the rounds are what is told. The load generator runs on the same cores."""

import argparse
import hashlib
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from client import Api  # noqa: E402
from servers.ports import free_port  # noqa: E402
from servers.stack import Stack  # noqa: E402

import floors  # noqa: E402
from processes import costs  # noqa: E402

WARM_UP_S = 3
WORDS = ("river stone lantern meadow copper signal harbour orchard velvet thunder paper willow anchor cinder meadow ledger compass granite "
         "saddle ribbon quarry beacon timber hollow marble").split()


def text_of(size: int, seed: int) -> str:
    """Prose-like text of about `size` bytes, the same for the same seed."""
    words, state = [], seed
    while sum(map(len, words)) + len(words) < size:
        state = (state * 1103515245 + 12345) % 2**31
        words.append(WORDS[state % len(WORDS)] + ("." if state % 11 == 0 else ""))
    return " ".join(words)[:size]


class Paths:
    """The calls that are measured, as one account with a library of a thousand documents."""

    def __init__(self, stack, only: str = "") -> None:
        api = Api(stack.gateway.url)
        email = f"bench-{time.time_ns()}@quire.example"
        api.register(email)
        self.token = api.post("/auth/login", {"email": email, "password": "correct horse battery staple"}).json()["token"]
        api.token = self.token
        for start in range(0, 1000, 100):
            items = [{"title": f"Document {number}", "content": text_of(1024, number)} for number in range(start, start + 100)]
            answer = api.post("/documents/batch", {"documents": items}).json()["items"]
        self.document_id = answer[0]["id"]
        email_folded = email.casefold().encode()
        self.tag = hashlib.sha256(email_folded).digest()[:2].hex()
        self.session_key = f"quire:{{{self.tag}}}:session:{hashlib.sha256(self.token.encode()).hexdigest()}"
        url = stack.gateway.url
        self.calls = {
            "GET /auth/me": dict(url=f"{url}/auth/me"),
            "GET /documents/{id}": dict(url=f"{url}/documents/{self.document_id}"),
            "POST /documents 1 KB": dict(url=f"{url}/documents", method="POST", body=json.dumps({"title": "Bench", "content": text_of(1024, 7)})),
            "POST /query": dict(url=f"{url}/query", method="POST", body=json.dumps({"query": "which lantern stands by the harbour?"})),
        }
        self.calls = {name: call for name, call in self.calls.items() if only in name}


def warm_up(paths: Paths) -> None:
    """The broker's code is compiled while it runs: its first seconds say nothing of the others."""
    for call in paths.calls.values():
        floors.wrk(connections=64, seconds=WARM_UP_S, token=paths.token, **call)


def measure_call(stack, paths: Paths, name: str, connections: int, seconds: int) -> dict:
    pids = {server.name: server.pid for server in stack.servers}
    before = costs(pids)
    figures = floors.wrk(connections=connections, seconds=seconds, token=paths.token, **paths.calls[name])
    after = costs(pids)
    requests = max(figures["requests"], 1)
    figures["cpu_us_a_request"] = {part: round((after[part].cpu_s - before[part].cpu_s) * 1e6 / requests, 1) for part in pids}
    figures["rss_mb"] = {part: round(after[part].rss_bytes / 1e6, 1) for part in pids}
    return figures


def measure_round(stack, paths: Paths, arguments) -> dict:
    """Floors and full path interleaved, so that both see the same machine."""
    seconds, found = arguments.seconds, {"kafka": {}, "nginx": {}, "calls": {}}
    with floors.Nginx(os.path.join(stack.folder, "nginx"), free_port()) as nginx:
        for in_flight in (1, 100, 1000):
            found["kafka"][in_flight] = floors.kafka(stack, arguments.build, in_flight, seconds)
            say(f"Kafka floor, {in_flight} in flight", found["kafka"][in_flight])
        for connections in arguments.connections:
            found["nginx"][connections] = floors.wrk(f"http://127.0.0.1:{nginx.port}/", connections, seconds)
            say(f"nginx return 200, {connections} connections", found["nginx"][connections])
            for name in paths.calls:
                found["calls"].setdefault(name, {})[connections] = measure_call(stack, paths, name, connections, seconds)
                say(f"{name}, {connections} connections", found["calls"][name][connections])
    found["postgres"] = floors.postgres(stack, paths.document_id, seconds)
    found["redis"] = floors.session_function(stack, paths.session_key, seconds)
    return found


def say(what: str, figures: dict) -> None:
    print(f"  {what:<44} {figures['requests_per_s']:>10,.0f}/s  p50 {figures['p50_us'] / 1000:>8.2f} ms  p99 {figures['p99_us'] / 1000:>8.2f} ms"
          + (f"  {figures['errors']} errors" if figures.get("errors") else ""), file=sys.stderr, flush=True)


def median(rounds: list, *path):
    """The median over the rounds of the figure at that path."""
    values = []
    for found in rounds:
        for step in path:
            found = found[step]
        values.append(found)
    return statistics.median(values)


def summarize(rounds: list, connections: list[int]) -> dict:
    """Medians, and the ratios that the bench is for."""
    redis, selects = median(rounds, "redis", "calls_per_s"), median(rounds, "postgres", "pipelined_selects_per_s")
    nginx_peak = max(median(rounds, "nginx", count, "requests_per_s") for count in connections)
    kafka_peak = median(rounds, "kafka", 1000, "requests_per_s")
    composed = {
        "GET /auth/me": 1 / (1 / nginx_peak + 1 / kafka_peak + 1 / redis + 1 / selects),
        "GET /documents/{id}": 1 / (1 / nginx_peak + 1 / kafka_peak + 1 / redis + 1 / selects),
    }
    calls = {}
    for name, by_connections in rounds[0]["calls"].items():
        for count in by_connections:
            row = {key: median(rounds, "calls", name, count, key) for key in ("requests_per_s", "p50_us", "p95_us", "p99_us", "errors")}
            row["cpu_us_a_request"] = {part: median(rounds, "calls", name, count, "cpu_us_a_request", part) for part in by_connections[count]["cpu_us_a_request"]}
            row["rss_mb"] = {part: median(rounds, "calls", name, count, "rss_mb", part) for part in by_connections[count]["rss_mb"]}
            if name in composed:
                row["of_composed_floor"] = row["requests_per_s"] / composed[name]
            row["p50_of_kafka_floor"] = row["p50_us"] / median(rounds, "kafka", 1, "p50_us")
            calls.setdefault(name, {})[str(count)] = row
    return {
        "kafka": {str(n): {key: median(rounds, "kafka", n, key) for key in ("requests_per_s", "p50_us", "p95_us", "p99_us")} for n in (1, 100, 1000)},
        "nginx": {str(n): {key: median(rounds, "nginx", n, key) for key in ("requests_per_s", "p50_us", "p95_us", "p99_us")} for n in connections},
        "postgres": {key: median(rounds, "postgres", key) for key in rounds[0]["postgres"]},
        "redis": {key: median(rounds, "redis", key) for key in rounds[0]["redis"]},
        "composed_floor_per_s": composed,
        "calls": calls,
    }


def table(summary: dict) -> str:
    """Markdown, as it stands in README."""
    lines = ["| what | connections | requests/s | p50 ms | p95 ms | p99 ms | errors | of composed floor | p50 / Kafka floor | CPU µs a request |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for n, row in summary["kafka"].items():
        lines.append(f"| floor: Kafka request and reply | {n} in flight | {row['requests_per_s']:,.0f} | {row['p50_us'] / 1e3:.2f} | {row['p95_us'] / 1e3:.2f} | {row['p99_us'] / 1e3:.2f} | | | | |")
    for n, row in summary["nginx"].items():
        lines.append(f"| floor: nginx `return 200` | {n} | {row['requests_per_s']:,.0f} | {row['p50_us'] / 1e3:.2f} | {row['p95_us'] / 1e3:.2f} | {row['p99_us'] / 1e3:.2f} | | | | |")
    lines.append(f"| floor: PostgreSQL primary-key read | 8, one by one | {summary['postgres']['selects_per_s']:,.0f} | | | | | | | |")
    lines.append(f"| floor: PostgreSQL primary-key read | 8, pipelined by ten | {summary['postgres']['pipelined_selects_per_s']:,.0f} | | | | | | | |")
    lines.append(f"| floor: session function in Redis | 4, pipelined by 32 | {summary['redis']['calls_per_s']:,.0f} | | | | | | | |")
    for name, rows in summary["calls"].items():
        for n, row in rows.items():
            ratio = f"{row['of_composed_floor']:.2f}" if "of_composed_floor" in row else ""
            lines.append(f"| `{name}` | {n} | {row['requests_per_s']:,.0f} | {row['p50_us'] / 1e3:.2f} | {row['p95_us'] / 1e3:.2f} | {row['p99_us'] / 1e3:.2f} "
                         f"| {row['errors']:.0f} | {ratio} | {row['p50_of_kafka_floor']:.1f} | {sum(row['cpu_us_a_request'].values()):.0f} |")
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./quire bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=1, help="of everything; medians are told")
    parser.add_argument("--connections", type=lambda text: [int(part) for part in text.split(",")], default=[1, 64, 256, 1000])
    parser.add_argument("--calls", default="", help="only calls whose name contains this text")
    parser.add_argument("--build", default=os.environ.get("QUIRE_BUILD", "/build/release"))
    parser.add_argument("--json", default="bench-results/bench.json", help="where the figures go")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    os.environ["QUIRE_BUILD"] = arguments.build
    folder = tempfile.mkdtemp(prefix="quire-bench-")
    os.chmod(folder, 0o755)
    stack = Stack(folder, {"QUIRE_LIMITS": "off"}, gateways=1)
    try:
        stack.start()
        stack.kafka.create_topics([{"name": "bench.requests", "partitions": 1, "config": {}}, {"name": "bench.replies", "partitions": 1, "config": {}}])
        paths = Paths(stack, arguments.calls)
        warm_up(paths)
        rounds = []
        for number in range(arguments.rounds):
            print(f"Round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
            rounds.append(measure_round(stack, paths, arguments))
    finally:
        stack.stop()
    summary = summarize(rounds, arguments.connections)
    target = pathlib.Path(arguments.json)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"cores": os.cpu_count(), "seconds": arguments.seconds, "rounds": rounds, "summary": summary}, indent=1) + "\n")
    print(table(summary))
    print(f"\nAll figures: {target}", file=sys.stderr)


if __name__ == "__main__":
    main()
