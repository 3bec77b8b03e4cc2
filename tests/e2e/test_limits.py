"""Sizes: the last that is accepted, the first that is not."""

import json
import uuid

import pytest

from client import problem
from raw_http import RawConnection, exchange
from servers.binary import SANITIZED

pytestmark = pytest.mark.gateway

MIB = 1024 * 1024


@pytest.mark.parametrize("length, status", [(8192, 422), (8193, 414), (60_000, 414)])
def test_a_request_line_of_8_kib(stack, length, status):
    line = "GET /livez?{} HTTP/1.1\r\n"
    padding = length - len(line.format("").rstrip("\r\n"))
    # Within the limit the line is read, and the parameter, which /livez doesn't take, refused.
    assert exchange(stack.gateway, line.format("a" * padding), "Host: q\r\n\r\n").status == status


@pytest.fixture(params=["gateway", "proxy", "proxy, a later request"])
def opened(request, stack):
    """A connection to a gateway, or to the proxy, whose own fields don't count."""
    with RawConnection(stack.gateway if request.param == "gateway" else request.getfixturevalue("proxy")) as connection:
        if request.param.endswith("later request"):
            assert connection.send("GET /livez HTTP/1.1\r\nHost: q\r\n\r\n").answer().status == 200
        yield connection


def check_head_limit(answer, status):
    assert answer.status == status
    if status == 431:
        assert answer.header("Content-Type") == "application/problem+json" and answer.header("Connection") == "close"
        assert json.loads(answer.body)["instance"] == answer.header("X-Request-ID")


@pytest.mark.parametrize("begin", ["GET /livez", "POST /auth/logout"])  # the proxy sends what may not be repeated on another way
@pytest.mark.parametrize("bytes_of_fields, status", [(16 * 1024, None), (16 * 1024 + 1, 431), (36_000, 431)])
def test_a_header_section_of_16_kib(opened, begin, bytes_of_fields, status):
    host = "Host: q\r\n"
    field = "X: " + "y" * (bytes_of_fields - len(host) - len("X: \r\n") - len("\r\n")) + "\r\n"  # the empty line counts too
    opened.send(f"{begin} HTTP/1.1\r\n")
    try:
        opened.send(host, field, "\r\n")
    except (BrokenPipeError, ConnectionResetError):
        pass
    check_head_limit(opened.answer(), status or (200 if begin.startswith("GET") else 401))


@pytest.mark.parametrize("begin", ["GET /livez", "POST /auth/logout"])
@pytest.mark.parametrize("count, status", [(100, None), (101, 431), (200, 431)])
def test_a_hundred_fields(opened, begin, count, status):
    fields = "".join(f"X-{number}: y\r\n" for number in range(count - 1))
    opened.send(f"{begin} HTTP/1.1\r\nHost: q\r\n{fields}\r\n")
    check_head_limit(opened.answer(), status or (200 if begin.startswith("GET") else 401))


def test_a_header_section_without_spaces_grows_on_its_way(proxy):
    """HAProxy writes one behind each colon; a first request is measured as it came."""
    for size, status in ((16 * 1024, 200), (16 * 1024 + 1, 431)):
        lines = "Host:q\r\n" + "X:y\r\n" * 98
        field = "X:" + "y" * (size - len(lines) - len("X:\r\n\r\n")) + "\r\n"
        check_head_limit(exchange(proxy, f"GET /livez HTTP/1.1\r\n{lines}{field}\r\n"), status)


def test_an_id_that_the_limit_cuts_off_is_replaced(stack):
    id_line = "X-Request-ID: cut-off\r\n"
    for bytes_within in (len(id_line) - 8, len(id_line) - 2):
        padding = "y" * (16 * 1024 - len("Host: q\r\nX: \r\n") - bytes_within)
        answer = exchange(stack.gateway, f"GET /livez HTTP/1.1\r\nHost: q\r\nX: {padding}\r\n{id_line}\r\n")
        check_head_limit(answer, 431)
        assert uuid.UUID(answer.header("X-Request-ID")).version == 7


def test_a_body_that_says_it_is_larger_than_16_mib_is_413_at_once(account, stack):
    with RawConnection(stack.gateway) as connection:
        connection.send(f"POST /documents HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\nContent-Type: application/json\r\n"
                        f"Content-Length: {16 * MIB + 1}\r\n\r\n")
        answer = connection.answer()
        assert answer.status == 413 and answer.header("Content-Type").startswith("application/problem+json")
        assert answer.header("Connection").lower() == "close"


def test_a_chunked_body_that_grows_larger_than_16_mib_is_413(account, stack):
    with RawConnection(stack.gateway) as connection:
        connection.send(f"POST /documents HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\nContent-Type: application/json\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n" + b" " * MIB + b"\r\n"
        try:
            for _ in range(17):
                connection.send(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.answer().status == 413


def test_a_body_of_exactly_16_mib_is_read(account):
    body = b'{"title":"t","content":"c"}'
    response = account.post_bytes("/documents", body + b" " * (16 * MIB - len(body)), headers={"Request-Timeout": "30"})
    assert response.status_code == 201
    problem(account.post_bytes("/documents", body + b" " * (16 * MIB - len(body) + 1)), 413)


def test_content_of_exactly_15_mib_and_one_byte_more(account):
    def post(size):
        return account.post_bytes("/documents", json.dumps({"title": "t", "content": "x" * size}).encode(), headers={"Request-Timeout": "30"})

    # On a busy machine it takes a sanitizer longer than the longest deadline.
    assert post(15 * MIB).status_code in ((201, 504) if SANITIZED else (201,))
    errors = problem(post(15 * MIB + 1), 422)["errors"]
    assert [error["field"] for error in errors] == ["content"]


@pytest.mark.parametrize("count", [100_000, 1_000_000])
def test_content_of_nothing_but_control_characters(account, count):
    """In JSON it is six times as long."""
    document = account.create(content="\x01" * count)
    assert account.read(document["id"])["content"] == "\x01" * count


def test_an_idempotency_key_of_255_visible_characters(account):
    body = {"title": "t", "content": "c"}
    assert account.post("/documents", body, key="~" * 255).status_code == 201
    for bad in ("~" * 256, "a b", "ü".encode(), "a\tb"):
        response = account.post("/documents", body, key=bad)
        assert response.status_code in (400, 422)
        problem(response, response.status_code)
    assert len(account.listed()) == 1


def test_many_idle_connections_hold_nobody_up(stack, account):
    connections = [RawConnection(stack.gateway) for _ in range(500)]
    try:
        assert account.get("/auth/me").status_code == 200
        for connection in connections[::50]:
            assert connection.send("GET /livez HTTP/1.1\r\nHost: q\r\n\r\n").answer().status == 200
    finally:
        for connection in connections:
            connection.socket.close()
