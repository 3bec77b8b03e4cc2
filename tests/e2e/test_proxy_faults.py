"""What the front proxy says when a gateway dies or hangs in the middle of a request."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from servers.proxy import Proxy
from servers.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.destructive


@pytest.fixture
def proxy(stack, tmp_path):
    proxy = Proxy(str(tmp_path), stack.gateways, "127.9.0.2")
    proxy.start()
    yield proxy
    proxy.kill()


@pytest.fixture
def kept(proxy, account):
    """A client whose connection has carried a request already: of such the proxy says nothing by itself when the answer breaks off."""
    with httpx.Client(base_url=proxy.url, timeout=20 * PATIENCE, headers={"Authorization": f"Bearer {account.token}"}) as client:
        assert client.get("/auth/me").status_code == 200
        yield client


def holder_of(stack):
    """The gateway in which a request waits for longer than a gauge is old (100 ms): what came before it may still stand in one."""
    def held():
        return [gateway for gateway in stack.gateways if gateway.metrics().sum("quire_gateway_inflight") > 0]

    def stays():
        before = held()
        time.sleep(0.3)
        return len(before) == 1 and held() == before and before[0]

    return wait_until(stays, 5, "a request waits in one gateway")


def test_a_write_whose_gateway_dies_is_answered(stack, kept):
    stack.documents.pause()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(kept.post, "/documents", json={"title": "t", "content": "c"}, headers={"X-Request-ID": "cut-off"})
        holder_of(stack)
        for gateway in stack.gateways:
            gateway.kill()
        response = answer.result(10 * PATIENCE)
    assert response.status_code == 504 and response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["instance"] == response.headers["X-Request-ID"] == "cut-off"


def test_a_read_whose_gateway_dies_is_sent_to_another(stack, kept):
    stack.documents.pause()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(kept.get, "/documents")
        holder_of(stack).kill()
        stack.documents.resume()
        assert answer.result(10 * PATIENCE).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("deadline, seconds", [("0.75", 0.75), (None, 5)])
def test_a_gateway_that_hangs_is_answered_for_within_a_second_of_the_deadline(stack, kept, method, deadline, seconds):
    for gateway in stack.gateways:
        gateway.pause()
    began = time.monotonic()
    response = kept.request(method, "/documents", headers={"Request-Timeout": deadline} if deadline else {})
    took = time.monotonic() - began
    assert response.status_code in (503, 504) and response.headers["Content-Type"] == "application/problem+json"
    assert took < seconds + 1 * PATIENCE
