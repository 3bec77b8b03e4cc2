"""The primary away, replicas away, replicas behind: what still answers, and who answers in quiet."""

import time

import pytest

from client import problem
from servers.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.destructive


@pytest.fixture
def document(account, stack):
    document = account.create("Replicas", "a marmoset sits in the tree")
    for replica in stack.replicas:
        replica.catch_up()
    assert account.read(document["id"]) == document
    return document


def _watermark(stack, account):
    with stack.redis.connect() as connection:
        return next(connection.scan_iter(f"quire:*:account:{account.id}:watermark", count=10_000), None)


def test_a_lost_watermark_costs_one_read_of_the_primary(stack, account, document):
    """Also where the account writes nothing more: what nobody knows any longer the read itself finds out."""
    with stack.redis.connect() as connection:
        assert connection.delete(_watermark(stack, account)) == 1
    assert account.read(document["id"]) == document
    assert _watermark(stack, account)
    wait_until(lambda: _reads(stack.documents, "replica", lambda: [account.read(document["id"]) for _ in range(20)]) >= 18, 10, "replicas answer again")
    with stack.redis.connect() as connection:
        connection.delete(_watermark(stack, account))
    account.found("marmoset")  # another service's read serves as well
    assert _watermark(stack, account)
    for replica in stack.replicas:
        replica.catch_up()
    stack.primary.kill()
    for _ in range(10):
        assert account.read(document["id"]) == document and account.found("marmoset") == [document["id"]]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_with_the_primary_stopped_reads_go_on(stack, account, document, how):
    getattr(stack.primary, how)()
    for _ in range(10):
        for gateway in stack.gateways:
            there = account.at(gateway)
            assert there.read(document["id"]) == document
            assert there.found("marmoset") == [document["id"]]
            assert [item["id"] for item in there.listed()] == [document["id"]]
            assert there.get("/auth/me").status_code == 200
            assert there.get("/auth/sessions").status_code == 200
    started = time.monotonic()
    problem(account.post("/documents", {"title": "t", "content": "c"}), 503)
    assert time.monotonic() - started < 2 * PATIENCE
    started = time.monotonic()
    problem(account.put(f"/documents/{document['id']}", {"title": "t", "content": "c"}), 503)
    problem(account.delete(f"/documents/{document['id']}"), 503)
    problem(account.log_in(account.email, account.password), 503)
    assert time.monotonic() - started < 2 * PATIENCE  # at once by now
    stack.primary.start()
    wait_until(lambda: account.post("/documents", {"title": "t", "content": "c"}).status_code == 201, 10, "writes go on")

    # That write is newer than what a replica may have by now, and each worker finds the primary again by itself: until then it is a 503.
    def answered():
        response = account.get(f"/documents/{document['id']}")
        assert response.status_code in (200, 503)
        return response.status_code == 200 and response

    assert wait_until(answered, 10, "what was written before is read").json() == document


def test_one_replica_stopped_is_no_fault_and_it_is_taken_back(stack, account, document):
    stack.replicas[0].kill()
    for _ in range(30):
        assert account.read(document["id"]) == document
        assert account.found("marmoset") == [document["id"]]
    stack.replicas[0].start()
    stack.replicas[1].kill()
    for _ in range(30):
        assert account.read(document["id"]) == document
    wait_until(lambda: _reads(stack.documents, "replica", lambda: [account.read(document["id"]) for _ in range(20)]) >= 15, 10, "the first one answers again")


def test_without_replicas_the_primary_answers(stack, account, document):
    for replica in stack.replicas:
        replica.kill()
    for _ in range(20):
        assert account.read(document["id"]) == document
        assert account.found("marmoset") == [document["id"]]
    assert account.create()


def test_hanging_replicas_cost_no_request(stack, account, document):
    for replica in stack.replicas:
        replica.pause()
    for _ in range(10):
        assert account.read(document["id"]) == document
    for replica in stack.replicas:
        replica.resume()
    assert account.read(document["id"]) == document


def _counted(service):
    metrics = service.metrics()
    return metrics.sum("quire_database_reads_total", server="replica"), metrics.sum("quire_database_reads_total", server="primary")


def _reads(service, kind, work):
    before = _counted(service)
    work()
    after = _counted(service)
    return after[0] - before[0] if kind == "replica" else after[1] - before[1]


def test_in_quiet_nine_of_ten_reads_are_served_by_replicas(stack, account, document):
    before = {service: _counted(service) for service in (stack.documents, stack.query)}
    for _ in range(50):
        account.read(document["id"])
        account.listed()
        account.found("marmoset")
    for service, (replica_before, primary_before) in before.items():
        replica, primary = _counted(service)
        replica, primary = replica - replica_before, primary - primary_before
        assert replica + primary >= 50, "folded or cached reads would make this test empty"
        assert replica >= 0.9 * (replica + primary), f"{service.name}: {replica} by replicas, {primary} by the primary"
