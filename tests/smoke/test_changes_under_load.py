"""Scaling, new keys and killed processes while people work: nobody notices, and nothing acknowledged is lost or doubled."""

import collections
import os
import signal
import threading
import time

import httpx
import pytest

from conftest import Account, wait_until


# Four clients with this pause stay under the 200 requests a second that an account has.
PAUSE_S = 0.03


class Readers:
    """A few clients that read one thing after the other, and note every answer that is not a 200."""

    def __init__(self, account, count: int = 4) -> None:
        self.account, self.statuses, self.stopping = account, collections.Counter(), threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(count)]

    def run(self) -> None:
        while not self.stopping.is_set():
            for method, path, body in (("GET", "/auth/me", None), ("POST", "/query", {"query": "scaling"}), ("GET", "/documents", None)):
                try:
                    answer = self.account.send(method, path, json=body)
                    self.statuses[answer.status_code if answer.status_code == 200 else f"{answer.status_code} {path} {answer.text[:200]}"] += 1
                except httpx.HTTPError as error:
                    self.statuses[f"{path} {error!r}"] += 1
                time.sleep(PAUSE_S)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("service, up, back", [("query", 3, 1), ("documents", 2, 1), ("session", 2, 1), ("gateway", 3, 2)])
def test_scaling_up_and_down_fails_no_request(stack, account, service, up, back):
    with Readers(account) as readers:
        stack.quire("scale", f"{service}={up}")
        assert len(stack.containers(service)) == up
        time.sleep(2)
        stack.quire("scale", f"{service}={back}")
        assert len(stack.containers(service)) == back
        time.sleep(2)
    assert set(readers.statuses) == {200}, readers.statuses


def test_a_changed_stack_is_replaced_while_people_work(stack, account):
    """Another setting is another container for every process of ours. Only the proxy's own replacement is felt: there is one of it."""
    parts = ("gateway", "session", "session-password", "documents", "query", "proxy")
    before = {part: set(stack.containers(part)) for part in parts}
    # And stays so: a later `up` without it would replace everything once more.
    os.environ["QUIRE_LOG_SLOW_MS"] = str(int(os.environ.get("QUIRE_LOG_SLOW_MS", "1000")) - 1)
    with Readers(account) as readers:
        stack.quire("up")
        time.sleep(1)
    after = {part: set(stack.containers(part)) for part in parts}
    assert all(len(after[part]) == len(before[part]) and not after[part] & before[part] for part in parts), (before, after)
    answered = {status for status in readers.statuses if isinstance(status, int) or status[:3].isdigit()}
    assert answered == {200}, readers.statuses
    assert all("Error" in status for status in set(readers.statuses) - answered), readers.statuses


def test_new_sealing_keys_fail_no_log_in(stack):
    # An account of its own: so many log-ins end its oldest session.
    account, failures, stopping, done = Account(stack.url, "sealing-keys"), [], threading.Event(), collections.Counter()

    def log_in():
        with httpx.Client(base_url=stack.url, timeout=40, trust_env=False) as http:
            while not stopping.is_set():
                answer = http.post("/auth/login", json={"email": account.email, "password": account.password})
                done[answer.status_code] += 1
                if answer.status_code != 200:
                    failures.append(answer.text)
                time.sleep(0.1)

    thread = threading.Thread(target=log_in)
    thread.start()
    try:
        stack.quire("rotate-keys")
        stack.quire("rotate-keys")
    finally:
        stopping.set()
        thread.join()
    assert done[200] > 10 and not failures, (done, failures[:3])


class Writer(threading.Thread):
    """Creates documents one after the other, asking again with the same key until the answer is known. Keys and titles begin with the name."""

    def __init__(self, account, name: str) -> None:
        super().__init__(name=name)
        self.account, self.acknowledged, self.strange, self.stopping = account, {}, [], threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            title = f"{self.name} {number}"
            for _ in range(120):
                try:
                    answer = self.account.send("POST", "/documents", json={"title": title, "content": f"text {number}"},
                                               headers={"Idempotency-Key": f"{self.name}-{number}"})
                except httpx.HTTPError:
                    time.sleep(0.25)
                    continue
                if answer.status_code == 201:
                    self.acknowledged[answer.json()["id"]] = title
                    break
                if answer.status_code not in (503, 504):
                    self.strange.append((answer.status_code, answer.text))
                    break
                time.sleep(0.25)
            number += 1


def all_documents(account) -> dict[str, str] | None:
    """By id; None while the list can't be had."""
    found, cursor = {}, ""
    while cursor is not None:
        answer = account.send("GET", f"/documents?limit=100&cursor={cursor}")
        if answer.status_code != 200:
            return None
        page = answer.json()
        found |= {item["id"]: item["title"] for item in page["items"]}
        cursor = page["next_cursor"]
    return found


@pytest.mark.parametrize("service", ["documents", "gateway", "session", "query", "redis", "kafka", "primary", "replica-1", "proxy", "session-password"])
def test_a_killed_process_comes_back_and_nothing_is_lost_or_doubled(stack, account, service):
    container = stack.containers(service)[0]
    writer = Writer(account, service)
    writer.start()
    try:
        wait_until("some writes were acknowledged", lambda: len(writer.acknowledged) > 5)
        before = stack.main_pid(container)
        os.kill(before, signal.SIGKILL)
        wait_until(f"{service} is back by itself", lambda: stack.main_pid(container) not in (0, before), timeout_s=60)
        wait_until(f"{service} is healthy", lambda: stack.inspect(container, "{{.State.Health.Status}}") == "healthy", timeout_s=60)
        count = len(writer.acknowledged)
        wait_until("writes are acknowledged again", lambda: len(writer.acknowledged) > count + 5, timeout_s=30)
    finally:
        writer.stopping.set()
        writer.join()
    assert not writer.strange, writer.strange[:3]
    documents = wait_until("documents can be listed", lambda: all_documents(account))
    titles = collections.Counter(documents.values())
    assert all(documents.get(id) == title for id, title in writer.acknowledged.items())
    assert [title for title, times in titles.items() if times > 1] == []
