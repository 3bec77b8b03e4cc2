"""A lane that can't keep up: who would wait too long is told so at once, and nobody else is touched."""

import os
import select
import time

import pytest

from raw_http import RawConnection
from servers.waiting import wait_until

pytestmark = pytest.mark.gateway

PATIENT, EXCESS = 100, 50  # 64 may always wait on a ring
READ, WRITE = "GET", "POST"
BODY = '{"title":"t","content":"c"}'


def ask(gateway, account, method=READ, more="", body=""):
    """One request on a connection of its own, whose answer is not waited for."""
    length = f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n" if method == WRITE else ""
    return RawConnection(gateway, seconds=40).send(
        f"{method} /documents HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\nRequest-Timeout: 25\r\n{length}{more}\r\n{body}")


def is_answered(*connections):
    return bool(select.select([connection.socket for connection in connections], [], [], 0)[0])


def fill(gateway, account, method=READ, body=""):
    """As many wait as may, and the lane has stood still for long enough to be known for it. Who waits."""
    patient = [ask(gateway, account, method, body=body) for _ in range(PATIENT)]

    def refuses():
        with ask(gateway, account, method, body=body) as probe:
            return select.select([probe.socket], [], [], 0.2)[0] and probe.answer().status == 503

    wait_until(refuses, what="one more is refused")
    return patient


@pytest.fixture
def gateway(stack):
    """With one ring, so that all requests stand in one queue."""
    stack.gateway.overrides = {"QUIRE_RINGS": "1"}
    stack.gateway.restart()
    return stack.gateway


@pytest.mark.destructive
def test_the_excess_is_refused_before_anyone_meets_a_deadline(stack, gateway, account):
    document = account.create()
    stack.documents.pause()
    patient = fill(gateway, account)
    for _ in range(EXCESS):
        with ask(gateway, account) as connection:
            refused = connection.answer()
        assert refused.status == 503 and int(refused.header("Retry-After")) >= 1, refused
        assert b"in time" in refused.body
    assert not is_answered(*patient), "somebody's time was over, or nobody was let in"
    assert account.get("/auth/me").status_code == 200  # another lane
    assert gateway.metrics().sum("quire_gateway_refused_total", reason="lane") > EXCESS
    wait_until(lambda: gateway.log_contains('"event":"lane.full"'), what="the beginning is told")
    stack.documents.resume()
    for connection in patient:
        with connection:
            assert connection.answer().status in (200, 429)  # an account may have only so many at once
    assert account.read(document["id"]) == document
    wait_until(lambda: gateway.log_contains('"event":"lane.has_room"'), what="the end is told")


@pytest.mark.destructive
def test_a_body_that_would_be_refused_is_not_asked_for(stack, gateway, account):
    expecting = "Expect: 100-continue\r\n"
    with ask(gateway, account, WRITE, expecting) as connection:
        assert connection.answer().status == 100
        assert connection.send(BODY).answer().status == 201
    stack.documents.pause()
    patient = fill(gateway, account, WRITE, BODY)
    with ask(gateway, account, WRITE, expecting) as connection:
        assert connection.answer().status == 503
    for connection in patient:
        connection.socket.close()


@pytest.mark.destructive
def test_refusals_are_counted_not_each_logged(stack, account):
    """A line for each would be most of their cost, and there are the more of them the less there is to spare."""
    gateway = stack.gateway
    gateway.overrides = {"QUIRE_RINGS": "1", "QUIRE_LOG_REFUSED_MAX": "1"}
    gateway.restart()
    stack.documents.pause()
    mark, began = gateway.log_size(), time.monotonic()
    patient = fill(gateway, account)
    for _ in range(EXCESS):
        with ask(gateway, account) as connection:
            assert connection.answer().status == 503
    seconds = time.monotonic() - began
    lines = gateway.log_lines('"status":503', mark)
    assert 1 <= len(lines) <= seconds + 2, f"{len(lines)} lines in {seconds:.1f} s"
    assert gateway.metrics().sum("quire_gateway_refused_total", reason="lane") > EXCESS
    for connection in patient:
        connection.socket.close()


def niceness(server):
    """Of each thread of a process that isn't as everybody else."""
    found = []
    for thread in os.listdir(f"/proc/{server.pid}/task"):
        with open(f"/proc/{server.pid}/task/{thread}/stat") as stat:
            nice = int(stat.read().rpartition(")")[2].split()[16])
        if nice != os.getpriority(os.PRIO_PROCESS, 0):
            found.append(nice)
    return found


def test_slow_lanes_stand_back_where_processors_are_scarce(stack):
    """A storm of log-ins or of large documents would else take its share of them from what is quick."""
    assert niceness(stack.session_password) == [10]
    assert niceness(stack.documents) == [10]  # its bulk lane's worker
    assert niceness(stack.session) == niceness(stack.query) == []
