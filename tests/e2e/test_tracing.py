"""One request, followed through every log and over the topics."""

import json
import secrets

import pytest

from servers.waiting import wait_until
from topics import read_all

REQUESTS = [
    ("GET", "/auth/me", None, "session", "quire.session"), ("GET", "/documents", None, "documents", "quire.documents.read"),
    ("POST", "/documents", {"title": "t", "content": "c"}, "documents", "quire.documents.write"), ("POST", "/query", {"query": "x"}, "query", "quire.query"),
    ("POST", "/auth/login", {"email": "nobody@example.com", "password": "x"}, "session_password", "quire.session.password"),
]


def lines_of(server, request_id):
    return [json.loads(line) for line in server.log_lines(request_id)]


@pytest.mark.parametrize("method, path, body, service, topic", REQUESTS, ids=[f"{method} {path}" for method, path, *_ in REQUESTS])
def test_a_request_id_is_in_the_logs_of_gateway_and_service(account, stack, method, path, body, service, topic):
    request_id = f"trace-{secrets.token_hex(8)}"
    response = account.request(method, path, json=body, headers={"X-Request-ID": request_id})
    assert response.status_code < 500
    for server in (stack.gateway, getattr(stack, service)):
        lines = wait_until(lambda server=server: lines_of(server, request_id), 5, f"{request_id} in the log of {server.name}")
        assert all(line["request_id"] == request_id for line in lines)
    assert not stack.gateways[1].log_contains(request_id)


@pytest.mark.parametrize("traceparent, kept", [
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True), ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", False),
    ("nonsense", False), (None, False),
])
def test_traceparent_is_passed_on(account, stack, traceparent, kept):
    request_id = f"trace-{secrets.token_hex(8)}"
    account.post("/query", {"query": "x"}, headers={"X-Request-ID": request_id, **({"traceparent": traceparent} if traceparent else {})})
    message, = [message for message in read_all(stack.kafka.brokers, ["quire.query"]) if ("x-request-id", request_id.encode()) in message.headers()]
    sent = dict(message.headers()).get("traceparent", b"").decode()
    if kept:
        assert sent.split("-")[1] == traceparent.split("-")[1]
    else:
        assert not sent or sent.split("-")[1] not in ("0" * 32, "nonsense")


def test_every_line_of_every_log_is_json_and_says_whose_it_is(account, stack):
    account.create()
    for server in stack.ours:
        for line in server.log_bytes(stack.marks[server]).decode().splitlines():
            entry = json.loads(line)
            assert {"time", "level", "event", "service", "instance"} <= entry.keys(), line
            assert entry["level"] in ("debug", "info", "warn", "error")


def test_a_service_s_line_says_whose_request_it_was(account, anyone, stack):
    """Of whom a session or a password was right; a guess at an account is not its owner's."""
    def accounts(server, api, method, path, body=None):
        request_id = f"trace-{secrets.token_hex(8)}"
        api.request(method, path, headers={"X-Request-ID": request_id}, **({"json": body} if body else {}))
        return [line.get("account") for line in wait_until(lambda: lines_of(server, request_id), 5, "its line")]

    password = {"email": account.email, "password": account.password}
    assert accounts(stack.session, account, "GET", "/auth/me") == [account.id]
    assert accounts(stack.documents, account, "GET", f"/documents/{account.id}") == [account.id]
    assert accounts(stack.session_password, anyone, "POST", "/auth/login", password) == [account.id]
    assert accounts(stack.session_password, anyone, "POST", "/auth/login", {**password, "password": "wrong"}) == [None]


def test_what_a_caller_writes_cannot_forge_a_line(account, stack):
    for text in ('"}\n{"event":"forged"}', "\x1b[31mred", "%n%s%s", "\r\nforged"):
        account.post("/query", {"query": text})
        account.post("/auth/login", {"email": f"{text}@example.com", "password": text})
    assert account.get("/auth/me").status_code == 200
    for server in stack.ours:
        log = server.log_bytes(stack.marks[server])
        assert b'{"event":"forged"}' not in log and b"\x1b" not in log


def test_a_request_that_ends_in_a_fault_of_the_caller_is_logged_with_its_status(account, stack):
    request_id = f"trace-{secrets.token_hex(8)}"
    account.get("/documents?limit=0", headers={"X-Request-ID": request_id})
    line, = wait_until(lambda: lines_of(stack.gateway, request_id))
    assert line["status"] == 422 and line["level"] in ("info", "debug")
