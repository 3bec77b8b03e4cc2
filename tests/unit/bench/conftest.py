"""What the bench's tests share: its modules, and the figures of a run that never was."""

import pathlib
import sys

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path[:0] = [str(BENCH), str(BENCH.parent / "e2e")]


def figures(rate: float, **more) -> dict:
    return {"requests_per_s": rate, "p50_us": 5e8 / rate, "p95_us": 8e8 / rate, "p99_us": 1e9 / rate, **more}


def costs(rate: float) -> dict:
    from measure import GENERATOR, PARTS
    parts = [*PARTS, GENERATOR]
    return {"errors": 0, "cpu_us_a_request": {part: 2e5 / rate + number for number, part in enumerate(parts)}, "switches_a_request": dict.fromkeys(parts, 0.5),
            "rss_mb": dict.fromkeys(parts, 50.0), "ring_enters_a_request": 0.25}


def with_proxy(figures: dict) -> dict:
    return {**figures, "cpu_us_a_request": {**figures["cpu_us_a_request"], "proxy": 30.0}}


def stored() -> dict:
    """Reads cost 1.2 times as much with a million."""
    def row(cost_us: float) -> dict:
        return {"requests_per_s": [5000.0] * 3, "p50_us": [9000.0] * 3, "p95_us": [20_000.0] * 3, "p99_us": [30_000.0] * 3, "errors": 0,
                "cpu_us_a_request": {"gateway": cost_us / 2, "PostgreSQL primary": 0.0, "PostgreSQL replicas": cost_us / 2, "load generator": 500.0}}

    from plots import STORED
    return {"1000": {name: row(100) for name in STORED}, "1000000": {name: row(120) for name in STORED}}


def a_round(pace: float) -> dict:
    """Rates rise with the connections; `pace` is how fast the machine was in that round."""
    from measure import OPEN_LOOP_PERCENT
    rates = {"GET /auth/me": 400, "GET /documents/{id}": 350, "GET /documents": 250, "POST /query": 60, "POST /documents, 1 KB": 90, "90 % read, 10 % write": 200}
    routes = {name: {number: {**figures(rate * number**0.5 * pace), **costs(rate * number**0.5)} for number in (1, 64, 1000)} for name, rate in rates.items()}
    routes["POST /documents, 1 MB"] = {1: {**figures(20 * pace), **costs(20)}}
    routes["POST /query, 10,000 passages"] = {16: {**figures(300 * pace), **costs(300)}}
    nginx = {"cpu_us_a_request": {"nginx": 12.0}, "rss_mb": {"nginx": 20.0}, "switches_a_request": {"nginx": 0.1}, "errors": 0}
    return {
        "idle": {"gateway": 2.0 * pace, "Kafka": 30.0 * pace},
        "kafka": {number: figures(1000 * number**0.6 * pace) for number in (1, 100, 1000)},
        "nginx": {number: figures(9000 * number**0.4 * pace) for number in (1, 64, 1000)},
        "postgres": {"document": 180_000.0, "page": 20_000.0, "search": 900.0, "store": 4_000.0}, "redis": 150_000.0 * pace,
        "routes": routes,
        "open_loop": {"GET /auth/me": {percent: {**figures(100 * percent), "offered_per_s": 100 * percent, "errors": 0} for percent in OPEN_LOOP_PERCENT}},
        "proxied": {"GET /auth/me": {64: {**figures(2000), **with_proxy(costs(2000))}}},
        "forwarding": {"with a log line a request": {1000: {**figures(40_000), **nginx}}, "without logs": {1000: {**figures(50_000), **nginx}}},
        "kafka_python": {"GET /auth/me": {1000: {**figures(900), "errors": 0, "cpu_us_a_request": {"Python consumer": 700.0}}}},
        "people": {**figures(9000), **costs(9000), "offered_per_s": 10_000},
        "peer": {"GET /auth/me": {1000: {**figures(400), "errors": 3}}},
    }


@pytest.fixture
def summary():
    from routes import NO_DATABASE
    from summary import summarize
    selects = {"GET /auth/me": NO_DATABASE, "GET /documents/{id}": "document", "GET /documents": "page", "POST /query": "search"}
    rounds = [a_round(pace) for pace in (1.0, 1.2, 0.9)]
    return {"about": {"when": "2026-01-05", "commit": "abc1234", "cores": 2, "cpu": "Test CPU", "seconds": 2, "rounds": 3, "command": "./quire bench"},
            "partitions": {"quire.session": 12, "quire.documents.read": 12, "quire.query": 12, "quire.documents.write": 12}, "stored": stored(),
            "skipped": {"10,000 connections through the proxy": "needs 20,512 open files in one process, and the hard limit is 20,000"},
            **summarize(rounds, {name: selects.get(name) for name in rounds[0]["routes"]})}
