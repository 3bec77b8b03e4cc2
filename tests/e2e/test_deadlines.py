"""Deadlines: 504 in time, nothing of a late reply, and what a caller may ask for."""

import time

import pytest

from client import new_key, problem
from servers.waiting import PATIENCE, wait_until


def timed(call):
    before = time.monotonic()
    response = call()
    return response, time.monotonic() - before


@pytest.mark.parametrize("seconds", ["0", "-1", "x", "0.0", "1e3", "1,5", "NaN", "inf", "+1", "0x10", "1 2", "."])
def test_a_timeout_that_is_none_is_400(account, seconds):
    problem(account.get("/auth/me", headers={"Request-Timeout": seconds}), 400)


@pytest.mark.parametrize("seconds", ["5", "0.9", "30", "31", "30.001", "1000000", "2.50"])
def test_a_timeout_in_decimal_seconds_is_taken(account, seconds):
    assert account.get("/auth/me", headers={"Request-Timeout": seconds}).status_code == 200


@pytest.mark.gateway
@pytest.mark.destructive
@pytest.mark.parametrize("seconds", [0.3, 1.2])
def test_no_reply_is_504_at_the_deadline(stack, account, seconds):
    stack.documents.pause()
    response, took = timed(lambda: account.get("/documents", headers={"Request-Timeout": str(seconds)}))
    problem(response, 504)
    assert seconds - 0.02 <= took < seconds + 0.5 * PATIENCE
    assert abs(float(response.headers["X-Process-Time"]) - seconds) < 0.5 * PATIENCE
    assert account.get("/auth/me").status_code == 200  # others are not touched


@pytest.mark.destructive
def test_the_default_is_five_seconds(stack, account):
    stack.query.pause()
    response, took = timed(lambda: account.post("/query", {"query": "x"}))
    problem(response, 504)
    assert 4.9 < took < 5.7


@pytest.mark.gateway
@pytest.mark.destructive
def test_a_late_reply_meets_no_later_request(stack, account, other):
    mine, theirs = account.create("mine"), other.create("theirs")
    stack.documents.pause()
    for api, document in ((account, mine), (other, theirs)) * 4:
        problem(api.get(f"/documents/{document['id']}", headers={"Request-Timeout": "0.2"}), 504)
    stack.documents.resume()
    for _ in range(30):
        assert account.read(mine["id"])["title"] == "mine"
        assert other.read(theirs["id"])["title"] == "theirs"


@pytest.mark.destructive
def test_a_write_cut_off_by_its_deadline_tells_its_outcome_by_its_key(stack, account):
    key, body = new_key(), {"title": "once", "content": "x"}
    stack.documents.pause()
    problem(account.post("/documents", body, key=key, headers={"Request-Timeout": "0.3"}), 504)
    stack.documents.resume()
    again = account.post("/documents", body, key=key)
    assert again.status_code == 201
    assert [document["id"] for document in account.listed()] == [again.json()["id"]]


@pytest.mark.destructive
def test_what_is_past_its_deadline_is_not_begun(stack, account):
    stack.documents.pause()
    problem(account.post("/documents", {"title": "late", "content": "x"}, headers={"Request-Timeout": "0.2"}), 504)
    stack.documents.resume()
    assert account.create("later")["title"] == "later"
    assert [document["title"] for document in account.listed()] == ["later"]


@pytest.mark.destructive
def test_a_hanging_primary_ends_in_time_and_reads_go_on(stack, account):
    document = account.create()
    for replica in stack.replicas:
        replica.catch_up()
    account.read(document["id"])
    stack.primary.pause()
    response, took = timed(lambda: account.post("/documents", {"title": "t", "content": "c"}, headers={"Request-Timeout": "1"}))
    problem(response, response.status_code)
    assert response.status_code in (503, 504) and took < 1.6 * PATIENCE
    assert account.read(document["id"]) == document
    stack.primary.resume()
    wait_until(lambda: account.post("/documents", {"title": "t", "content": "c"}).status_code == 201, 10, "writes go on")


@pytest.mark.destructive
def test_a_silent_primary_is_503_long_before_the_deadline(stack, account):
    """What is under way when it falls silent waits a second, not its five."""
    account.create()
    stack.primary.pause()
    response, took = timed(lambda: account.post("/documents", {"title": "t", "content": "c"}))
    problem(response, 503)
    assert took < 2.5 * PATIENCE


@pytest.mark.destructive
def test_a_silent_redis_is_known_before_anybody_has_to_wait_for_it(stack, account):
    stack.redis.pause()
    wait_until(lambda: stack.query.metrics().sum("quire_redis_connections") == 0, 4, "every worker has given it up, though nobody asked for anything")
    response, took = timed(lambda: account.post("/query", {"query": "x"}))
    problem(response, 503)
    assert took < 0.5 * PATIENCE


@pytest.mark.destructive
def test_a_hanging_redis_is_503_or_504_in_time(stack, account):
    stack.redis.pause()
    for _ in range(3):
        response, took = timed(lambda: account.get("/auth/me", headers={"Request-Timeout": "3"}))
        problem(response, response.status_code)
        assert response.status_code in (503, 504) and took < 3.5
    response, took = timed(lambda: account.get("/auth/me"))
    assert response.status_code == 503 and took < 0.5 * PATIENCE  # by now at once
    stack.redis.resume()
    wait_until(lambda: account.get("/auth/me").status_code == 200, 10, "sessions are read again")


@pytest.mark.gateway
@pytest.mark.destructive
def test_a_hanging_broker_is_an_answer_in_time(stack, account):
    stack.kafka.pause()
    for _ in range(3):
        response, took = timed(lambda: account.get("/auth/me", headers={"Request-Timeout": "1"}))
        problem(response, response.status_code)
        assert response.status_code in (503, 504) and took < 1.5 * PATIENCE
    stack.kafka.resume()
    wait_until(lambda: account.get("/auth/me").status_code == 200, 15, "requests are answered again")
