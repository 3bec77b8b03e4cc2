"""GET /tags, answered by a consumer in Python: counted from events, and under the same rules as every other call."""

import json

import pytest

from client import problem
from servers.waiting import wait_until
from topics import read_all

TOPIC = "example.tags"


def tags_of(api):
    response = api.get("/tags")
    assert response.status_code == 200, response.text
    return [(item["tag"], item["documents"]) for item in response.json()["items"]]


def becomes(api, wanted):
    wait_until(lambda: tags_of(api) == wanted, 10, f"the tags are {wanted}")


def test_it_counts_the_callers_tags(account, other):
    account.create("one", tags=["sea", "light", "light"])
    account.create("two", tags=["sea"])
    account.create("none")
    other.create("theirs", tags=["mine"])
    becomes(account, [("sea", 2), ("light", 1)])
    becomes(other, [("mine", 1)])
    assert account.get("/tags?limit=1").json() == {"items": [{"tag": "sea", "documents": 2}]}


def test_it_follows_changes_and_removal(account):
    first, second = account.create("one", tags=["a"]), account.create("two", tags=["a"])
    becomes(account, [("a", 2)])
    account.put(f"/documents/{first['id']}", {"title": "t", "content": "c", "tags": ["b"]})
    account.delete(f"/documents/{second['id']}")
    becomes(account, [("b", 1)])


def test_the_contract_holds_for_it_too(account, anyone):
    assert [error["field"] for error in problem(account.get("/tags?limit=101"), 422)["errors"]] == ["limit"]
    problem(account.get("/tags?other=1"), 422)
    problem(anyone.get("/tags"), 401)
    account.post("/auth/logout")
    problem(account.get("/tags"), 401)


def test_a_request_gives_its_place_back(stack, account):
    """Else an account would soon be at its bound of concurrent requests, through this service alone."""
    assert {account.get("/tags").status_code for _ in range(40)} == {200}  # more than the 32 at once
    with stack.redis.connect() as redis:
        assert redis.keys(f"quire:*account:{account.id}:places") == []


def test_what_is_late_or_unreadable_is_not_handled(stack, account, caller, contract):
    tags = stack.extensions["tags"]
    late = caller.correlation()
    caller.send(TOPIC, b"", caller.headers("tags.Tags/List", late, token=account.token, seconds=-1))
    unreadable = caller.call(TOPIC, "tags.Tags/List", b"\xff\xff", token=account.token)
    assert unreadable.status == 400 and contract.message("Problem").FromString(unreadable.value).status == 400
    assert caller.call(TOPIC, "tags.Tags/Other", b"", token=account.token).status == 404
    assert caller.reply(late, seconds=1) is None
    assert tags.metrics().sum("quire_expired_total", topic=TOPIC) == 1
    reasons = {dict(message.headers())["quire-dlt-reason"] for message in read_all(stack.kafka.brokers, [f"{TOPIC}-dlt"])}
    assert reasons == {b"bad-payload", b"unknown-method"}


def test_a_request_is_found_in_its_log(stack, account):
    account.get("/tags", headers={"X-Request-ID": f"tags-{account.id}"})
    line = wait_until(lambda: stack.extensions["tags"].log_lines(f"tags-{account.id}"), 10, "its line")[0]
    line = json.loads(line)
    assert line["event"] == "request.handled" and line["service"] == "tags" and line["status"] == 200 and line["total_us"] > 0


@pytest.mark.destructive
def test_without_redis_or_primary_it_says_so_and_comes_back(stack, account):
    account.create("one", tags=["a"])
    becomes(account, [("a", 1)])
    for server in (stack.redis, stack.primary):
        server.pause()
        wait_until(lambda: account.get("/tags", headers={"Request-Timeout": "3"}).status_code == 503, 10, f"without {server.name} it is a 503")
        server.resume()
        wait_until(lambda: account.get("/tags").status_code == 200, 10, f"with {server.name} it is back")
