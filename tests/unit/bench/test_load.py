"""What a load tool says becomes figures: a refusal is no quick answer, and silence no success."""

import pytest
from load import of_served


def figures(**counts: int) -> dict:
    kinds = ("served", "limited", "refused", "expired", "failed", "unsent")
    outcomes = {kind: {"count": counts.get(kind, 0), "in_time": counts.get(kind, 0), "p50_us": 900, "p95_us": 950, "p99_us": 990, "max_us": 999} for kind in kinds}
    return {"requests": sum(counts.values()), "requests_per_s": 1e6, "p50_us": 1, "p95_us": 1, "p99_us": 1, "max_us": 1, "outcomes": outcomes}


def test_times_and_rates_are_of_those_who_were_served():
    found = of_served(figures(served=50, refused=400, limited=7, expired=3), seconds=2)
    assert (found["served"], found["requests_per_s"], found["p50_us"], found["p99_us"], found["refused"]) == (50, 25, 900, 990, 407)


def test_where_nobody_was_served_the_waiting_is_still_told():
    found = of_served(figures(failed=10), seconds=2)
    assert (found["requests_per_s"], found["p99_us"]) == (pytest.approx(0), 1)
