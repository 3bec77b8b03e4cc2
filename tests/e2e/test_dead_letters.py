"""What can't be handled is put aside, with the reason, and its caller is answered."""

import secrets

import pytest

from client import problem
from servers.waiting import wait_until
from topics import read_all


def letters(stack, topic, request_id):
    return [found for found in read_all(stack.kafka.brokers, [f"{topic}-dlt"]) if ("x-request-id", request_id.encode()) in (found.headers() or [])]


@pytest.mark.parametrize("method, payload, reason", [("quire.Documents/Nothing", b"", "unknown-method"), ("quire.Documents/Create", b"\xff" * 30, "bad-payload")])
def test_what_cannot_be_read_is_kept_as_it_came(stack, caller, account, method, payload, reason):
    request_id = f"dead-{secrets.token_hex(8)}"
    correlation = caller.correlation()
    place = caller.send("quire.documents.write", payload, caller.headers(method, correlation, token=account.token, request_id=request_id))
    assert caller.reply(correlation).status >= 400
    letter, = wait_until(lambda: letters(stack, "quire.documents.write", request_id), 5, "a dead letter")
    headers = dict(letter.headers())
    assert headers["quire-dlt-reason"].decode() == reason
    assert (headers["quire-dlt-topic"], int(headers["quire-dlt-partition"]), int(headers["quire-dlt-offset"])) == (b"quire.documents.write", *place)
    assert (letter.value() or b"") == payload and headers["kafka_correlationId"] == correlation


def test_what_failed_three_times_is_put_aside_and_answered(stack, account):
    request_id = f"fault.fail.{secrets.token_hex(8)}"
    problem(account.post("/documents", {"title": "fails", "content": "x"}, headers={"X-Request-ID": request_id}), 500)
    letter, = wait_until(lambda: letters(stack, "quire.documents.write", request_id), 5, "a dead letter")
    assert dict(letter.headers())["quire-dlt-reason"] == b"failed"
    assert account.listed() == []
    assert account.create()


def test_dead_letters_are_counted(stack, caller, account, contract):
    def count():
        return stack.documents.metrics().sum("quire_dead_letters_total", topic="quire.documents.read", reason="unknown-method")

    before = count()
    caller.call("quire.documents.read", "quire.Documents/Nothing", b"", token=account.token)
    wait_until(lambda: count() == before + 1, 3, "one more")


@pytest.mark.destructive
def test_what_crashed_its_consumer_twice_is_not_tried_again(stack, account, other):
    """A poison message: the process is killed when its turn comes, each time. The third start puts it aside, and everybody else goes on."""
    request_id = f"fault.crash.{secrets.token_hex(8)}"
    problem(account.post("/documents", {"title": "poison", "content": "x"}, headers={"X-Request-ID": request_id, "Request-Timeout": "0.5"}), 504)
    crashes = 0
    for _ in range(4):
        try:
            wait_until(lambda: not stack.documents.alive, 6, "the consumer crashes")
        except AssertionError:
            break
        crashes += 1
        stack.documents.spawn()
    # Past its deadline it is dropped unhandled; within it two crashes are the most that it may cause.
    assert 1 <= crashes <= 2
    stack.wait_ready()
    assert other.create() and account.listed() == []


@pytest.mark.destructive
def test_a_poison_message_within_its_deadline_is_answered(stack, caller, account, contract):
    create = contract.message("CreateDocumentRequest")(title="poison", content="x")
    correlation, request_id = caller.correlation(), f"dead-{secrets.token_hex(8)}"
    caller.send("quire.documents.write", create, caller.headers("quire.Documents/Create", correlation, token=account.token, seconds=30, request_id=request_id,
                                                                quire_fault=b"crash"))
    crashes = 0

    def answered():
        nonlocal crashes
        if not stack.documents.alive:
            crashes += 1
            stack.documents.spawn()
        return caller.reply(correlation, 0.1)

    reply = wait_until(answered, 28, "the poison message's caller is answered")
    assert (reply.status, crashes) == (500, 2)
    letter, = wait_until(lambda: letters(stack, "quire.documents.write", request_id), 5, "a dead letter")
    assert dict(letter.headers())["quire-dlt-reason"] == b"crashed"
    stack.wait_ready()
    assert account.create()
    assert [document["title"] for document in account.listed()] == ["A title"]
