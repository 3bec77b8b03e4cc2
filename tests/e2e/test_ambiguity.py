"""What could be read in two ways is refused, with a problem, and the connection ends (RFC 9112): by the gateway alone, and by the proxy before it, so that
the two never disagree about where a request ends."""

import json
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from raw_http import RawConnection, exchange
from servers.waiting import wait_until

pytestmark = pytest.mark.gateway

HOST = "Host: q\r\n"
# Names no one's field: would be an answer of its own, 404, were it ever read as a request.
SMUGGLED = "GET /smuggled HTTP/1.1\r\n" + HOST + "X-Request-ID: %s\r\n\r\n"


def get(*lines):
    return "GET /livez HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"


def post(*lines, body="0\r\n\r\n"):
    return "POST /auth/login HTTP/1.1\r\n" + HOST + "Content-Type: application/json\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n" + body


def chunked(body, *lines):
    return post("Transfer-Encoding: chunked", *lines, body=body)


LENGTHS = {
    "a length and chunked": post("Content-Length: 5", "Transfer-Encoding: chunked"),
    "chunked and a length": post("Transfer-Encoding: chunked", "Content-Length: 5"),
    "a length of 0 and chunked": post("Content-Length: 0", "Transfer-Encoding: chunked"),
    "two lengths": post("Content-Length: 5", "Content-Length: 6"),
    "the same length twice": post("Content-Length: 5", "Content-Length: 5"),
    "a list of lengths": post("Content-Length: 5, 5"),
    "a length with +": post("Content-Length: +5"),
    "a length below 0": post("Content-Length: -5"),
    "a length in hexadecimal": post("Content-Length: 0x5"),
    "a length with a fraction": post("Content-Length: 5.0"),
    "a length with a space in it": post("Content-Length: 5 5"),
    "an empty length": post("Content-Length: "),
    "a length of 20 digits": post("Content-Length: 99999999999999999999"),
    "a length of 2**64 + 5": post("Content-Length: 18446744073709551621"),
    "a length before a vertical tab": post("Content-Length:\x0b5"),
    "gzip last": post("Transfer-Encoding: chunked, gzip"),
    "gzip first": post("Transfer-Encoding: gzip, chunked"),
    "gzip": post("Transfer-Encoding: gzip"),
    "identity": post("Transfer-Encoding: identity"),
    "chunked twice": post("Transfer-Encoding: chunked, chunked"),
    "chunked in two fields": post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "identity, then chunked": post("Transfer-Encoding: identity", "Transfer-Encoding: chunked"),
    "xchunked": post("Transfer-Encoding: xchunked"),
    "chunked with a parameter": post("Transfer-Encoding: chunked;q=1"),
    "chunked in quotes": post('Transfer-Encoding: "chunked"'),
    "chunked after a vertical tab": post("Transfer-Encoding:\x0bchunked"),
    "an empty encoding": post("Transfer-Encoding: "),
    "chunked in HTTP/1.0": chunked("0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0"),
}
LINES = {
    "a space before the colon": post("Transfer-Encoding : chunked"),
    "a tab before the colon": post("Content-Length\t: 5"),
    "a folded line": get("Host: q", "X: y", " Transfer-Encoding: chunked"),
    "a line folded by a tab": get("Host: q", "X: y", "\tz"),
    "a folded first line": get(" Host: q"),
    "a field without a colon": get("Host: q", "X"),
    "a field without a name": get("Host: q", ": y"),
    "a space in a name": get("Host: q", "X Y: z"),
    "a character that no name has": get("Host: q", "X(Y): z"),
    "NUL in a value": get("Host: q", "X: a\x00b"),
    "NUL in a name": get("Host: q", "X\x00: b"),
    "a control character in a value": get("Host: q", "X: a\x01b"),
    "a bare CR in a value": get("Host: q", "X: a\rb"),
    "a bare CR before a field": get("Host: q", "X: a\rContent-Length: 5"),
    "a bare LF in a value": get("Host: q", "X: a\nContent-Length: 5"),
    "CR CR LF": get("Host: q", "X: a\r"),
    "bare LF throughout": "GET /livez HTTP/1.1\nHost: q\n\n",
    "a bare LF after the request line": "GET /livez HTTP/1.1\nHost: q\r\n\r\n",
    "a bare LF at the end": "GET /livez HTTP/1.1\r\nHost: q\r\n\n",
    "bare CR throughout": "GET /livez HTTP/1.1\rHost: q\r\r",
}
CHUNKS = {
    "no CR LF after a chunk": chunked("5\r\nhello0\r\n\r\n"),
    "a chunk longer than its size": chunked("3\r\nhello\r\n0\r\n\r\n"),
    "a chunk shorter than its size": chunked("7\r\nhello\r\n0\r\n\r\n"),
    "a bare LF after a size": chunked("5\nhello\r\n0\r\n\r\n"),
    "a bare CR after a size": chunked("5\rhello\r\n0\r\n\r\n"),
    "a bare LF after a chunk": chunked("5\r\nhello\n0\r\n\r\n"),
    "no size": chunked("\r\nhello\r\n0\r\n\r\n"),
    "a size below 0": chunked("-1\r\n\r\n"),
    "a size with 0x": chunked("0x5\r\nhello\r\n0\r\n\r\n"),
    "a size that is no number": chunked("x\r\n"),
    "a space after a size": chunked("5 \r\nhello\r\n0\r\n\r\n"),
    "a space before a size": chunked(" 5\r\nhello\r\n0\r\n\r\n"),
    "a size of 2**64 + 5": chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"),
    "a size of 18 digits": chunked("ffffffffffffffffff\r\n"),
    "a bare LF in an extension": chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"),
    "a trailer without a colon": chunked("0\r\nX\r\n\r\n"),
    "a folded trailer": chunked("0\r\nX: y\r\n z\r\n\r\n"),
    "a length in the trailers": chunked("0\r\nContent-Length: 5\r\n\r\n"),
    "chunked in the trailers": chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"),
}
TARGETS = {
    "no Host": get(),
    "two Hosts": get("Host: a", "Host: b"),
    "the same Host twice": get("Host: a", "Host: a"),
    "a space in Host": get("Host: a b"),
    "a path in Host": get("Host: a/b"),
    "a person in Host": get("Host: a@b"),
    "two spaces after the method": get("Host: q").replace(" ", "  ", 1),
    "a tab after the method": get("Host: q").replace(" ", "\t", 1),
    "a space in the target": get("Host: q").replace("/livez", "/li vez"),
    "NUL in the target": get("Host: q").replace("/livez", "/\x00livez"),
    "a fragment in the target": get("Host: q").replace("/livez", "/livez#a"),
    "a byte beyond ASCII in the target": get("Host: q").replace("/livez", "/\xff"),
    "a target that is no path": get("Host: q").replace("/livez", "livez"),
    "a space before the method": " " + get("Host: q"),
    "NUL in the method": get("Host: q").replace("GET", "G\x00T"),
    "a word after the version": get("Host: q").replace("1.1", "1.1 x"),
    "a version in lower case": get("Host: q").replace("HTTP", "http"),
    "no version": "GET /livez\r\n\r\n",
    "HTTP/0.9": "GET /livez\r\n",
    "a version of another kind": get("Host: q").replace("HTTP/1.1", "HTTP/1"),
    "another protocol": get("Host: q").replace("HTTP/1.1", "ICY/1.1"),
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "JSON": "{}\n\n",
    "a method alone": "GET\r\n\r\n",
}
VERSIONS = {
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9 by name": get("Host: q").replace("1.1", "0.9"),
    "HTTP/1.2": get("Host: q").replace("1.1", "1.2"),
    "HTTP/9.9": get("Host: q").replace("1.1", "9.9"),
}
# No uri-host [":" port] (RFC 9112 3.2).
HOSTS = ["127.0.0.1:99999", "a:b", "a:1:2", "::1", ":80", "[zz]", "[]", "[::1", "]", "a]", "[::1]x", "[::1]80", "[::1]:x", "[127.0.0.1]", "a%zz", "a%4", 'a"b', "a|b", "é"]
# HAProxy takes none of these; the gateway alone goes by the target, and ignores Host (RFC 9112 3.2.2) and Upgrade.
BY_THE_PROXY = {
    "another authority than Host": get("Host: a").replace("/livez", "http://b/livez"),
    "a query without a path": get("Host: q").replace("/livez", "http://q?x=1"),
    "CONNECT without a port": get("Host: q").replace("GET /livez", "CONNECT q"),
    "CONNECT to a URI": get("Host: q").replace("GET /livez", "CONNECT http://q/"),
    "a comma in Host": get("Host: a,b"),
    "WebSocket without a key": get("Host: q", "Connection: upgrade", "Upgrade: websocket"),
    "WebSocket with an empty key": get("Host: q", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: "),
    "WebSocket with a short key": get("Host: q", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: abc"),
    "a body of an old GET": get("Host: q", "Content-Length: 5").replace("1.1", "1.0"),
    "a name of 256 bytes": get("Host: q", "x" * 256 + ": y"),
    "PRI": get("Host: q").replace("GET", "PRI"),
}
REFUSED = {**LENGTHS, **LINES, **CHUNKS, **TARGETS}


@pytest.fixture(params=["gateway", "proxy"])
def door(request, stack):
    """The gateway alone, and the pair."""
    return request.getfixturevalue("proxy") if request.param == "proxy" else stack.gateway


def check_refused(answer, statuses):
    assert answer.status in statuses, answer
    assert answer.header("Content-Type") == "application/problem+json", answer
    assert answer.header("Connection") == "close", answer
    problem = json.loads(answer.body)
    assert problem["status"] == answer.status and problem["detail"]
    assert problem["instance"] == answer.header("X-Request-ID")


def check_unseen(stack, request_id):
    """No gateway has read a request of that id: a later one is in their logs already."""
    control = f"control-{uuid.uuid4()}"
    for gateway in stack.gateways:
        exchange(gateway, SMUGGLED % control)
        wait_until(lambda: gateway.log_contains(control), what="a request that was read is logged")
        assert not gateway.log_contains(request_id)


def check_only_answer(stack, door, parts, statuses):
    """One refusal, the end of the connection, and nobody has seen what came behind it."""
    smuggled_id = f"smuggled-{uuid.uuid4()}"
    with RawConnection(door) as connection:
        connection.send(*[part.encode("latin-1") for part in (*parts, SMUGGLED % smuggled_id)])
        check_refused(connection.answer(), statuses)
        assert connection.closed(), "answered something behind an ambiguous request"
    check_unseen(stack, smuggled_id)


@pytest.mark.parametrize("name", REFUSED)
def test_an_ambiguous_request_is_400_and_the_end(stack, door, name):
    check_only_answer(stack, door, [REFUSED[name]], [400])


@pytest.mark.parametrize("name", VERSIONS)
def test_another_version_is_refused_and_the_end(stack, door, name):
    check_only_answer(stack, door, [VERSIONS[name]], [400, 505])


@pytest.mark.parametrize("name", BY_THE_PROXY)
def test_what_only_the_proxy_refuses(stack, proxy, name):
    check_only_answer(stack, proxy, [BY_THE_PROXY[name]], [400, 431])


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_none_is_400_and_the_end(stack, door, host):
    check_only_answer(stack, door, [get(f"Host: {host}")], [400])


def test_hosts_with_and_without_a_port(door):
    for host in ("q", "q:", "q:0", "127.0.0.1:65535", "[::1]", "[::1]:80", "[2001:db8::192.0.2.1]", "%71.example", "a-b_c~d.", ""):
        assert exchange(door, get(f"Host: {host}")).status == 200, host
        assert not host or exchange(door, get(f"Host: {host}").replace("/livez", f"http://{host}/livez")).status == 200, host


def test_a_later_host_that_is_none_is_400(proxy):
    for host in ("a:b", "[zz]", "a%zz", "127.0.0.1:99999"):
        with RawConnection(proxy) as connection:
            assert connection.send(get("Host: q")).answer().status == 200
            assert connection.send(get(f"Host: {host}")).answer().status == 400


# Whatever comes first on a connection, HAProxy's own text/html is not what it gets. The same pieces in the same disorder each time.
MUTATIONS = 1500
PIECES = ["\r\n", "\n", "\r", " ", "\t", ":", "/", "[", "]", "%", "?", "#", ",", ";", "@", "*", "\x00", "\x80", "HTTP/1.1", "http://q", "chunked", "Host: q\r\n", "Content-Length: 5\r\n",
          "Transfer-Encoding: chunked\r\n", "Connection: upgrade\r\nUpgrade: websocket\r\n", "0\r\n\r\n", "x" * 300, "X: y\r\n" * 300]


def mutated(order, requests):
    text = order.choice(requests)
    for _ in range(order.randint(1, 3)):
        at = order.randint(0, len(text))
        cut = at + order.choice((0, 0, 1, 3, 10))
        text = text[:at] + order.choice((*PIECES, "", chr(order.randrange(256)), order.choice(requests)[at:])) + text[cut:]
    return text.encode("latin-1")


def test_no_first_request_gets_what_haproxy_would_say(proxy):
    requests = [*{**REFUSED, **VERSIONS, **BY_THE_PROXY}.values(), *(get(f"Host: {host}") for host in HOSTS), get("Host: q"), post("Content-Length: 2", body="{}"),
                chunked("5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"), get("Host: q", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: " + "x" * 24)]
    order = random.Random(9112)

    def check(sent):
        with RawConnection(proxy, seconds=1) as connection:
            try:
                answer = connection.send(sent).answer(to_head=sent.startswith(b"HEAD"))
            except TimeoutError:
                return  # it is not complete
            if answer.status >= 400:
                assert answer.header("Content-Type") == "application/problem+json", (sent, answer)
                assert json.loads(answer.body)["instance"] == answer.header("X-Request-ID"), (sent, answer)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(check, [mutated(order, requests) for _ in range(MUTATIONS)]))


def test_more_extensions_than_16_kib_are_refused_and_the_end(stack, door):
    """HAProxy waits for the end of what doesn't fit its buffer, and the gateway ends that."""
    check_only_answer(stack, door, [chunked("5;a=" + "b" * 100_000 + "\r\nhello\r\n0\r\n\r\n")], [400, 408])


def test_garbage_after_a_body_is_400_and_the_end(stack):
    body = json.dumps({"email": "nobody@example.com", "password": "12345678"})
    for garbage in ("garbage\r\n\r\n", "}", "\x00", "\r\n\r\n\r\n\r\n\r\n{}", "\n"):
        with RawConnection(stack.gateway) as connection:
            connection.send(post(f"Content-Length: {len(body)}", body=body))
            assert connection.answer().status == 401
            connection.send(garbage).finish_sending()
            check_refused(connection.answer(), [400])
            assert connection.closed()


# Later requests of a connection are read by HAProxy alone. It refuses some of the above (with a text of its own), and makes the rest plain: the gateway then
# gets what HAProxy read, whose end is where HAProxy saw it.

HIDDEN = ("0\r\n\r\n", SMUGGLED)  # a request behind the end that chunked coding sees, within the length
OBFUSCATIONS = ["Transfer-Encoding: chunked", "Transfer-Encoding : chunked", "Transfer-Encoding:\x0bchunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity",
                "Transfer-Encoding: identity, chunked", "Transfer-Encoding: identity", "X: y\r\n Transfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked",
                "X: y\nTransfer-Encoding: chunked", "Transfer-Encoding:\r\n chunked", "Transfer\x00-Encoding: chunked", "X: y\r\n\tTransfer-Encoding: chunked",
                "Content-Length: 5", "Content-Length : 5", "Content-Length: +5", "X: y\nContent-Length: 5", "Content-Length:\r\n 5"]


@pytest.mark.parametrize("line", OBFUSCATIONS)
@pytest.mark.parametrize("before", [True, False])
def test_a_later_ambiguous_request_smuggles_nothing(stack, proxy, line, before):
    smuggled_id = f"smuggled-{uuid.uuid4()}"
    body = "".join(HIDDEN) % smuggled_id
    lines = [line, f"Content-Length: {len(body)}"]
    with RawConnection(proxy) as connection:
        assert connection.send(get("Host: q")).answer().status == 200
        connection.send(post(*(lines if before else lines[::-1]), body=body).encode("latin-1"))
        assert connection.answer().status in (400, 422)
        connection.finish_sending()
        assert connection.closed(), "answered what was hidden in a body"
    check_unseen(stack, smuggled_id)


def test_a_later_request_hidden_in_a_chunk_stays_there(stack, proxy):
    smuggled_id = f"smuggled-{uuid.uuid4()}"
    hidden = SMUGGLED % smuggled_id
    with RawConnection(proxy) as connection:
        assert connection.send(get("Host: q")).answer().status == 200
        size = f"{len(hidden):x}\r\n"
        connection.send(post(f"Content-Length: {len(size)}", "Transfer-Encoding: chunked", body=f"{size}{hidden}\r\n0\r\n\r\n"))
        assert connection.answer().status == 400
        assert connection.closed()
    check_unseen(stack, smuggled_id)


def test_heads_beyond_the_limits_pass_no_proxy(stack, door):
    for request, status in ((get("Host: q").replace("/livez", "/" + "a" * 9000), 414), (get("Host: q").replace("/livez", "/" + "a" * 100_000), 414),
                            (get("Host: q", *["X: y"] * 101), 431), (get("Host: q", "X: " + "y" * 20_000), 431), (get("Host: q", "X: " + "y" * 100_000), 431)):
        with RawConnection(door) as connection:
            answer = connection.send(request).answer()
            assert answer.status == status and json.loads(answer.body)["instance"] == answer.header("X-Request-ID")


@pytest.mark.parametrize("trailer", ["Content-Length: 5", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("later", [False, True])
def test_a_length_in_trailers_that_come_behind_their_body_is_400_and_the_end(stack, proxy, trailer, later):
    """HAProxy hands such trailers on; it keeps to itself that the gateway ends the connection, and has to end its own."""
    smuggled_id = f"smuggled-{uuid.uuid4()}"
    with RawConnection(proxy) as connection:
        if later:
            assert connection.send(get("Host: q")).answer().status == 200
        connection.send(chunked("2\r\n{}\r\n"))
        time.sleep(0.2)  # the proxy has looked at what is there; nobody tells when
        connection.send(f"0\r\n{trailer}\r\n\r\n", SMUGGLED % smuggled_id)
        answer = connection.answer()
        assert answer.status == 400 and answer.header("Connection") == "close", answer
        assert connection.closed(), "answered something behind an ambiguous request"
    check_unseen(stack, smuggled_id)


# What HAProxy reads in the one way that RFC 9112 leaves to a lenient reader, and hands on as it read it: the gateway answers, and what comes behind is the
# next request to both. All else it refuses.
MENDED = {"a length and chunked", "chunked and a length", "a length of 0 and chunked", "the same length twice", "a list of lengths", "chunked in HTTP/1.0", "a folded line",
          "a line folded by a tab", "a control character in a value", "a bare LF in a value", "bare LF throughout", "a bare LF after the request line", "a bare LF at the end",
          "a space after a size", "a folded trailer", "a length in the trailers", "chunked in the trailers", "no Host", "the same Host twice", "two spaces after the method", "a tab after the method", *VERSIONS}


@pytest.mark.parametrize("name", sorted({*REFUSED, *VERSIONS} - MENDED))
def test_a_later_request_that_cannot_be_read_is_refused_and_the_end(stack, proxy, name):
    """By HAProxy's connection layer, with a text of its own (docs/ARCHITECTURE.md); what comes behind is read by nobody."""
    smuggled_id = f"smuggled-{uuid.uuid4()}"
    with RawConnection(proxy) as connection:
        assert connection.send(get("Host: q")).answer().status == 200
        connection.send(REFUSED[name].encode("latin-1"), (SMUGGLED % smuggled_id).encode("latin-1"))
        answer = connection.answer()
        assert answer.status in (400, 422) and answer.header("Content-Type") == "text/html", answer
        assert connection.closed(), "answered something behind what it could not read"
    check_unseen(stack, smuggled_id)


@pytest.mark.parametrize("name", sorted(MENDED))
def test_a_later_request_that_is_mended_is_answered_by_a_gateway(stack, proxy, name):
    with RawConnection(proxy) as connection:
        assert connection.send(get("Host: q")).answer().status == 200
        answer = connection.send({**REFUSED, **VERSIONS}[name].encode("latin-1"), b"hello").answer()  # the body, where a mended field asks for one
        assert answer.status in (200, 400, 422, 505) and answer.header("Content-Type") in ("application/json", "application/problem+json"), answer
