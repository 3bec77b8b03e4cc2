"""Patience with a server that asks for it, and its end."""

import threading
import time

import httpx
import pytest

from cli.connection import Connection, retry_after_s
from cli.outcome import Failed, Stop


def connection(*answers, patience_s=5.0):
    """Over a server that gives these answers one after the other: statuses, (status, Retry-After), exceptions."""
    requests, waiting = [], list(answers)

    def handle(request):
        requests.append(request)
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        status, after = answer if isinstance(answer, tuple) else (answer, "0")
        return httpx.Response(status, headers={"Retry-After": after, "X-Request-ID": "r1"}, json={"title": "words"})

    made = Connection(httpx.Client(base_url="http://quire", transport=httpx.MockTransport(handle)), threading.Event(), patience_s)
    made.requests = requests
    return made


@pytest.mark.parametrize("answer", [429, 503, 504, 502, 408, httpx.RemoteProtocolError("cut")])
def test_asked_again_with_the_same_key(answer):
    patient = connection(answer, answer, 201)
    assert patient.send("POST", "/documents", body=b"{}", key="k").status_code == 201
    assert [(request.headers["Idempotency-Key"], request.content) for request in patient.requests] == [("k", b"{}")] * 3


def test_one_workers_retry_after_holds_for_all():
    patient = connection((429, "1"), 200)
    began = time.monotonic()
    threads = [threading.Thread(target=patient.send, args=("GET", "/documents")) for _ in range(2)]
    threads[0].start()
    while not patient.requests:
        time.sleep(0.001)
    time.sleep(0.05)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 1 and len(patient.requests) == 3


def test_patience_ends_in_words():
    with pytest.raises(Stop, match="503: words .request r1"):
        connection(503, patience_s=0.2).send("GET", "/documents")


def test_the_first_request_is_told_at_once_and_given_up_soon(monkeypatch):
    """Else a wrong address shows nothing for two minutes."""
    monkeypatch.setattr("cli.connection.FIRST_PATIENCE_S", 1)
    silent, said = connection(httpx.ConnectError("refused"), patience_s=60), []
    silent.on_silence = said.append
    began = time.monotonic()
    with pytest.raises(Stop, match="No answer from"):
        silent.send("GET", "/documents")
    assert time.monotonic() - began < 3 and len(said) == 1 and said[0].endswith("refused.") and len(silent.requests) > 1


def test_later_ones_are_waited_for_and_known_to_be_away(monkeypatch):
    monkeypatch.setattr("cli.connection.FIRST_PATIENCE_S", 0)
    patient = connection(200, httpx.ConnectError("refused"), 503, 200)
    patient.on_silence = pytest.fail
    away, waited = [], patient._wait
    monkeypatch.setattr(patient, "_wait", lambda: (away.append(patient.is_away), waited()))
    for _ in range(2):
        assert patient.send("GET", "/documents").status_code == 200
    assert away == [False, False, True, True] and not patient.is_away


def test_a_rate_limit_is_an_answer(monkeypatch):
    monkeypatch.setattr("cli.connection.FIRST_PATIENCE_S", 0)
    limited = connection(429, 429, 200)
    limited.on_silence = pytest.fail
    assert limited.send("GET", "/documents").status_code == 200 and not limited.is_away


def test_stopping_ends_a_wait_at_once():
    waiting = connection((429, "15"), 200)
    threading.Timer(0.1, waiting.stopping.set).start()
    began = time.monotonic()
    with pytest.raises(Stop):
        waiting.send("GET", "/documents")
    assert time.monotonic() - began < 5


def test_without_a_session_nothing_goes_on():
    with pytest.raises(Stop, match="quire login"):
        connection(401).send("GET", "/documents")


def test_a_refusal_is_that_files_and_is_not_repeated():
    refusing = connection(422)
    with pytest.raises(Failed, match="refused by the server"):
        refusing.ask("POST", "/documents", body=b"{}", key="k")
    assert len(refusing.requests) == 1
    assert refusing.ask("DELETE", "/documents/1", allowed=(422,)).status_code == 422


@pytest.mark.parametrize("told, seconds", [("7", 7), ("9999", 15), ("Wed, 21 Oct 2026 07:28:00 GMT", 1), (None, 1), ("²", 1)])
def test_retry_after(told, seconds):
    assert retry_after_s(httpx.Response(503, headers={"Retry-After": told.encode()} if told else {})) == seconds
