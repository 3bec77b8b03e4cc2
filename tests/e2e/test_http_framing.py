"""HTTP/1.1 on the wire, byte by byte (RFC 9112): framing, pipelining, slow clients. What is refused: test_ambiguity.py."""

import json
import select
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from raw_http import RawConnection, exchange

pytestmark = pytest.mark.gateway

OK = "GET /livez HTTP/1.1\r\nHost: q\r\n\r\n"


def login_body(account):
    return json.dumps({"email": account.email, "password": account.password})


def post(body, *headers):
    lines = ["POST /auth/login HTTP/1.1", "Host: q", "Content-Type: application/json", *headers]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def chunked(*chunks, extensions="", trailer=""):
    return "".join(f"{len(chunk):x}{extensions}\r\n{chunk}\r\n" for chunk in chunks) + f"0\r\n{trailer}\r\n"


def test_keep_alive_until_told_to_close(stack):
    with RawConnection(stack.gateway) as connection:
        for _ in range(3):
            assert connection.send(OK).answer().status == 200
        answer = connection.send("GET /livez HTTP/1.1\r\nHost: q\r\nConnection: close\r\n\r\n").answer()
        assert answer.status == 200 and answer.header("Connection").lower() == "close"
        assert connection.closed()


def test_http_1_0_is_answered_and_closed(stack):
    with RawConnection(stack.gateway) as connection:
        assert connection.send("GET /livez HTTP/1.0\r\n\r\n").answer().status == 200
        assert connection.closed()


def test_one_byte_at_a_time(account, stack):
    body = login_body(account)
    request = post(body, f"Content-Length: {len(body)}")
    with RawConnection(stack.gateway) as connection:
        for byte in request:
            connection.send(byte)
        assert connection.answer().status == 200
        assert connection.send(OK).answer().status == 200


@pytest.mark.parametrize("sizes", [[1] * 200, [7, 30, 500], [500]])
def test_a_chunked_body(account, stack, sizes):
    body, parts = login_body(account), []
    for size in sizes:
        parts.append(body[:size])
        body = body[size:]
    request = post(chunked(*[part for part in parts + [body] if part]), "Transfer-Encoding: chunked")
    assert [answer.status for answer in exchange(stack.gateway, request, OK, answers=2)] == [200, 200]


def test_chunk_extensions_and_trailers_are_passed_over(account, stack):
    body = chunked(login_body(account), extensions=";name=value", trailer="X-Trailer: 1\r\n")
    assert exchange(stack.gateway, post(body, "Transfer-Encoding: chunked"), OK, answers=2)[1].status == 200


def test_pipelined_requests_are_answered_in_order(account, stack):
    ids = [f"pipe-{number}" for number in range(60)]
    with RawConnection(stack.gateway) as connection:
        for number, request_id in enumerate(ids):
            path = "/auth/me" if number % 3 else "/livez"  # slow and quick ones mixed
            connection.send(f"GET {path} HTTP/1.1\r\nHost: q\r\nX-Request-ID: {request_id}\r\nAuthorization: Bearer {account.token}\r\n\r\n")
        answers = [connection.answer() for _ in ids]
    assert [answer.header("X-Request-ID") for answer in answers] == ids
    assert {answer.status for answer in answers} <= {200, 429}
    assert sum(answer.status == 200 for answer in answers) >= 32


def test_no_limit_on_the_total_of_pipelined_requests(stack):
    with RawConnection(stack.gateway) as connection:
        for _ in range(20):
            connection.send(OK * 50)
            assert all(connection.answer().status == 200 for _ in range(50))


def test_more_than_100_unanswered_wait_or_are_refused_but_none_is_lost(account, stack):
    count = 300
    request = f"GET /auth/me HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\n\r\n"
    with RawConnection(stack.gateway) as connection:
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(connection.send, request * count)
            statuses = [connection.answer().status for _ in range(count)]
            sending.result()
    assert set(statuses) <= {200, 429}


def test_a_client_that_sends_all_and_closes_its_half_is_answered(account, stack):
    body = login_body(account)
    with RawConnection(stack.gateway) as connection:
        connection.send(post(body, f"Content-Length: {len(body)}"))
        connection.finish_sending()
        assert connection.answer().status == 200


def test_a_client_that_leaves_harms_nobody(account, stack):
    for _ in range(20):
        connection = RawConnection(stack.gateway)
        connection.send(f"GET /auth/me HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\n\r\n")
        connection.socket.close()
    assert exchange(stack.gateway, OK).status == 200
    assert account.get("/auth/me").status_code == 200


def test_expect_100_continue(account, stack):
    body = login_body(account)
    with RawConnection(stack.gateway) as connection:
        connection.send(post("", f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert connection.answer().status == 100
        assert connection.send(body).answer().status == 200


def test_a_refused_expectation_reads_no_body(stack):
    with RawConnection(stack.gateway) as connection:
        connection.send("POST /nothing HTTP/1.1\r\nHost: q\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
        assert connection.answer().status == 404


def test_head_has_no_body_and_the_next_answer_follows(stack):
    with RawConnection(stack.gateway) as connection:
        connection.send("HEAD /openapi.json HTTP/1.1\r\nHost: q\r\n\r\n", OK)
        head = connection.answer(to_head=True)
        assert head.status == 200 and int(head.header("Content-Length")) > 1000
        assert connection.answer().status == 200


def test_absolute_form_and_asterisk(stack):
    assert exchange(stack.gateway, "GET http://q/livez HTTP/1.1\r\nHost: q\r\n\r\n").status == 200
    answer = exchange(stack.gateway, "OPTIONS * HTTP/1.1\r\nHost: q\r\n\r\n")
    assert answer.status == 204


def test_empty_lines_before_a_request_are_passed_over(stack):
    assert exchange(stack.gateway, "\r\n" + OK).status == 200  # RFC 9112 2.2


def test_upgrade_is_not_taken(stack):
    answer = exchange(stack.gateway, "GET /livez HTTP/1.1\r\nHost: q\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
    assert answer.status == 200 and answer.header("Upgrade") is None


def test_slow_headers_and_stalled_bodies_are_408(stack):
    def slow_head():
        with RawConnection(stack.gateway, seconds=30) as connection:
            started = time.monotonic()
            connection.send("GET /livez HTTP/1.1\r\nHost: q\r\nX-Slow: ")
            answer = connection.answer()
            return answer.status, time.monotonic() - started, connection.closed()

    def stalled_body():
        with RawConnection(stack.gateway, seconds=30) as connection:
            started = time.monotonic()
            connection.send(post('{"email"', "Content-Length: 100"))
            answer = connection.answer()
            return answer.status, time.monotonic() - started, connection.closed()

    def dripping_head():
        """The 10 s are for the whole header section, not for each byte."""
        with RawConnection(stack.gateway, seconds=30) as connection:
            started = time.monotonic()
            connection.send("GET /livez HTTP/1.1\r\nHost: q\r\nX-Slow: ")
            connection.socket.settimeout(0.25)
            while time.monotonic() - started < 14:
                try:
                    connection.send("x")
                    return connection.answer().status, time.monotonic() - started
                except TimeoutError:
                    continue
            return None, 14

    with ThreadPoolExecutor(3) as pool:
        head, body, dripping = pool.submit(slow_head), pool.submit(stalled_body), pool.submit(dripping_head)
        status, took, closed = head.result()
        assert (status, closed) == (408, True) and 9 < took < 13
        status, took, closed = body.result()
        assert (status, closed) == (408, True) and 14 < took < 18
        status, took = dripping.result()
        assert status == 408 and 9 < took < 13


@pytest.mark.destructive
def test_a_body_that_drips_is_408_and_a_slow_one_is_not(account, stack):
    """Neither stalls. Each second anew a body must bring 100 bytes, or its end."""
    stack.gateway.overrides = {"QUIRE_GATEWAY_BODY_SLOW_MS": "1000", "QUIRE_GATEWAY_BODY_SLOW_BYTES": "100"}
    stack.gateway.restart()
    body = login_body(account)

    def send(size, piece, every_s):
        """The status of a body of `size` bytes of which a piece comes every so often, when it came, and whether the connection ended."""
        sent = body.ljust(size)
        with RawConnection(stack.gateway, seconds=30) as connection:
            began = time.monotonic()
            connection.send(post("", f"Content-Length: {size}"))
            for at in range(0, size, piece):
                connection.send(sent[at:at + piece])
                if select.select([connection.socket], [], [], every_s)[0]:
                    break
            answer = connection.answer()
            return answer.status, time.monotonic() - began, answer.header("Connection") == "close" and connection.closed()

    with ThreadPoolExecutor(3) as pool:
        dripping, burst, slow = pool.submit(send, 10_000, 1, 0.1), pool.submit(send, 5_100, 5_000, 1.5), pool.submit(send, 4_000, 200, 0.2)
        status, took, closed = dripping.result()
        assert (status, closed) == (408, True) and 0.9 < took < 4
        assert burst.result()[0] == 200  # what comes late is its end
        status, took, closed = slow.result()
        assert (status, closed) == (200, False) and took > 3


def test_answers_to_a_client_that_does_not_read_hold_nobody_up(account, stack):
    document = account.create(content="x" * 1_000_000)
    request = f"GET /documents/{document['id']} HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\n\r\n"
    with RawConnection(stack.gateway) as lazy:
        lazy.send(request * 20)
        for _ in range(20):
            assert account.get("/auth/me").status_code == 200
