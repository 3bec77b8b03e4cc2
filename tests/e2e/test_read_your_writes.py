"""What one has written one reads, at once, from any gateway, however far the replicas lag."""

import pytest

from client import Account, new_email, problem


@pytest.fixture
def lagging(stack):
    """Both replicas receive, and replay nothing."""
    for replica in stack.replicas:
        replica.pause_replay()
    yield stack.replicas
    for replica in stack.replicas:
        replica.resume_replay()
    for replica in stack.replicas:
        replica.catch_up()


def test_everything_is_read_as_it_was_written(account, stack, lagging):
    here, there = (account.at(gateway) for gateway in stack.gateways)
    for round_number in range(5):
        document = here.create(f"title {round_number}", f"walrus{round_number} lives here", tags=["t"])
        path = f"/documents/{document['id']}"
        assert there.read(document["id"]) == document
        assert [item["id"] for item in there.listed(q=f"walrus{round_number}")] == [document["id"]]
        assert there.listed()[0]["id"] == document["id"] and there.listed(tag="t")[0]["id"] == document["id"]
        assert there.found(f"walrus{round_number}") == [document["id"]]
        changed = there.put(path, {"title": "changed", "content": f"ocelot{round_number} lives here"}).json()
        assert here.read(document["id"]) == changed
        assert here.found(f"walrus{round_number}") == [] and here.found(f"ocelot{round_number}") == [document["id"]]
        assert here.delete(path).status_code == 204
        problem(there.get(path), 404)
        assert there.found(f"ocelot{round_number}") == [] and there.listed() == []


def test_a_batch_is_read_at_once(account, stack, lagging):
    account.post("/documents/batch", {"documents": [{"title": str(n), "content": "narwhal"} for n in range(30)]})
    there = account.at(stack.gateways[1])
    assert len(there.listed()) == 30 and len(there.found("narwhal", top_k=100)) == 30


def test_an_answer_that_is_sent_again_is_read_at_once_too(account, stack, lagging):
    first = account.create(key="again")
    assert account.create(key="again") == first
    assert account.at(stack.gateways[1]).read(first["id"]) == first


def test_a_new_account_and_its_session_work_at_once(stack, lagging):
    account = Account.open(stack.gateway.url)
    there = account.at(stack.gateways[1])
    assert there.get("/auth/me").status_code == 200
    elsewhere = account.another_session()
    assert len(there.get("/auth/sessions").json()["items"]) == 2
    assert elsewhere.post("/auth/logout").status_code == 204
    assert len(there.get("/auth/sessions").json()["items"]) == 1
    assert there.post("/auth/password", {"current_password": account.password, "new_password": "another password"}).status_code == 204
    problem(there.log_in(account.email, account.password), 401)
    assert there.log_in(account.email, "another password").status_code == 200
    problem(there.log_in(new_email(), "another password"), 401)


def test_one_lagging_replica_is_passed_over(account, stack):
    stack.replicas[0].pause_replay()
    try:
        for number in range(20):
            document = account.create(str(number))
            assert account.read(document["id"]) == document
    finally:
        stack.replicas[0].resume_replay()
