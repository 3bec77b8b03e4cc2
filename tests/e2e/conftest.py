"""Fixtures of all tests: one stack for the session, accounts of its own for each test, and the watch over the servers."""

import collections
import itertools
import os

import pytest

from client import Account, Api
from reruns import pytest_terminal_summary  # noqa: F401, a hook
from servers.proxy import Proxy
from servers.stack import PROXY_ADDRESS, Stack
from servers.waiting import wait_until
from topics import Caller, Contract

_LOG_CHARACTERS = 3000
# What a test has to do with passwords is mostly an account of its own: at the least cost that there is. Those about the cost take the deployed one.
_CHEAP_PASSWORDS = {"QUIRE_PASSWORD_MEMORY_KIB": "1024", "QUIRE_PASSWORD_PASSES": "1"}
# Several stacks share the processors, and most of what a broker does for one that rests is to say so: heartbeats and empty fetches, ten a second each and worker.
_QUIET_BROKER = {"QUIRE_KAFKA_HEARTBEAT_MS": "400", "QUIRE_KAFKA_FETCH_WAIT_MS": "500"}


class Canary:
    """True when a run of requests long enough to meet each worker of each lane is answered through each gateway."""

    def __init__(self, stack):
        self.account = wait_until(lambda: Account.open(stack.gateway.url), 30, "an account can be opened", every=0.2)
        # All that is ever found: what is stored again and again says something else.
        wait_until(lambda: self.account.create("canary", "canary"), 30, "a document can be stored", every=0.2)
        self.apis = [self.account.at(gateway) for gateway in stack.gateways]

    def __call__(self):
        return all(self._well(api) for api in self.apis)

    def _well(self, api):
        short = {"Request-Timeout": "2"}
        for _ in range(8):
            # Not /auth/me, which needs no database.
            if api.get("/auth/sessions", headers=short).status_code != 200 or api.get("/documents", headers=short).status_code != 200:
                return False
            if api.post("/query", {"query": "canary"}, headers=short).status_code != 200:
                return False
            if api.post("/documents", {"title": "sparrow", "content": "sparrow"}, headers=short).status_code != 201:
                return False
        large = api.post("/documents", {"title": "sparrow", "content": "sparrow " * 9_000}, headers=short)
        return large.status_code == 201 and self._logs_in_and_out(api, short)

    def _logs_in_and_out(self, api, headers):
        """Out again: with more sessions than an account may have its oldest would end, which is the one that all this is asked with."""
        login = api.post("/auth/login", {"email": self.account.email, "password": self.account.password}, headers=headers)
        if login.status_code != 200:
            return False
        out = {**headers, "Authorization": f"Bearer {login.json()['token']}"}
        return api.post("/auth/logout", headers=out).status_code == 204


@pytest.fixture(scope="session")
def stack(request):
    stack = Stack(settings={**_CHEAP_PASSWORDS, **_QUIET_BROKER})
    try:
        stack.start()
        stack.canary = Canary(stack)
        stack.wait_ready()
    except Exception as error:
        request.session.shouldfail = "the stack did not start: no test can run"
        raise AssertionError(f"the stack did not start (its logs: {stack.folder})") from error
    yield stack
    stack.stop()


@pytest.fixture(autouse=True)
def watched(request, stack):
    """A server that dies by itself, or a report of a sanitizer, fails the test in which it happens; then everything is mended."""
    stack.mark()
    yield
    faults = stack.faults()
    mended = stack.heal()
    if mended and not faults and request.node.get_closest_marker("destructive") is None:
        faults.append(f"not marked as destructive, but mended: {', '.join(server.name for server in mended)}")
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="module")
def proxy(stack):
    """The front proxy before both gateways, for the tests of one file: its health checks are no part of what others count."""
    proxy = Proxy(os.path.join(stack.folder, "proxy"), stack.gateways, PROXY_ADDRESS)
    stack.add(proxy)
    yield proxy.start()
    stack.remove(proxy)
    proxy.stop()


@pytest.fixture
def new_account(stack):
    """Opens accounts: `new_account()`; `gateway=` says through which gateway."""
    opened = []

    def open_account(gateway=None, **more):
        opened.append(Account.open((gateway or stack.gateway).url, **more))
        return opened[-1]

    yield open_account
    for account in opened:
        account.close()


@pytest.fixture
def deployed_passwords(stack):
    """Until the end of the test a password costs what it costs where nobody sets anything. It restarts the lane of passwords: `destructive`."""
    stack.session_password.overrides.update(dict.fromkeys(_CHEAP_PASSWORDS))
    stack.restart(stack.session_password)
    stack.wait_ready()


@pytest.fixture
def account(new_account):
    return new_account()


@pytest.fixture
def other(new_account):
    """Somebody else."""
    return new_account()


@pytest.fixture
def anyone(stack):
    """A client without a token."""
    with Api(stack.gateway.url) as api:
        yield api


@pytest.fixture(scope="session")
def contract():
    return Contract()


@pytest.fixture(scope="session")
def caller(stack, contract):
    """Speaks to the services over their topics, past the gateway. One for all tests: a producer's first message to a topic takes a second."""
    caller = Caller(stack.kafka.brokers, contract)
    yield caller
    caller.close()


def pytest_make_parametrize_id(config, val, argname):
    """Names of tests stay readable where a value is thousands of bytes, and are the same in every process: a set's order is not."""
    text = val if isinstance(val, str) else repr(sorted(val) if isinstance(val, set) else val)
    return text if len(text) <= 40 else f"{text[:30]}...{len(text)}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """For `pytest -n auto`. A stack uses half a core and a GiB: tests wait more than they compute, so two cores carry three."""
    with open("/proc/meminfo") as meminfo:
        free_gib = next(int(line.split()[1]) for line in meminfo if line.startswith("MemAvailable")) / 1024**2
    return int(os.environ.get("QUIRE_TEST_STACKS") or max(1, min(os.cpu_count() * 3 / 2, free_gib / 2)))


def pytest_addoption(parser):
    parser.addoption("--few", type=int, default=0, metavar="N", help="of each test only the first N sets of parameters: another look at the same code, as by a sanitizer")


def _few(items, count):
    """The first tests of each function, and the rest."""
    kept, left, seen = [], [], collections.Counter()
    for item in items:
        name = item.nodeid.partition("[")[0]
        seen[name] += 1
        (kept if seen[name] <= count else left).append(item)
    return kept, left


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in a hook of this name
def pytest_collection_modifyitems(config, items):
    """With pytest -n, the tests of a file that share something (a fixture of the module) stay together: it is made once. So do those of an extension:
    who runs them alone waits for one stack."""
    for item in items:
        shared = any(definitions[-1].scope == "module" for definitions in item._fixtureinfo.name2fixturedefs.values())
        if shared or item.path.parent.name == "tests":
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    if count := config.getoption("--few"):
        items[:], left = _few(items, count)
        config.hook.pytest_deselected(items=left)
    items.sort(key=lambda item: item.get_closest_marker("destructive") is not None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what each server logged meanwhile."""
    outcome = yield
    report = outcome.get_result()
    stack = getattr(item, "funcargs", {}).get("stack")
    if not report.failed or stack is None or not os.path.isdir(stack.folder):
        return
    for server in itertools.chain(stack.ours, stack.infrastructure):
        lines = server.log_bytes(stack.marks.get(server, 0)).decode(errors="replace").splitlines()
        telling = [line[:600] for line in lines if '"status":2' not in line]  # what went well is only in the way
        if telling:
            report.sections.append((f"log of {server.name}", "\n".join(telling)[-_LOG_CHARACTERS:]))
