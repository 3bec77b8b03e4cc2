"""The largest document there and back, and everybody else beside it."""

import json
import threading
import time

import pytest

from client import Api
from servers.binary import SANITIZED
from servers.waiting import PATIENCE
from topics import read_all

pytestmark = pytest.mark.gateway

MIB = 1024 * 1024
SLOW = {"Request-Timeout": "30"}
LARGEST = 15 * MIB if not SANITIZED else 3 * MIB  # of which a sanitizer makes more than the longest deadline on a busy machine


def post(account, content, **more):
    body = json.dumps({"title": "large", "content": content}, ensure_ascii=False).encode()
    return account.post_bytes("/documents", body, headers=SLOW, **more)


@pytest.mark.parametrize("unit, size", [("All work and no play. ", LARGEST), ("北京", LARGEST), ("word ", 64 * 1024), ("word ", 64 * 1024 + 1), ("a\n", MIB)])
def test_there_and_back(account, unit, size):
    content = (unit * (size // len(unit.encode()) + 1)).encode()[:size].decode(errors="ignore")
    content += "." * (size - len(content.encode()))
    created = post(account, content)
    assert created.status_code == 201, created.text[:500]
    assert created.json()["content"] == content
    got = account.get(created.headers["Location"], headers=SLOW)
    assert got.status_code == 200 and got.json()["content"] == content
    assert got.headers["ETag"] == created.headers["ETag"]
    assert account.delete(created.headers["Location"], headers=SLOW).status_code == 204


def test_a_large_write_again_with_its_key(account):
    content = "large words " * (5 * MIB // 12)
    first, second = post(account, content, key="large"), post(account, content, key="large")
    assert first.status_code == second.status_code == 201 and first.content == second.content
    assert len(account.listed()) == 1


def test_large_bodies_go_by_topics_of_their_own(account, stack):
    request_id = f"bulk-{account.id}"
    body = json.dumps({"title": "large", "content": "x " * 100_000}).encode()
    path = account.post_bytes("/documents", body, headers={"X-Request-ID": request_id}).headers["Location"]
    assert account.get(path, headers={"X-Request-ID": f"{request_id}-read"}).status_code == 200

    def of(topic, wanted):
        return [message for message in read_all(stack.kafka.brokers, [topic]) if ("x-request-id", wanted.encode()) in (message.headers() or [])]

    assert of("quire.documents.bulk", request_id) and not of("quire.documents.write", request_id)
    assert of("quire.replies.bulk", request_id) and of("quire.replies.bulk", f"{request_id}-read")
    for topic in ("quire.replies", "quire.documents.write", "quire.documents.read"):
        assert all(len(message.value() or b"") <= 64 * 1024 for message in read_all(stack.kafka.brokers, [topic]))


def test_large_ones_do_not_stand_before_small_ones(account, other, stack):
    """While 15 MiB documents go through, a session check stays quick."""
    ending = threading.Event()
    statuses = []

    def large():
        with Api(stack.gateways[1].url, account.token) as api:
            while not ending.is_set():
                statuses.append(post(api, "large words of all kinds " * (10 * MIB // 25)).status_code)

    thread = threading.Thread(target=large)
    thread.start()
    taken = []
    try:
        while len(statuses) < 2 and len(taken) < 2000:
            before = time.monotonic()
            assert other.get("/auth/me").status_code == 200
            taken.append(time.monotonic() - before)
            time.sleep(0.005)
    finally:
        ending.set()
        thread.join()
    assert statuses and set(statuses) == {201}
    taken.sort()
    assert len(taken) > 50 and taken[len(taken) // 2] < 0.05 * PATIENCE and taken[int(len(taken) * 0.95)] < 0.3 * PATIENCE, taken[-10:]
