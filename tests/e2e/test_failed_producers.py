"""A producer that Kafka has refused for good: its process ends, is started again, and nothing is lost."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from servers.waiting import wait_until
from topics import read_all

pytestmark = pytest.mark.destructive


def fault(name):
    return {"X-Request-ID": f"fault.{name}.{secrets.token_hex(8)}", "Request-Timeout": "20"}


def restart_after_failure(service):
    wait_until(lambda: not service.alive, 10, f"{service.name} ends")
    assert service.process.returncode == 1
    assert service.log_contains("kafka.fatal") and service.log_contains("service.failed")
    service.start()


def test_an_answer_that_cannot_leave_is_given_by_the_next_process(stack, account, other):
    """The write is done and its answer refused: the message comes again, with the answer that was kept. Neighbours of the same batch too."""
    with ThreadPoolExecutor(8) as pool:
        asked = pool.submit(account.post, "/documents", {"title": "once", "content": "x"}, headers=fault("replies-fail"))
        others = [pool.submit(other.post, "/documents", {"title": str(number), "content": "x"}, headers={"Request-Timeout": "20"}) for number in range(7)]
        restart_after_failure(stack.documents)
        response = asked.result()
        assert [each.result().status_code for each in others] == [201] * 7
    assert response.status_code == 201
    assert [item["id"] for item in account.listed()] == [response.json()["id"]]
    assert sorted(item["title"] for item in other.listed()) == [str(number) for number in range(7)]


def test_an_event_that_cannot_leave_is_told_by_the_next_process(stack, account, contract):
    headers = fault("publisher-fail")
    response = account.post("/documents", {"title": "once", "content": "x"}, headers=headers)
    restart_after_failure(stack.documents)
    assert response.status_code == 201
    event = contract.message("DocumentEvent")

    def told():
        found = [event.FromString(message.value()) for message in read_all(stack.kafka.brokers, ["quire.documents.events"]) if message.key() is not None]
        return [each for each in found if each.request_id == headers["X-Request-ID"]]

    wait_until(told, 10, "the event")
