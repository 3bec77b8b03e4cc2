"""A committed message that is delivered again has one effect, and its caller the first answer."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Consumer, TopicPartition

from servers.waiting import wait_until
from topics import committed

pytestmark = pytest.mark.destructive


def restart_when_dead(service):
    wait_until(lambda: not service.alive, 10, f"{service.name} is killed by its fault")
    service.start()


def test_killed_between_commit_and_offset(stack, account):
    """The gateway's caller waits; the consumer dies after the commit, and its successor answers from what was kept."""
    request_id = f"fault.crash-after-commit.{secrets.token_hex(8)}"
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(account.post, "/documents", {"title": "once", "content": "x"}, headers={"X-Request-ID": request_id, "Request-Timeout": "20"})
        restart_when_dead(stack.documents)
        response = asked.result()
    assert response.status_code == 201
    assert [item["id"] for item in account.listed()] == [response.json()["id"]]
    assert account.read(response.json()["id"]) == response.json()


@pytest.mark.parametrize("method, path, body", [("PUT", "/documents/{id}", {"title": "new", "content": "y"}), ("DELETE", "/documents/{id}", None),
                                                ("POST", "/documents/batch", {"documents": [{"title": str(n), "content": "z"} for n in range(3)]})])
def test_every_kind_of_write(stack, account, method, path, body):
    document = account.create()
    request_id = f"fault.crash-after-commit.{secrets.token_hex(8)}"
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(account.request, method, path.format(**document), json=body, headers={"X-Request-ID": request_id, "Request-Timeout": "20"})
        restart_when_dead(stack.documents)
        response = asked.result()
    assert response.status_code in (200, 204), response.text
    listed = account.listed()
    if method == "PUT":
        assert [(item["title"], item["version"]) for item in listed] == [("new", 2)] and response.json()["version"] == 2
    elif method == "DELETE":
        assert listed == []
    else:
        assert sorted(item["title"] for item in listed) == ["0", "1", "2", "A title"]
        assert {item["id"] for item in response.json()["items"]} < {item["id"] for item in listed}


def test_a_logout_and_a_log_in_killed_after_their_commit(stack, account):
    elsewhere = account.another_session()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(elsewhere.post, "/auth/logout", headers={"X-Request-ID": f"fault.crash-after-commit.{secrets.token_hex(4)}", "Request-Timeout": "20"})
        restart_when_dead(stack.session)
        # Its own session is dead by now, so the repetition may be refused for that; dead it must be.
        assert asked.result().status_code in (204, 401)
        assert elsewhere.get("/auth/me").status_code == 401
        asked = pool.submit(elsewhere.log_in, account.email, account.password,
                            headers={"X-Request-ID": f"fault.crash-after-commit.{secrets.token_hex(4)}", "Request-Timeout": "20"})
        restart_when_dead(stack.session_password)
        answer = asked.result()
    assert answer.status_code == 200
    elsewhere.token = answer.json()["token"]
    assert elsewhere.get("/auth/me").status_code == 200
    assert len(account.get("/auth/sessions").json()["items"]) == 2


def test_the_offset_put_back_by_hand(stack, caller, account, contract):
    """As after a restored broker: the group starts again before messages that were handled."""
    message, topic, group = contract.message, "quire.documents.write", "quire.documents.write"
    sent = []
    for number in range(5):
        correlation = caller.correlation()
        value = message("CreateDocumentRequest")(title=f"number {number}", content="x")
        place = caller.send(topic, value, caller.headers("quire.Documents/Create", correlation, token=account.token, seconds=30))
        first = caller.reply(correlation)
        assert first.status in (None, 201)
        sent.append((correlation, place, first))
    stack.documents.stop()
    back = {}
    for _, (partition, offset), _ in sent:
        back[partition] = min(back.get(partition, offset), offset)
    before = committed(stack.kafka.brokers, group, topic)
    assert all(before[partition] > offset for partition, offset in back.items())  # they were done, or this test shows nothing
    consumer = Consumer({"bootstrap.servers": stack.kafka.brokers, "group.id": group, "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition(topic, partition, offset) for partition, offset in back.items()], asynchronous=False)
    consumer.close()
    stack.documents.start()
    for correlation, _, first in sent:
        again = caller.reply(correlation, 10)
        assert again is not None and again.status == first.status
        assert message("Document").FromString(again.value).id == message("Document").FromString(first.value).id
        assert again.value == first.value
    assert sorted(item["title"] for item in account.listed()) == [f"number {number}" for number in range(5)]


def test_the_same_message_twice_on_the_topic(caller, account, contract):
    """As from a producer that was not idempotent."""
    correlation = caller.correlation()
    value = contract.message("CreateDocumentRequest")(title="twice", content="x")
    headers = caller.headers("quire.Documents/Create", correlation, token=account.token)
    for partition in (0, 0, 5):
        caller.send("quire.documents.write", value, headers, partition=partition)
    replies = [caller.reply(correlation) for _ in range(3)]
    assert all(reply is not None for reply in replies) and len({reply.value for reply in replies}) == 1
    assert len(account.listed()) == 1
