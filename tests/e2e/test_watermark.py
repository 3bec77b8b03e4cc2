"""A worker that dies between commit and watermark leaves no stale read behind an acknowledged write."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from servers.waiting import wait_until

pytestmark = pytest.mark.destructive


@pytest.mark.parametrize("fault", ["crash-before-watermark", "crash-after-commit"])
def test_no_stale_read_behind_an_acknowledged_write(stack, account, fault):
    document = account.create("old", "pelican")
    path = f"/documents/{document['id']}"
    for replica in stack.replicas:
        replica.catch_up()
    assert account.read(document["id"]) == document  # from a replica, by now
    for replica in stack.replicas:
        replica.pause_replay()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(account.put, path, {"title": "new", "content": "heron"},
                            headers={"X-Request-ID": f"fault.{fault}.{secrets.token_hex(8)}", "Request-Timeout": "20"})
        wait_until(lambda: not stack.documents.alive, 10, "the worker is killed")
        stack.documents.start()
        response = asked.result()
    assert response.status_code == 200, response.text
    for gateway in stack.gateways * 3:
        there = account.at(gateway)
        assert there.read(document["id"]) == response.json()
        assert there.found("pelican") == [] and there.found("heron") == [document["id"]]
        assert there.listed()[0]["title"] == "new"


def test_a_write_in_the_same_batch_as_a_crash_is_seen_once_acknowledged(stack, new_account):
    """Neighbours of the crash: whatever was answered 201 is there, once."""
    accounts = [new_account() for _ in range(6)]
    for replica in stack.replicas:
        replica.pause_replay()

    def write(number):
        fault = {"X-Request-ID": f"fault.crash-before-watermark.{secrets.token_hex(8)}"} if number == 3 else {}
        response = accounts[number].post("/documents", {"title": f"of {number}", "content": "x"}, headers={"Request-Timeout": "20", **fault})
        return response

    with ThreadPoolExecutor(len(accounts)) as pool:
        asked = [pool.submit(write, number) for number in range(len(accounts))]
        wait_until(lambda: not stack.documents.alive, 10, "the worker is killed")
        stack.documents.start()
        for api, response in zip(accounts, [one.result() for one in asked], strict=True):
            assert response.status_code == 201
            assert [item["id"] for item in api.listed()] == [response.json()["id"]]
