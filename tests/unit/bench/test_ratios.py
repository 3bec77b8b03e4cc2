"""Each target of the project stands beside what the run reached, and a miss is told as one."""

import pytest
from ratios import Ratio, ratios
from scaling import CORES, ceilings


def by_what(summary: dict) -> dict[str, Ratio]:
    return {ratio.what: ratio for ratio in ratios(summary)}


@pytest.mark.parametrize(("value", "reached"), [(0.59, "no"), (0.6, "yes"), (0.61, "yes")])
def test_at_least_holds_at_its_edge(value, reached):
    assert Ratio("", value, least=0.6).reached == reached


@pytest.mark.parametrize(("value", "reached"), [(1.29, "yes"), (1.3, "yes"), (1.31, "no")])
def test_at_most_holds_at_its_edge(value, reached):
    assert Ratio("", value, most=1.3).reached == reached


def test_every_target_has_its_row(summary):
    asked = {what: ratio.asked for what, ratio in by_what(summary).items() if ratio.asked}
    for part, target in (("GET /auth/me, 1,000 connections: of its composed floor", "≥ 0.6"), ("GET /documents/{id}", "≥ 0.5"), ("POST /documents, 1 KB", "≥ 0.4"),
                         ("GET /auth/me: p50 at one connection", "≤ 1.5"), ("p99 at half of capacity", "≤ 5"), ("one request a second each: errors", "≤ 0"),
                         ("one request a second each: p99, ms", "≤ 50"), ("one request a second each: the gateway's memory", "≤ 64"),
                         ("requests/s / the synchronous peer's", "≥ 40"), ("the synchronous peer's p99 / Quire's", "≥ 50"),
                         ("GET /documents/{id}, big account: CPU with 1,000,000 stored / with 1,000", "≤ 1.3"), ("natural questions, 16 connections: p99", "≤ 20"),
                         ("the gateway's CPU / nginx's", "≤ 1")):
        assert any(part in what and asked[what] == target for what in asked), (part, asked)


def test_ratios_against_the_peer_are_of_requests_and_of_waiting(summary):
    found = by_what(summary)
    route = summary["routes"]["GET /auth/me"]
    assert found["GET /auth/me, 1,000 connections: requests/s / the synchronous peer's"].value == pytest.approx(route["connections"]["1000"]["requests_per_s"][0] / 400)
    assert found["GET /auth/me, 1,000 connections: the synchronous peer's p99 / Quire's"].value == pytest.approx(2_500_000 / route["connections"]["1000"]["p99_us"][0])


def test_the_load_generator_is_no_part_of_a_request_s_cost(summary):
    """Its 500 µs would hide what a larger table costs."""
    assert by_what(summary)["GET /documents/{id}, big account: CPU with 1,000,000 stored / with 1,000"].value == pytest.approx(1.2)


def test_what_was_not_measured_has_no_row(summary):
    for part in ("stored", "forwarding", "people"):
        del summary[part]
    for route in summary["routes"].values():
        route.pop("peer", None)
        route.pop("kafka_python", None)
    assert not [what for what in by_what(summary) if any(word in what for word in ("stored", "nginx's that", "a second each", "synchronous", "Python"))]


def test_the_part_that_is_full_first_is_the_one_with_the_lowest_ceiling(summary):
    row = summary["routes"]["GET /auth/me"]["connections"]["1000"]
    row["cpu_us_a_request"] = {"gateway": 20, "Kafka": 20, "session": 20, "PostgreSQL primary": 0, "PostgreSQL replicas": 10, "Redis": 10, "load generator": 1000}
    found = ceilings(summary, "GET /auth/me")
    assert (found.cost_us, found.redis, found.workers, found.connections) == (80, 1e6 / 10, 12e6 / 20, 12e6 / 10)
    assert found.cores == CORES * 1e6 / 80
    assert found.first == "Redis' one thread"
    row["cpu_us_a_request"]["Redis"] = 1
    assert ceilings(summary, "GET /auth/me").first == f"the {CORES} cores"
    row["cpu_us_a_request"]["session"] = 200
    assert ceilings(summary, "GET /auth/me").first == "the workers"


def test_a_run_that_knows_no_partitions_says_nothing_of_scaling(summary):
    del summary["partitions"]
    assert ceilings(summary, "GET /auth/me") is None
