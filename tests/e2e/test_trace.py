"""`./quire trace` over the log lines that the real processes write: what it tells of each kind of fate."""

import json
import secrets
import subprocess
import sys
import zlib
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import new_key, problem
from servers.binary import SOURCE
from servers.waiting import wait_until

STEPS = ("decode", "session check", "handler, SQL", "flush", "publish", "produce")


def trace(stack, *words):
    """(exit status, standard output, standard error) of the command over this stack's log files."""
    done = subprocess.run([sys.executable, "-m", "cli.trace", "--logs", stack.folder, *words], cwd=SOURCE, text=True, capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def traced(stack, request_id, complete=lambda request: any(hop["name"] == "consumer" for hop in request["hops"])):
    """The request of that id once its lines are there: the consumer writes its line after the reply."""
    def found():
        status, out, _ = trace(stack, "--json", request_id)
        requests = json.loads(out) if status == 0 else []
        return requests if requests and all(map(complete, requests)) else None

    return wait_until(found, 10, f"the lines of {request_id}")


def new_id(what="trace"):
    return f"{what}.{secrets.token_hex(8)}"


def hop(request, name):
    found, = [hop for hop in request["hops"] if hop["name"] == name]
    return found


def said(request, beginning):
    return [note for note in request["notes"] if note.startswith(beginning)]


def end_of(hop):
    return hop["from_ms"] + hop["ms"]


def test_a_read_is_told_from_gateway_to_replica_and_back(stack, account):
    account.create()
    wait_until(lambda: _server_of(stack, account) in ("replica-1", "replica-2"), 10, "a replica answers")
    request_id = new_id()
    account.get("/documents", headers={"X-Request-ID": request_id})
    request, = traced(stack, request_id)
    assert (request["title"], request["status"], request["notes"]) == ("GET /documents", 200, [])
    gateway, topic, consumer, sql = (hop(request, name) for name in ("gateway", "topic", "consumer", "handler, SQL"))
    assert gateway["where"] == "gateway-1" and consumer["where"] == "documents"
    assert topic["note"].startswith("quire.documents.read[") and topic["waits"]
    assert "1 statement " in sql["note"] and sql["note"].split(":")[0] in ("replica-1", "replica-2", "primary")
    # One after the other, and nothing outside of the gateway's time but what the consumer does after its replies.
    assert gateway["from_ms"] == 0 and gateway["ms"] == pytest.approx(request["ms"], abs=0.01)
    assert topic["from_ms"] <= end_of(topic) <= consumer["from_ms"] + 0.01
    assert consumer["from_ms"] <= sql["from_ms"] and end_of(sql) <= end_of(consumer) + 0.01
    steps = [step for step in request["hops"] if step["depth"] == 2]
    assert [step["name"] for step in steps] == [name for name in STEPS if name in {step["name"] for step in steps}]
    assert sum(step["ms"] for step in steps) == pytest.approx(consumer["ms"], abs=0.05)


def _server_of(stack, account):
    request_id = new_id()
    account.get("/documents", headers={"X-Request-ID": request_id})
    request, = traced(stack, request_id)
    return hop(request, "handler, SQL")["note"].split(":")[0]


def test_a_write_repeated_with_its_key_and_id_is_two_requests(stack, account):
    request_id, key, body = new_id(), new_key(), {"title": "once", "content": "x"}
    for gateway in stack.gateways:
        assert account.at(gateway).post("/documents", body, key=key, headers={"X-Request-ID": request_id}).status_code == 201
    requests = traced(stack, request_id)
    assert [hop(request, "gateway")["where"] for request in requests] == ["gateway-1", "gateway-2"]
    for request in requests:
        assert hop(request, "handler, SQL")["note"].startswith("primary: ") and hop(request, "flush")["ms"] > 0
    first, second = requests
    assert not said(first, "repeated") and said(second, "repeated: its effect was there already")
    status, text, _ = trace(stack, request_id)
    assert status == 0 and "Request 2 of 2 with this id" in text


def test_what_the_gateway_refuses_was_never_sent(stack, account):
    request_id = new_id()
    account.get("/documents?limit=0", headers={"X-Request-ID": request_id})
    request, = traced(stack, request_id, complete=lambda _: True)
    assert request["status"] == 422 and said(request, "answered 422 by the gateway itself")
    assert {hop["name"] for hop in request["hops"]} <= {"gateway", "parse", "queue"}


def test_a_dead_letter_is_told_with_its_reason_and_place(stack, account):
    request_id = new_id("fault.fail")
    problem(account.post("/documents", {"title": "fails", "content": "x"}, headers={"X-Request-ID": request_id}), 500)
    request, = traced(stack, request_id, complete=lambda request: said(request, "dead-lettered"))
    note, = said(request, "dead-lettered")
    assert "failed three times" in note and "quire.documents.write-dlt" in note and "offset" in note


def test_a_trace_id_that_the_caller_sent_is_in_the_gateways_line(stack, account):
    request_id, trace_id = new_id(), secrets.token_hex(16)
    account.get("/auth/me", headers={"X-Request-ID": request_id, "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"})
    line, = wait_until(lambda: stack.gateway.log_lines(f'"traceparent":"00-{trace_id}-'), 5)
    assert json.loads(line)["request_id"] == request_id


def test_the_slowest_come_first_with_where_their_time_went(stack, account):
    request_id = new_id()
    account.get("/auth/me", headers={"X-Request-ID": request_id})
    traced(stack, request_id)
    _, out, _ = trace(stack, "--slow", "--top", "5", "--json")
    times = [request["ms"] for request in json.loads(out)]
    assert len(times) == 5 and times == sorted(times, reverse=True)
    # Of consumers the slowest 5,000 lines are kept: in an hour of tests this one isn't among them.
    _, out, _ = trace(stack, "--slow", "--top", "100000", "--since", "30s")
    row, = [row for row in out.splitlines() if row.endswith(request_id)]
    assert "GET /auth/me" in row and "  200  " in row and any(step in row for step in ("topic ", "handler, SQL ", "reply "))
    status, out, _ = trace(stack, "--slow", "--since", "0s")
    assert status == 0 and "No request" in out


def test_an_unknown_id_says_what_may_be_the_cause(stack):
    status, out, err = trace(stack, "nobody-asked-this")
    assert (status, out) == (1, "") and "QUIRE_LOG_REQUEST_SAMPLE" in err
    assert trace(stack, "no id")[0] == 2


@pytest.mark.destructive
def test_a_consumer_that_comes_after_the_deadline_is_told_as_late(stack, account):
    request_id = new_id()
    stack.documents.pause()
    problem(account.get("/documents", headers={"X-Request-ID": request_id, "Request-Timeout": "0.3"}), 504)
    request, = traced(stack, request_id, complete=lambda _: True)
    assert said(request, "late: answered 504 by the gateway at the deadline of 300 ms") and said(request, "no consumer has a line")
    stack.documents.resume()
    request, = traced(stack, request_id)
    assert said(request, "late: the consumer took it") and end_of(hop(request, "topic")) > 300


@pytest.mark.destructive
def test_a_reply_after_the_deadline_is_told_with_how_late_it_came(stack, account):
    request_id = new_id("fault.pause-after-commit")
    problem(account.post("/documents", {"title": "slow", "content": "x"}, headers={"X-Request-ID": request_id, "Request-Timeout": "1"}), 504)
    request, = traced(stack, request_id, complete=lambda request: said(request, "late: the reply"))
    late_ms = float(said(request, "late: the reply (201) came ")[0].split(" came ")[1].split(" ms")[0])
    assert 1500 < late_ms < 30_000  # it rests for 3 s, on a machine that may be busy


@pytest.mark.destructive
def test_a_redelivered_request_is_told_with_its_attempt(stack, account):
    request_id = new_id("fault.crash-after-commit")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(account.post, "/documents", {"title": "once", "content": "x"}, headers={"X-Request-ID": request_id, "Request-Timeout": "20"})
        wait_until(lambda: not stack.documents.alive, 10, "the consumer is killed by its fault")
        stack.documents.start()
        assert asked.result().status_code == 201
    request, = traced(stack, request_id)
    note, = said(request, "redelivered: attempt 2")
    assert said(request, "repeated: its effect was there already")
    assert "quire.documents.write, partition" in note and request["status"] == 201


@pytest.mark.destructive
def test_a_message_that_stands_twice_on_its_topic_is_told(stack, caller, account, contract):
    request_id, correlation = new_id(), caller.correlation()
    headers = caller.headers("quire.Documents/Create", correlation, token=account.token, request_id=request_id)
    for partition in (0, 5):
        caller.send("quire.documents.write", contract.message("CreateDocumentRequest")(title="twice", content="x"), headers, partition=partition)
    request, = traced(stack, request_id, complete=lambda request: said(request, "sent twice"))
    assert said(request, "no gateway has a line") and request["title"] == "quire.Documents/Create"


@pytest.mark.destructive
def test_a_sampled_request_is_in_every_log_and_failed_and_slow_ones_always(stack, account):
    """One in three: chosen by the CRC-32 of the id, in the gateway as in the service."""
    for server in (stack.gateway, stack.documents):
        server.overrides = {"QUIRE_LOG_REQUEST_SAMPLE": 3, "QUIRE_LOG_SLOW_MS": 600}
    stack.restart(stack.gateway, stack.documents)
    wait_until(lambda: account.get("/documents").status_code == 200, 20, "requests are answered again")
    ids = [new_id("sample") for _ in range(30)]
    for request_id in ids:
        assert account.get("/documents", headers={"X-Request-ID": request_id}).status_code == 200
    failed = next(request_id for request_id in iter(new_id, None) if zlib.crc32(request_id.encode()) % 3)
    problem(account.get(f"/documents/{'0' * 8}-0000-7000-8000-{'0' * 12}", headers={"X-Request-ID": failed}), 404)
    slow = next(request_id for request_id in iter(new_id, None) if zlib.crc32(request_id.encode()) % 3)
    stack.documents.pause()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(account.get, "/documents", headers={"X-Request-ID": slow})
        assert not futures.wait([asked], timeout=0.7).done  # the time that makes it slow; shorter than what a group waits for a member
        stack.documents.resume()
        assert asked.result().status_code == 200
    wanted = {request_id for request_id in ids if zlib.crc32(request_id.encode()) % 3 == 0} | {failed, slow}
    assert 2 < len(wanted) < 32

    def logged(server):
        lines = [json.loads(line) for line in server.log_bytes(stack.marks[server]).decode().splitlines()]
        return {line.get("request_id") for line in lines if line["event"] in ("request.done", "request.handled")} & {*ids, failed, slow}

    for server in (stack.gateway, stack.documents):
        wait_until(lambda server=server: slow in logged(server), 5, f"the last line of {server.name}")
        assert logged(server) == wanted, server.name
