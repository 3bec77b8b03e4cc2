"""The front proxy, with the gateways behind it: whom it says is calling, what it answers itself, and whom it doesn't let in."""

import json
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Api, new_address, problem
from raw_http import RawConnection
from servers.proxy import Proxy
from servers.stack import PROXY_ADDRESS
from servers.waiting import wait_until

GET = "GET /livez HTTP/1.1\r\nHost: q\r\n\r\n"


def post(body, *headers):
    lines = ["POST /auth/login HTTP/1.1", "Host: q", "Content-Type: application/json", *headers]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def test_the_client_address_is_what_the_proxy_saw(stack, proxy):
    address, claimed, request_id = new_address(), "192.0.2.7", f"claim-{uuid.uuid4()}"
    with RawConnection(proxy, address=address) as connection:
        for _ in range(2):  # the first is looked at, the later isn't
            connection.send(f"GET /nowhere HTTP/1.1\r\nHost: q\r\nX-Forwarded-For: {claimed}\r\nX-Forwarded-For: {claimed}\r\nX-Request-ID: {request_id}\r\n\r\n")
            assert connection.answer().status == 404
    lines = wait_until(lambda: [line for gateway in stack.gateways for line in gateway.log_lines(request_id)], what="the requests are logged")
    assert len(lines) == 2 and all(json.loads(line)["client"] == address for line in lines)


def test_a_refusal_keeps_the_caller_s_request_id(proxy):
    with RawConnection(proxy) as connection:
        answer = connection.send(GET.replace("Host: q", "Host: q\r\nHost: r\r\nx-request-id: mine:1")).answer()
        assert answer.header("X-Request-ID") == "mine:1"
    with RawConnection(proxy) as connection:
        answer = connection.send(GET.replace("Host: q", 'Host: q\r\nHost: r\r\nX-Request-ID: "}')).answer()
        assert answer.status == 400 and json.loads(answer.body)["instance"] == answer.header("X-Request-ID")
    wait_until(lambda: proxy.log_lines('"request_id":"mine:1"'), what="the refusal is logged")
    assert all(json.loads(line) for line in proxy.log_lines("request_id"))


def test_requests_in_pieces_and_rows_pass_the_proxy(account, proxy):
    body = json.dumps({"email": account.email, "password": account.password})
    requests = [post(body, f"Content-Length: {len(body)}"), post(f"{len(body):x};a=b\r\n{body}\r\n0\r\nX-Trailer: 1\r\n\r\n", "Transfer-Encoding: chunked"), GET, "\r\n" + GET]
    for request in requests:
        with RawConnection(proxy) as connection:
            for byte in request:
                connection.send(byte)
            assert connection.answer().status == 200
            connection.send(*requests)
            assert [connection.answer().status for _ in requests] == [200] * len(requests)
    with RawConnection(proxy) as connection:
        connection.send("".join(requests))
        assert [connection.answer().status for _ in requests] == [200] * len(requests)


def test_100_continue_through_the_proxy(account, proxy):
    body = json.dumps({"email": account.email, "password": account.password})
    with RawConnection(proxy) as connection:
        assert connection.send(post("", f"Content-Length: {len(body)}", "Expect: 100-continue")).answer().status == 100
        assert connection.send(body).answer().status == 200


@pytest.mark.parametrize("before", [0, 1], ids=["first", "later"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_client_that_ends_its_side_at_once_is_answered(account, proxy, method, before):
    """Its end comes with its request, as `nc -N` and others send it."""
    body = json.dumps({"email": account.email, "password": account.password})
    request = {"GET": GET, "POST": post(body, f"Content-Length: {len(body)}")}[method]

    def ask(_):
        with RawConnection(proxy) as connection:
            for _ in range(before):
                assert connection.send(GET).answer().status == 200
            connection.send(request).finish_sending()
            return connection.answer().status == 200 and connection.closed()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(200))) == [True] * 200


def test_a_client_that_ends_its_side_is_known_as_any_other(stack, proxy):
    """Its address, its id and its log line are as others have them."""
    address, request_id, mark = new_address(), f"ended-{uuid.uuid4()}", proxy.log_size()
    for _ in range(20):
        with RawConnection(proxy, address=address) as connection:
            connection.send(f"GET /nowhere HTTP/1.1\r\nHost: q\r\nX-Forwarded-For: 192.0.2.7\r\nX-Request-ID: {request_id}\r\n\r\n").finish_sending()
            answer = connection.answer()
            assert answer.status == 404 and answer.header("X-Request-ID") == request_id
    lines = wait_until(lambda: [line for gateway in stack.gateways for line in gateway.log_lines(request_id)], what="the requests are logged")
    assert all(json.loads(line)["client"] == address for line in lines)
    wait_until(lambda: len(proxy.log_lines(request_id)) == 20, what="the proxy logs them")
    assert all(json.loads(line)["status"] == 404 for line in proxy.log_lines(request_id))
    assert not proxy.log_lines('"request_id":"-"', mark), "a line that belongs to no request"  # what can't be parsed, in earlier tests, has such a one


def test_slow_clients_of_the_proxy(proxy):
    def slow(*pieces):
        with RawConnection(proxy, seconds=30) as connection:
            started = time.monotonic()
            connection.send(*pieces)
            answer = connection.answer()
            took = time.monotonic() - started
            assert answer.header("Content-Type") == "application/problem+json" and json.loads(answer.body)["status"] == answer.status
            assert answer.header("Connection") == "close"
            return answer.status, took, connection.closed() if took < 13 else None

    def dripping():
        with RawConnection(proxy, seconds=30) as connection:
            started = time.monotonic()
            connection.send(GET[:-2] + "X-Slow: ")
            connection.socket.settimeout(0.25)
            while time.monotonic() - started < 14:
                try:
                    connection.send("x")
                    return connection.answer().status, time.monotonic() - started, connection.closed()
                except TimeoutError:
                    continue
            return None, 14, False

    def silent():
        with RawConnection(proxy, seconds=30) as connection:
            started = time.monotonic()
            return connection.closed(), time.monotonic() - started

    with ThreadPoolExecutor(4) as pool:
        head, drops, body, nothing = pool.submit(slow, GET[:20]), pool.submit(dripping), pool.submit(slow, post('{"email"', "Content-Length: 100")), pool.submit(silent)
        for found in (head, drops):
            status, took, closed = found.result()
            assert (status, closed) == (408, True) and 9 < took < 13
        status, took, _ = body.result()
        assert status == 408 and 14 < took < 18
        closed, took = nothing.result()
        assert closed and 9 < took < 13


def test_an_address_has_so_many_connections_and_no_more(stack, proxy):
    few = Proxy(os.path.join(stack.folder, "proxy-few"), stack.gateways, PROXY_ADDRESS, {"QUIRE_PROXY_CONNECTIONS_AN_ADDRESS": "3"}).start()
    try:
        address = new_address()
        held = [RawConnection(few, address=address) for _ in range(3)]
        for connection in held:
            assert connection.send(GET).answer().status == 200
        with RawConnection(few, address=address) as fourth:
            answer = fourth.send(GET).answer()
            assert answer.status == 429 and int(answer.header("Retry-After")) >= 1
            assert json.loads(answer.body)["instance"] == answer.header("X-Request-ID")
            assert fourth.closed()
        with RawConnection(few) as other:
            assert other.send(GET).answer().status == 200
        assert held[1].send(GET).answer().status == 200  # who is in stays in
        held.pop().socket.close()

        def let_in():
            with RawConnection(few, address=address) as connection:
                return connection.send(GET).answer().status == 200

        wait_until(let_in, what="the place that got free is given away")
        for connection in held:
            connection.socket.close()
    finally:
        few.stop()


@pytest.mark.destructive
def test_without_a_gateway_it_answers_itself(stack, proxy):
    stack.stop_together(stack.gateways)
    with Api(proxy.url) as api:
        for method in ("GET", "POST"):
            problem(api.request(method, "/auth/me"), 503)


@pytest.mark.destructive
def test_a_gateway_that_stands_still_is_passed_over(stack, proxy):
    """What was sent to it is asked again elsewhere, or is 504; nothing waits for it beyond its deadline."""
    stack.gateway.pause()
    with Api(proxy.url) as api:
        for _ in range(6):
            started = time.monotonic()
            response = api.get("/openapi.json", headers={"Request-Timeout": "1"})
            assert response.status_code == 200 or problem(response, 504)
            assert time.monotonic() - started < 9
