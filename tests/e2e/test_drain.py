"""SIGTERM: a process goes without anybody noticing."""

import threading
import time

import pytest

from client import Api
from raw_http import RawConnection
from servers.waiting import wait_until

pytestmark = [pytest.mark.destructive, pytest.mark.gateway]


class Load:
    """Requests one after another from several threads, until told to stop; keeps what was answered."""

    def __init__(self, call, threads=4):
        self.answers, self.errors = [], []
        self._call, self._ending = call, threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def _run(self, number):
        while not self._ending.is_set():
            try:
                self.answers.append(self._call(number).status_code)
            except Exception as error:  # noqa: BLE001 - whatever a client may meet
                self.errors.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self._threads:
            thread.join()


def test_a_draining_gateway_fails_readyz_first_and_answers_what_it_has(stack, account):
    gateway = stack.gateways[1]
    document = account.create(content="x" * 1000)
    stack.documents.pause()
    with RawConnection(gateway) as waiting, RawConnection(gateway) as idle:
        assert idle.send("GET /livez HTTP/1.1\r\nHost: q\r\n\r\n").answer().status == 200
        waiting.send(f"GET /documents/{document['id']} HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\n\r\n")
        time.sleep(0.2)  # it is on its way
        gateway.wanted = False
        gateway.process.terminate()

        def readyz():
            with RawConnection(gateway, seconds=2) as connection:
                return connection.send("GET /readyz HTTP/1.1\r\nHost: q\r\n\r\n").answer()

        wait_until(lambda: readyz().status == 503, 3, "/readyz fails while the listener is still open")

        def told_to_leave():  # its listener closes last: who comes now is still served, and told to leave
            with RawConnection(gateway, seconds=2) as newcomer:
                answer = newcomer.send("GET /livez HTTP/1.1\r\nHost: q\r\n\r\n").answer()
                assert answer.status == 200
                return (answer.header("Connection") or "").lower() == "close"

        wait_until(told_to_leave, 5, "newcomers are told to leave")
        stack.documents.resume()
        answer = waiting.answer()
        assert answer.status == 200 and answer.header("Connection").lower() == "close"
        assert idle.closed()
    assert gateway.process.wait(15) == 0


def test_a_gateway_that_goes_loses_no_request(stack, account):
    """With a client that does what Connection: close asks for; the other gateway takes over."""
    document = account.create()
    draining = threading.Event()

    def read(number):
        gateway = stack.gateways[0] if draining.is_set() else stack.gateways[number % 2]
        with Api(gateway.url, account.token, seconds=10) as api:
            return api.get(f"/documents/{document['id']}")

    with Load(read) as load:
        wait_until(lambda: len(load.answers) > 20, 5)
        draining.set()
        time.sleep(0.3)
        stack.gateways[1].stop()
        count = len(load.answers)
        wait_until(lambda: len(load.answers) > count + 20, 5)
    assert load.errors == [] and set(load.answers) == {200}


@pytest.mark.parametrize("name", ["session", "documents", "query"])
def test_a_consumer_that_restarts_loses_no_request(stack, new_account, name):
    service = getattr(stack, name)
    accounts = [new_account() for _ in range(4)]
    documents = [api.create("t", "melon") for api in accounts]

    def ask(number):
        api = accounts[number]
        if name == "session":
            return api.get("/auth/me")
        if name == "documents":
            return api.get(f"/documents/{documents[number]['id']}")
        return api.post("/query", {"query": "melon"})

    with Load(ask) as load:
        wait_until(lambda: len(load.answers) > 20, 5)
        service.restart()
        count = len(load.answers)
        wait_until(lambda: len(load.answers) > count + 20, 10)
    assert load.errors == [] and set(load.answers) == {200}, (set(load.answers), load.errors[:3])


def test_a_second_consumer_comes_and_goes_unnoticed(stack, new_account, tmp_path):
    accounts = [new_account() for _ in range(4)]
    second = stack._service("documents-2", "documents")
    try:
        with Load(lambda number: accounts[number].get("/documents")) as load:
            wait_until(lambda: len(load.answers) > 20, 5)
            second.start()
            count = len(load.answers)
            wait_until(lambda: second.metrics().sum("quire_replies_total") > 10, 10, "the second one has its share")
            second.stop()
            count = len(load.answers)
            wait_until(lambda: len(load.answers) > count + 20, 10)
        assert load.errors == [] and set(load.answers) == {200}, set(load.answers)
    finally:
        second.kill()


def test_every_program_ends_cleanly_when_asked(stack):
    stack.stop_together(stack.ours)  # asserts that each ends with 0
    assert not any(server.alive for server in stack.ours)


@pytest.mark.parametrize("lose", ["kill", "pause"])
@pytest.mark.parametrize("known", [False, True], ids=["at once", "when its absence is known"])
def test_every_program_ends_cleanly_without_kafka_too(stack, account, lose, known):
    """Nobody can be told that a consumer leaves its group, and nothing can be committed: that is waited for with a bound."""
    assert account.get("/auth/me").status_code == 200
    getattr(stack.kafka, lose)()
    for service in stack.services if known else []:
        wait_until(lambda service=service: service.admin("/readyz")[0] == 503, what=f"{service.name} knows that Kafka is gone")
    stack.stop_together(stack.ours)  # each within 15 s, with 0


def test_a_sealing_key_is_replaced_under_load(stack, new_account):
    """New key first in the files, old one second; gateways restart one by one, the session service knows both."""
    account = new_account()
    statuses = []
    stack.add_seal_key()
    stack.session_password.restart()
    for gateway in stack.gateways:
        statuses.append(account.at(stack.gateways[0]).log_in(account.email, account.password).status_code)
        gateway.restart()
        statuses.append(account.at(stack.gateways[1]).log_in(account.email, account.password).status_code)
    assert statuses == [200] * 4
