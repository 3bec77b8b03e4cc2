"""kill -9 while people write: no acknowledged write is missing, none is doubled, and it goes on by itself."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from client import Api, new_key
from servers.waiting import PATIENCE, stays_true, wait_until

pytestmark = pytest.mark.destructive

_TRANSIENT = (429, 503, 504)
_ASKED_AGAIN_S = 30  # a refusal takes no time at all, and a broker seconds to start


class Writer(threading.Thread):
    """Writes documents, each until it is acknowledged: with a key if it is asked again. Half of them keeps no key and asks once."""

    def __init__(self, stack, account, number):
        super().__init__()
        self.stack, self.account, self.number = stack, account, number
        self.acknowledged, self.open, self.wrong = {}, [], []
        self.ending = threading.Event()

    def run(self):
        count = 0
        while not self.ending.is_set():
            count += 1
            title = f"{self.number}-{count}"
            if count % 2:
                self._with_key(title)
            else:
                self._once(title)

    def _post(self, title, key, turn):
        gateway = self.stack.gateways[(self.number + turn) % 2]
        with Api(gateway.url, self.account.token, seconds=8) as api:
            return api.post("/documents", {"title": title, "content": "c"}, key=key, headers={"Request-Timeout": "3"})

    def _with_key(self, title):
        key = new_key()
        began = time.monotonic()
        for turn in itertools.takewhile(lambda _: time.monotonic() - began < _ASKED_AGAIN_S, itertools.count()):
            try:
                response = self._post(title, key, turn)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if response.status_code == 201:
                self.acknowledged[title] = response.json()["id"]
                return
            if response.status_code not in _TRANSIENT:
                self.wrong.append(response.status_code)
                return
            time.sleep(0.05)
        self.wrong.append(f"{title} was never acknowledged")

    def _once(self, title):
        try:
            response = self._post(title, None, 0)
        except httpx.TransportError:
            self.open.append(title)
            return
        if response.status_code == 201:
            self.acknowledged[title] = response.json()["id"]
        elif response.status_code in _TRANSIENT:
            self.open.append(title)
            time.sleep(0.02)
        else:
            self.wrong.append(response.status_code)


VICTIMS = ["documents", "session", "gateways[0]", "redis", "kafka", "primary", "replicas[0]"]


@pytest.mark.parametrize("victim", VICTIMS)
def test_no_acknowledged_write_is_missing_or_doubled(stack, new_account, victim):
    server = eval(f"stack.{victim}")  # noqa: S307 - one of the names above
    writers = [Writer(stack, new_account(), number) for number in range(4)]
    for writer in writers:
        writer.start()
    count = lambda: sum(len(writer.acknowledged) for writer in writers)  # noqa: E731
    try:
        wait_until(lambda: count() >= 20, 15, "writes go")
        for _ in range(2):
            server.kill()
            time.sleep(0.3)
            server.start()
            back = count()
            started = time.monotonic()
            wait_until(lambda back=back: count() >= back + 20, 20, "writes go on")
            print(f"{victim}: 20 writes acknowledged {time.monotonic() - started:.1f} s after its return")
    finally:
        for writer in writers:
            writer.ending.set()
        for writer in writers:
            writer.join()
    for writer in writers:
        assert writer.wrong == []
        titles = [item["title"] for item in wait_until(lambda writer=writer: writer.account.listed(limit=100), 10)]
        assert len(titles) == len(set(titles)), "a write was doubled"
        assert writer.acknowledged.keys() <= set(titles), "an acknowledged write is missing"
        assert set(titles) <= writer.acknowledged.keys() | set(writer.open)
        ids = {item["title"]: item["id"] for item in writer.account.listed(limit=100)}
        assert all(ids[title] == acknowledged for title, acknowledged in writer.acknowledged.items())


def test_a_killed_worker_is_back_within_three_seconds(stack, account, tmp_path):
    """Its partitions are taken over by itself, started again at once, or by its neighbour."""
    document = account.create()
    stack.documents.kill()
    started = time.monotonic()
    stack.documents.spawn()

    def answered():
        response = account.get(f"/documents/{document['id']}", headers={"Request-Timeout": "0.5"})
        return response.status_code == 200

    # All twelve partitions: a run of answers that is longer, as requests within two milliseconds go to the same one.
    run = 0
    while run < 24:
        run = run + 1 if answered() else 0
        assert time.monotonic() - started < 15 * PATIENCE
    assert time.monotonic() - started < 3.5 * PATIENCE


def test_a_starting_service_takes_no_request_that_it_could_only_refuse(stack, account):
    """Its primary connects slowly: what comes meanwhile waits in the topic."""
    stack.documents.stop()
    stack.primary.pause()
    started = stack.documents.log_size()
    stack.documents.spawn()
    with ThreadPoolExecutor(1) as pool:
        wait_until(lambda: stack.documents.log_contains("service.started", started), 10, "documents runs")
        answer = pool.submit(account.post, "/documents", {"title": "t", "content": "c"}, headers={"Request-Timeout": "10"})
        stays_true(lambda: not answer.done(), 1.6, "answered while the primary could not be reached")
        stack.primary.resume()
        assert answer.result(15).status_code == 201
