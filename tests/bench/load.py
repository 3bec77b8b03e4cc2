"""The two kinds of load: a closed loop (wrk), where each connection asks again when it has its answer, for capacity; and an open one (arrivals),
where requests come at a constant rate whatever the server does, for latency."""

import json
import os
import pathlib
import resource
import subprocess

HERE = pathlib.Path(__file__).parent


def cpu_s() -> float:
    """CPU time of all children that have ended: taken before and after a run, the load generator's."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _with_own_cost(run) -> dict:
    before = cpu_s()
    figures = run()
    figures["generator_cpu_s"] = cpu_s() - before
    return figures


def closed(port: int, requests: pathlib.Path, connections: int, seconds: int) -> dict:
    """{requests, served, seconds, requests_per_s, p50_us, p95_us, p99_us, max_us, errors, generator_cpu_s}. A refusal is an error and no request a second; wrk keeps no times by
    status, so where there are errors the times are theirs too."""
    def run() -> dict:
        done = subprocess.run(["wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s",
                               "-s", str(HERE / "wrk.lua"), f"http://127.0.0.1:{port}"],
                              text=True, capture_output=True, env={**os.environ, "BENCH_REQUESTS": str(requests)}, check=True, timeout=seconds + 60)
        return json.loads(done.stderr.strip().splitlines()[-1])

    figures = _with_own_cost(run)
    figures["served"] = figures["requests"] - figures["status_errors"]
    figures["requests_per_s"] = figures["served"] / figures["seconds"]
    figures["errors"] = figures.pop("status_errors") + figures.pop("socket_errors")
    if figures["requests"] == 0:
        figures["errors"] += connections  # nobody has had an answer: no good run without a single error
    return figures


def open_loop(build: str, port: int, requests: pathlib.Path, rate: int, connections: int, seconds: float) -> dict:
    """As closed(), with offered_per_s and `refused` (429 and 503, which are errors too); what was never answered is an error. Requests a second and times are of those
    that were served: a refusal takes no time, and would make a server that is full look quick."""
    def run() -> dict:
        done = subprocess.run([f"{build}/tests/bench/arrivals", str(port), str(requests), str(rate), str(seconds), str(connections)],
                              text=True, capture_output=True, check=True, timeout=seconds + 60)
        return json.loads(done.stdout)

    figures = _with_own_cost(run)
    figures["errors"] = figures.pop("status_errors") + figures.pop("socket_errors") + figures.pop("unanswered")
    return of_served(figures, seconds)


def of_served(figures: dict, seconds: float) -> dict:
    outcomes = figures.pop("outcomes")
    served = outcomes["served"]
    if served["count"] > 0:
        figures.update({key: served[key] for key in ("p50_us", "p95_us", "p99_us", "max_us")})
    figures["served"] = served["count"]
    figures["requests_per_s"] = served["in_time"] / seconds
    figures["refused"] = outcomes["refused"]["count"] + outcomes["limited"]["count"]
    return figures
