"""What can't be handled is put aside, with the reason, and its caller is answered."""

import os
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Producer

from client import problem
from servers.binary import SOURCE
from servers.waiting import wait_until
from topics import MESSAGE_BYTES_MAX, read_all


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


def reply_through_crashes(stack, caller, correlation):
    """The reply to a message that crashes documents, which is started again each time; and how often it was."""
    crashes = 0

    def answered():
        nonlocal crashes
        if not stack.documents.alive:
            crashes += 1
            stack.documents.spawn()
        return caller.reply(correlation, 0.1)

    return wait_until(answered, 28, "the poison message's caller is answered"), crashes


@pytest.mark.destructive
def test_a_poison_message_within_its_deadline_is_answered(stack, caller, account, contract):
    create = contract.message("CreateDocumentRequest")(title="poison", content="x")
    correlation, request_id = caller.correlation(), f"dead-{secrets.token_hex(8)}"
    caller.send("quire.documents.write", create, caller.headers("quire.Documents/Create", correlation, token=account.token, seconds=30, request_id=request_id,
                                                                quire_fault=b"crash"))
    reply, crashes = reply_through_crashes(stack, caller, correlation)
    assert (reply.status, crashes) == (500, 2)
    letter, = wait_until(lambda: letters(stack, "quire.documents.write", request_id), 5, "a dead letter")
    assert dict(letter.headers())["quire-dlt-reason"] == b"crashed"
    stack.wait_ready()
    assert account.create()
    assert [document["title"] for document in account.listed()] == ["A title"]


# What an operator does about them.

def tool(stack, *words, fails=False):
    """What `./quire dead-letters` runs; returns what it prints, or with `fails` what it complains about."""
    done = subprocess.run([sys.executable, os.path.join(SOURCE, "compose/kafka/dead_letters.py"), *words], text=True, capture_output=True, timeout=60,
                          env={**os.environ, "QUIRE_KAFKA_BROKERS": stack.kafka.brokers})
    assert (done.returncode != 0) == fails, (words, done.stdout, done.stderr)
    return done.stderr if fails else done.stdout


def listed(stack, *words):
    """Rows of the list by the request that they are of."""
    rows = [line.split() for line in tool(stack, "list", *words).splitlines()[1:]]
    return {row[-1]: row for row in rows}


@pytest.fixture
def failed_write(stack, account):
    """A write that failed three times, as a letter: (request id, ID)."""
    request_id = f"fault.fail.{secrets.token_hex(8)}"
    problem(account.post("/documents", {"title": "fails", "content": "x"}, headers={"X-Request-ID": request_id}), 500)
    wait_until(lambda: letters(stack, "quire.documents.write", request_id), 5, "a dead letter")
    return request_id, listed(stack)[request_id][0]


@pytest.fixture
def unread_write(stack, caller, account, contract):
    """A good write that stands among the dead letters as if it had failed: (request id, ID, the request's value)."""
    request_id = f"dead-{secrets.token_hex(8)}"
    value = contract.message("CreateDocumentRequest")(title="replayed", content="x").SerializeToString()
    headers = {**caller.headers("quire.Documents/Create", caller.correlation(), token=account.token, seconds=-60, request_id=request_id),
               "quire-dlt-reason": b"failed", "quire-dlt-topic": b"quire.documents.write", "quire-dlt-partition": b"3", "quire-dlt-offset": b"0"}
    _, offset = caller.send("quire.documents.write-dlt", value, headers)
    return request_id, f"quire.documents.write@{offset}", value


def test_the_list_says_what_waits_and_why(stack, failed_write):
    request_id, identity = failed_write
    row = listed(stack, "quire.documents.write")[request_id]
    assert row[0] == identity and row[2:4] == ["waiting", "failed"] and row[5] == "quire.Documents/Create"
    assert request_id not in listed(stack, "quire.documents.read")


def test_a_letter_is_shown_with_its_headers_and_its_value_only_when_asked(stack, unread_write):
    request_id, identity, value = unread_write
    shown = tool(stack, "show", identity)
    assert f"x-request-id: {request_id}" in shown and "quire-dlt-reason: failed" in shown and "replayed" not in shown.partition("\n")[2].replace(request_id, "")
    raw = subprocess.run([sys.executable, os.path.join(SOURCE, "compose/kafka/dead_letters.py"), "show", identity, "--raw"], capture_output=True, timeout=60,
                         env={**os.environ, "QUIRE_KAFKA_BROKERS": stack.kafka.brokers}, check=True)
    assert raw.stdout == value


def test_a_replay_has_its_effect_once(stack, account, unread_write):
    request_id, identity, _ = unread_write
    assert f"{identity}: replayed" in tool(stack, "replay", identity)
    wait_until(lambda: [item["title"] for item in account.listed()] == ["replayed"], 10, "the document is there")
    assert "is replayed already" in tool(stack, "replay", identity, fails=True)
    assert "is replayed already" in tool(stack, "drop", identity, fails=True)
    assert request_id not in listed(stack) and listed(stack, "--all")[request_id][2] == "replayed"
    assert len(account.listed()) == 1


def test_two_who_replay_at_once_replay_once(stack, unread_write):
    request_id, identity, _ = unread_write
    command = [sys.executable, os.path.join(SOURCE, "compose/kafka/dead_letters.py"), "replay", identity]
    environment = {**os.environ, "QUIRE_KAFKA_BROKERS": stack.kafka.brokers}
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert sorted(process.wait(60) for process in both) == [0, 1]
    there = [found for found in read_all(stack.kafka.brokers, ["quire.documents.write"]) if ("x-request-id", request_id.encode()) in (found.headers() or [])]
    assert len(there) == 1
    assert there[0].partition() == 3 and "kafka_replyTopic" not in dict(there[0].headers()) and "quire-dlt-reason" not in dict(there[0].headers())


def test_what_fails_again_is_a_letter_again(stack, failed_write):
    request_id, identity = failed_write
    tool(stack, "replay", identity)
    wait_until(lambda: len(letters(stack, "quire.documents.write", request_id)) == 2, 10, "it failed again")
    assert listed(stack)[request_id][0] != identity


def test_a_dropped_letter_waits_for_nobody(stack, failed_write):
    request_id, identity = failed_write
    tool(stack, "drop", identity)
    assert request_id not in listed(stack) and listed(stack, "--all")[request_id][2] == "dropped"
    assert "is dropped already" in tool(stack, "replay", identity, fails=True)


def test_a_replay_that_was_cut_off_is_told_and_repeated_only_on_request(stack, caller, account, unread_write):
    request_id, identity, _ = unread_write
    caller.send("quire.documents.write-dlt", b"", {"quire-dlt-note-of": identity.rpartition("@")[2].encode(), "quire-dlt-note": b"replaying"})
    assert listed(stack)[request_id][2:4] == ["cut", "off"]
    assert "--again" in tool(stack, "replay", identity, fails=True)
    tool(stack, "replay", "--again", identity)
    wait_until(lambda: len(account.listed()) == 1, 10, "the document is there")


@pytest.mark.parametrize("words, complaint", [(["show", "quire.documents.write@999999"], "there is no letter"), (["drop", "nothing@1"], "there is no topic"),
                                              (["list", "nothing"], "there is no topic"),
                                              (["replay", "quire.documents.write"], "is no TOPIC@OFFSET")])
def test_a_wrong_id_is_told(stack, words, complaint):
    assert complaint in tool(stack, *words, fails=True)


def test_what_is_larger_than_the_limit_reaches_no_topic(stack, account, other):
    """Its caller is told, and its neighbour on the same connection is served."""
    problem(account.post_bytes("/documents", b'{"title": "t", "content": "' + b"x" * (16 * 1024 * 1024) + b'"}'), 413)
    assert account.create() and other.create()


def test_what_is_larger_than_a_topic_takes_is_refused_by_kafka(stack, caller, account):
    """Its sender hears of it; the lane doesn't."""
    with pytest.raises(AssertionError, match="MSG_SIZE_TOO_LARGE"):
        caller.send("quire.documents.write", b"x" * (2 * 1024 * 1024), caller.headers("quire.Documents/Create", caller.correlation(), token=account.token))
    assert account.create()


def test_what_is_larger_than_the_limit_once_it_is_unpacked_does_not_stop_its_lane(stack, caller, account, other):
    """Compressed it passes the topic's limit, and unpacked it is no request. The dead letters' topic doesn't take it either: what is kept is where it stood."""
    request_id, correlation = f"dead-{secrets.token_hex(8)}", caller.correlation()
    value = b"\xff" * (5 * 1024 * 1024)
    producer = Producer({"bootstrap.servers": stack.kafka.brokers, "message.max.bytes": MESSAGE_BYTES_MAX, "compression.type": "gzip", "log_level": 2})
    producer.produce("quire.documents.write", value, partition=3,
                     headers=list(caller.headers("quire.Documents/Create", correlation, token=account.token, request_id=request_id).items()))
    assert producer.flush(10) == 0
    assert caller.reply(correlation).status == 400
    letter, = wait_until(lambda: letters(stack, "quire.documents.write", request_id), 5, "a dead letter")
    headers = dict(letter.headers())
    assert (headers["quire-dlt-reason"], headers["quire-dlt-partition"], headers["quire-dlt-lost-bytes"]) == (b"bad-payload", b"3", str(len(value)).encode())
    assert headers["kafka_correlationId"] == correlation and not letter.value()
    assert "too large" in tool(stack, "replay", listed(stack)[request_id][0], fails=True)
    assert [other.create() for _ in range(24)]  # two for each partition


@pytest.mark.destructive
def test_the_neighbours_of_a_message_that_crashes_are_served(stack, caller, account, other, contract):
    """They share its partition, before and behind it."""
    create = contract.message("CreateDocumentRequest")

    def send(title, **more):
        correlation = caller.correlation()
        caller.send("quire.documents.write", create(title=title, content="x"),
                    caller.headers("quire.Documents/Create", correlation, token=other.token, seconds=30, **more), partition=5)
        return correlation

    before = [send(f"before {number}") for number in range(4)]
    poison = send("poison", quire_fault=b"crash")
    behind = [send(f"behind {number}") for number in range(4)]
    reply, crashes = reply_through_crashes(stack, caller, poison)
    assert (reply.status, crashes) == (500, 2)
    stack.wait_ready()
    assert [caller.reply(correlation).status for correlation in before + behind] == [201] * 8
    assert sorted(item["title"] for item in other.listed()) == sorted(f"{where} {number}" for where in ("before", "behind") for number in range(4))


def test_the_neighbours_of_a_message_that_always_fails_are_served(stack, account, other):
    """Sent side by side, so that they share batches."""
    def write(number):
        if number % 4 == 0:
            return account.post("/documents", {"title": "t", "content": "x"}, headers={"X-Request-ID": f"fault.fail.{secrets.token_hex(8)}"}).status_code
        return other.post("/documents", {"title": "t", "content": "x"}).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(write, range(48)))
    assert statuses == [500 if number % 4 == 0 else 201 for number in range(48)]
