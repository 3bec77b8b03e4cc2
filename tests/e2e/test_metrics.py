"""What the admin ports tell."""

import os

import pytest

from client import Account
from servers.gateway import Gateway
from servers.waiting import wait_until

pytestmark = pytest.mark.gateway


def test_every_process_tells_its_metrics_on_its_admin_port(stack, account):
    account.get("/auth/me")
    for server in stack.ours:
        metrics = server.metrics()
        assert metrics.series
        for name in metrics.names():
            family = name
            for suffix in ("_bucket", "_sum", "_count"):
                if name.endswith(suffix) and name.removesuffix(suffix) in metrics.types:
                    family = name.removesuffix(suffix)
            assert metrics.types[family] in ("counter", "gauge", "histogram") and metrics.helps[family], name
        assert server.admin("/livez")[0] == 200 and server.admin("/readyz")[0] == 200
        assert server.admin("/nothing")[0] == 404


def test_the_public_port_has_none(stack, anyone):
    assert anyone.get("/metrics").status_code == 404


@pytest.fixture
def counting(stack):
    """A gateway that nobody else asks: a client that went away earlier may still be owed an answer by the others, which counts when it comes."""
    gateway = Gateway("counting", os.path.join(stack.folder, "counting"), stack.gateway_settings()).start()
    yield gateway
    gateway.stop()


def test_requests_are_counted_by_route_method_and_status(counting):
    def count(**labels):
        return counting.metrics().sum("http_requests_total", **labels)

    with Account.open(counting.url) as account:
        document = account.create()
        before = count()
        for _ in range(3):
            account.read(document["id"])
        account.get("/documents/none")
        account.get("/no/such/path")
    assert count(method="GET", route="/documents/{id}", status="200") == 3
    assert count(method="GET", route="/documents/{id}", status="404") == 1
    assert count() == before + 5
    metrics = counting.metrics()
    assert metrics.sum("http_request_duration_seconds_count", method="GET", route="/documents/{id}", status="200") == 3
    assert metrics.types["http_request_duration_seconds"] == "histogram"
    assert not any("no/such" in str(labels) for _, labels, _ in metrics.series)  # a caller makes no series


def test_unknown_paths_and_methods_make_no_new_series(stack, anyone):
    anyone.get("/warm")
    anyone.request("BREW", "/livez")
    before = len(stack.gateway.metrics().series)
    for number in range(30):
        anyone.get(f"/unknown/{number}")
        anyone.request(f"BREW{number}", "/livez")
    assert len(stack.gateway.metrics().series) <= before + 2


def test_connections_and_requests_in_flight_are_gauges(stack):
    from raw_http import RawConnection
    before = stack.gateway.metrics().sum("active_connections")
    connections = [RawConnection(stack.gateway) for _ in range(10)]
    wait_until(lambda: stack.gateway.metrics().sum("active_connections") >= before + 10, 3, "ten more connections")
    for connection in connections:
        connection.socket.close()
    wait_until(lambda: stack.gateway.metrics().sum("active_connections") <= before, 3, "ten fewer connections")
    assert any("inflight" in name or "in_flight" in name for name in stack.gateway.metrics().names())


def test_receives_are_multishot_and_system_calls_fewer_than_requests(stack, account):
    """Under pipelined load several requests are served by one io_uring_enter, and a receive is armed once for many messages."""
    from raw_http import RawConnection

    def measure():
        metrics = stack.gateway.metrics()
        return [metrics.sum(name) for name in ("quire_gateway_multishot_receives_total", "quire_gateway_ring_submissions_total",
                                               "quire_gateway_ring_completions_total", "quire_gateway_ring_enters_total", "http_requests_total")]

    request = "GET /livez HTTP/1.1\r\nHost: q\r\n\r\n"
    connections = [RawConnection(stack.gateway) for _ in range(8)]
    before = measure()
    for _ in range(40):
        for connection in connections:
            connection.send(request * 5)
        for connection in connections:
            for _ in range(5):
                assert connection.answer().status == 200
    wait_until(lambda: measure()[0] - before[0] >= 300, 3, "the rings tell their counts")
    received, submitted, completed, enters, requests = (now - then for now, then in zip(measure(), before, strict=True))
    for connection in connections:
        connection.socket.close()
    assert requests >= 1600
    assert received >= 300
    # An operation that completes once adds as much here as there; what is more comes from receives that were armed once.
    assert completed - submitted >= received * 3 / 4, f"{submitted} submissions, {completed} completions, {received} receives"
    assert 0 < enters < requests, f"{enters} system calls for {requests} requests"


CONSUMER_FAMILIES = ["quire_consumer_lag", "quire_batch_size_count", "quire_handler_seconds_count", "quire_replies_total", "quire_retries_total",
                     "quire_dead_letters_total"]


@pytest.mark.parametrize("service, path", [("session", "/auth/me"), ("documents", "/documents")])
def test_consumers_tell_what_the_contract_names(stack, account, service, path):
    account.get(path)
    names = getattr(stack, service).metrics().names()
    for name in CONSUMER_FAMILIES:
        assert name in names, name
    assert any("pool" in name or "connections" in name for name in names)
    assert any("replica" in name and "lag" in name for name in names)


def test_lag_is_none_when_all_is_handled(stack, account):
    for _ in range(10):
        account.create()
    wait_until(lambda: stack.documents.metrics().find("quire_consumer_lag") and stack.documents.metrics().sum("quire_consumer_lag") == 0, 10, "no lag")


@pytest.mark.destructive
def test_lag_grows_while_nobody_takes(stack, account, caller, contract):
    """Another member of the group would see it; ours does once it goes on."""
    stack.query.pause()
    for _ in range(20):
        caller.send("quire.query", contract.message("SearchRequest")(query="x"), caller.headers("quire.Query/Search", caller.correlation(), token=account.token, seconds=1))
    stack.query.resume()
    wait_until(lambda: stack.query.metrics().find("quire_consumer_lag") and stack.query.metrics().sum("quire_consumer_lag") == 0, 15, "all of it is taken")
    assert stack.query.metrics().sum("quire_replies_total") > 0
