"""The real stack, started once by the command that people use, and taken down with all that it stored."""

import os
import pathlib
import subprocess
import time

import httpx
import pytest

from reruns import pytest_terminal_summary  # noqa: F401, a hook

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXTENSIONS = os.environ["QUIRE_EXTENSIONS"].split()
URL = f"http://127.0.0.1:{os.environ['QUIRE_HTTP_PORT']}"


class Stack:
    """./quire and docker compose, as a person at a terminal has them."""

    url = URL

    def quire(self, *words: str, timeout_s: float = 900, check: bool = True, **environment: str) -> str:
        done = subprocess.run([str(ROOT / "quire"), *words], cwd=ROOT, text=True, capture_output=True, timeout=timeout_s, env=os.environ | environment)
        if check and done.returncode != 0:
            raise AssertionError(f"./quire {' '.join(words)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def compose(self, *words: str, check: bool = True) -> str:
        files = [ROOT / "compose/compose.yaml", *(ROOT / folder / "compose.yaml" for folder in EXTENSIONS)]
        command = ["docker", "compose", "--ansi", "never", "--project-directory", str(ROOT / "compose"), *(f"-f{file}" for file in files), *words]
        done = subprocess.run(command, text=True, capture_output=True, timeout=300)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(words)} ended with {done.returncode}\n{done.stderr}")
        return done.stdout

    def containers(self, service: str) -> list[str]:
        """Those that run. By their labels, as Compose finds them too, but without reading all its files for each of a hundred questions."""
        labels = {"project": os.environ["COMPOSE_PROJECT_NAME"], "service": service, "oneoff": "False"}
        filters = [word for name, value in labels.items() for word in ("--filter", f"label=com.docker.compose.{name}={value}")]
        return subprocess.run(["docker", "ps", "-q", "--no-trunc", *filters], text=True, capture_output=True, check=True).stdout.split()

    def inspect(self, container: str, form: str) -> str:
        return subprocess.run(["docker", "inspect", "-f", form, container], text=True, capture_output=True, check=True).stdout.strip()

    def main_pid(self, container: str) -> int:
        return int(self.inspect(container, "{{.State.Pid}}"))

    def exec(self, service: str, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(["docker", "exec", self.containers(service)[0], *words], text=True, capture_output=True, timeout=60)


def wait_until(what: str, holds, timeout_s: float = 30, every_s: float = 0.2):
    """The first true value of holds(); fails with the words of `what` after timeout_s."""
    deadline = time.monotonic() + timeout_s
    while True:
        if value := holds():
            return value
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(every_s)


class Account:
    """A fresh account with a session."""

    def __init__(self, url: str, name: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=40, trust_env=False, limits=httpx.Limits(max_connections=64))
        self.email, self.password = f"{name}-{time.time_ns()}@quire.example", "correct horse battery"
        person = {"email": self.email, "password": self.password}
        # The test before may have killed what this needs: until it is back, the answer is 503.
        opened = wait_until("an account can be opened", lambda: self._unless_503("/auth/register", person))
        assert opened.status_code == 201, opened.text
        logged_in = wait_until("a log-in is answered", lambda: self._unless_503("/auth/login", person))
        self.http.headers["Authorization"] = f"Bearer {logged_in.json()['token']}"

    def _unless_503(self, path: str, body: dict) -> httpx.Response | None:
        answer = self.send("POST", path, json=body)
        return None if answer.status_code == 503 else answer

    def send(self, method: str, path: str, **options) -> httpx.Response:
        return self.http.request(method, path, **options)


@pytest.fixture(scope="session")
def stack():
    running = Stack()
    try:
        running.quire("up")
        yield running
    finally:
        if os.environ.get("QUIRE_SMOKE_KEEP") != "1":
            running.quire("down", "--volumes", check=False)


@pytest.fixture(scope="module")
def account(stack, request):
    """One for all tests of a file: an address may register twenty accounts at once, and one a minute from then on."""
    return Account(stack.url, request.path.stem.replace("_", "-"))


def pytest_collection_modifyitems(items):
    """The page comes last: it leaves a stack with one extension more, which nobody then has to take away again."""
    items.sort(key=lambda item: item.path.stem == "test_adding_a_consumer")


def pytest_runtest_logreport(report):
    if report.failed:
        tails = Stack().compose("logs", "--no-color", "--tail", "15", check=False)
        report.sections.append(("the parts' last lines", tails[-12000:]))
