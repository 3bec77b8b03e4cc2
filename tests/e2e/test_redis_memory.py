"""Redis forgets, or remembers something older: no logged-out token comes back to life, no live one is refused, nothing stale is served."""

import os
import shutil
import tempfile
import time

import pytest

from client import problem
from servers.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.destructive


@pytest.fixture
def kept(stack):
    folder = os.path.join(tempfile.mkdtemp(prefix="quire-redis-"), "files")
    yield folder
    shutil.rmtree(os.path.dirname(folder))


def settles(live, dead, seconds=15):
    """Until the live tokens are let in again nobody gets a wrong answer: 503 is the only other one allowed."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        for api in dead:
            assert api.get("/auth/me").status_code in (401, 503), "a logged-out token came back to life"
            assert api.get("/documents").status_code in (401, 503)
        answers = [api.get(path).status_code for api in live for path in ("/auth/me", "/documents")]
        assert set(answers) <= {200, 503}, f"a live token was refused: {answers}"
        if set(answers) == {200}:
            break
        assert time.monotonic() < deadline, "sessions were not loaded again"
    for api in dead:
        wait_until(lambda api=api: api.get("/auth/me").status_code == 401, 5, "dead tokens are 401 again")
    for api in live:
        wait_until(lambda api=api: _let_in(api), 5, "live tokens are let in by every worker that meets them")  # each connects by itself


def _let_in(api):
    status = api.get("/auth/me").status_code
    assert status in (200, 503), "a live token was refused"
    return status == 200


@pytest.fixture
def people(account):
    """Sessions that live, and sessions that were ended in each way."""
    logged_out, deleted, live = account.another_session(), account.another_session(), account.another_session()

    def end_two():
        assert logged_out.post("/auth/logout").status_code == 204
        mine = next(item["id"] for item in deleted.get("/auth/sessions").json()["items"] if item["current"])
        assert account.delete(f"/auth/sessions/{mine}").status_code == 204
        return [account, live], [logged_out, deleted]

    return end_two


@pytest.mark.parametrize("how", ["FLUSHALL", "FLUSHDB", "FLUSHALL ASYNC"])
def test_flushed(stack, people, how):
    live, dead = people()
    with stack.redis.connect() as redis:
        redis.execute_command(*how.split())
    settles(live, dead)


def test_one_session_was_deleted_from_it(stack, people):
    """Not a flush: single keys are gone, as by a mistaken hand. A live token may wait (503), but is not refused."""
    live, dead = people()
    with stack.redis.connect() as redis:
        redis.flushdb()
    settles(live, dead)
    assert live[0].create()


def test_restarted_with_an_older_file(stack, people, kept):
    stack.redis.keep_files(kept)
    live, dead = people()
    newcomer = live[0].another_session()  # after the copy
    stack.redis.kill()
    stack.redis.put_files(kept)
    stack.redis.start()
    settles([*live, newcomer], dead)


def test_restarted_with_an_older_file_and_a_changed_password(stack, account, kept):
    elsewhere = account.another_session()
    stack.redis.keep_files(kept)
    assert account.post("/auth/password", {"current_password": account.password, "new_password": "another password"}).status_code == 204
    stack.redis.stop()
    stack.redis.put_files(kept)
    stack.redis.start()
    settles([account], [elsewhere])


def test_restarted_with_nothing(stack, people):
    live, dead = people()
    stack.redis.kill()
    shutil.rmtree(stack.redis.files)
    os.makedirs(stack.redis.files)
    stack.redis.start()
    settles(live, dead)


def test_restarted_as_it_was(stack, people):
    live, dead = people()
    stack.redis.restart()
    settles(live, dead)


def test_an_older_watermark_serves_nothing_stale(stack, account, kept):
    document = account.create("old", "pelican")
    for replica in stack.replicas:
        replica.catch_up()
    account.read(document["id"])
    stack.redis.keep_files(kept)
    for replica in stack.replicas:
        replica.pause_replay()
    changed = account.put(f"/documents/{document['id']}", {"title": "new", "content": "heron"}).json()
    stack.redis.kill()
    stack.redis.put_files(kept)
    stack.redis.start()

    def read():
        response = account.get(f"/documents/{document['id']}")
        assert response.status_code in (200, 503)
        assert response.status_code == 503 or response.json() == changed, "served something stale"
        return response.status_code == 200

    def found(query, expected):
        response = account.post("/query", {"query": query})
        assert response.status_code in (200, 503)
        assert response.status_code == 503 or [result["document_id"] for result in response.json()["results"]] == expected, "found something stale"
        return response.status_code == 200

    calm = 0

    def all_again():
        nonlocal calm
        calm = calm + 1 if all([read(), found("pelican", []), found("heron", [document["id"]])]) else 0
        return calm == 10

    wait_until(all_again, 20, "documents are read and found again")


def test_away_is_503_at_once_and_comes_back(stack, people):
    live, dead = people()
    stack.redis.kill()
    wait_until(lambda: live[0].get("/auth/me").status_code == 503, 5, "503 without Redis")
    for _ in range(5):
        before = time.monotonic()
        members = problem(live[0].get("/documents"), 503)
        assert time.monotonic() - before < 0.5 * PATIENCE, members
        problem(dead[0].get("/auth/me"), 503)
        problem(live[0].post("/auth/logout"), 503)
    stack.redis.start()
    settles(live, dead)


def test_a_logout_while_redis_is_away_is_no_success_and_does_no_harm(stack, account):
    elsewhere = account.another_session()
    stack.redis.pause()
    response = elsewhere.post("/auth/logout", headers={"Request-Timeout": "3"})
    assert response.status_code in (503, 504)
    stack.redis.resume()
    settles([account], [])
    # Whether it was carried out is open; that it stays so is not.
    wait_until(lambda: elsewhere.get("/auth/me").status_code in (200, 401), 10)
    assert elsewhere.post("/auth/logout").status_code in (204, 401)
    assert elsewhere.get("/auth/me").status_code == 401


def test_the_memory_of_redis_is_bounded_and_nothing_is_evicted(stack):
    with stack.redis.connect() as redis:
        assert redis.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert int(redis.config_get("maxmemory")["maxmemory"]) > 0
        for key in redis.scan_iter("quire:*", count=1000):
            kind, life = redis.type(key), redis.ttl(key)
            assert life != -1 or key.startswith(b"quire:epoch") or b":epoch" in key or key.startswith(b"{quire:epoch}"), (key, kind)
