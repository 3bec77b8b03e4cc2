"""runtime/'s database and sessions against a primary, two replicas and Redis; neither Kafka nor a service runs."""

import os
import secrets
import shutil
import subprocess
import tempfile

import pytest

from servers.postgres import Primary, Replica
from servers.redis import Redis
from servers.waiting import wait_until

TRIAL = os.environ.get("QUIRE_RUNTIME_TRIAL", os.path.join(os.environ.get("QUIRE_BUILD", "/build/dev"), "tests/e2e/runtime/runtime_trial"))


def pytest_collection_modifyitems(items):
    for item in items:
        if os.path.dirname(__file__) == str(item.path.parent):
            item.add_marker(pytest.mark.xdist_group("runtime"))


class Servers:
    """In the place of the whole stack: what the fixtures of tests/e2e ask of one."""

    ours = ()

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="quire-runtime-")
        os.chmod(self.folder, 0o755)
        self.password = secrets.token_hex(8)
        self.primary = Primary(self.folder, secrets.token_hex(8), {"quire_owner": self.password, "quire_trial": self.password})
        self.replicas = [Replica(f"replica-{i}", self.folder, self.primary) for i in (1, 2)]
        self.redis = Redis(self.folder, secrets.token_hex(8))
        self.infrastructure = [self.primary, *self.replicas, self.redis]
        self.marks = {}

    def start(self):
        self.primary.start()
        self.primary.create_database()
        self.primary.query("CREATE TABLE trial (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL)")
        self.primary.query("CREATE FUNCTION trial_refuse() RETURNS text LANGUAGE plpgsql AS"
                           " $$ BEGIN RAISE EXCEPTION 'No.' USING ERRCODE = 'Q0409'; END $$")
        self.primary.query("GRANT SELECT, INSERT ON trial TO quire_trial")
        for server in (*self.replicas, self.redis):
            server.start()
        return self

    def mark(self):
        self.marks = {server: server.log_size() for server in self.infrastructure}

    def faults(self):
        return [f"{server.name} died by itself" for server in self.infrastructure if server.died]

    def heal(self):
        return [server for server in self.infrastructure if server.heal()]

    def stop(self):
        for server in reversed(self.infrastructure):
            server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def catch_up(self):
        for replica in self.replicas:
            replica.catch_up()


class Trial:
    """runtime_trial.c: a line in, a line out."""

    def __init__(self, servers, primary=None, more_replicas=()):
        conninfos = [server.conninfo("quire_trial") for server in (primary or servers.primary, *servers.replicas, *more_replicas)]
        environment = {**os.environ, "TRIAL_PRIMARY": conninfos[0], "TRIAL_REPLICAS": ";".join(conninfos[1:]),
                       "TRIAL_PASSWORD": servers.password, "TRIAL_REDIS": servers.redis.address,
                       "TRIAL_REDIS_PASSWORD": servers.redis.password}
        self.log = open(os.path.join(servers.folder, "trial.log"), "ab")
        self.process = subprocess.Popen([TRIAL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=environment)

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the trial ended with {self.process.wait(5)}"
        return line.strip()

    def query(self, *words):
        """(outcome, replica or -1, milliseconds)"""
        outcome, replica, ms = self.ask(*words).split()[:3]
        return outcome, int(replica), int(ms)

    def verdict(self, *words):
        return self.ask(*words).split()[0]

    def metric(self, line_start):
        self.process.stdin.write("metrics\n")
        self.process.stdin.flush()
        value = None
        while (line := self.process.stdout.readline().strip()) not in (".", ""):
            if line.startswith(line_start):
                value = float(line.split()[-1])
        return value

    def written(self, text="x"):
        """Writes, flushes, and returns the watermark."""
        assert self.query("write", text)[0] == "done"
        watermark = self.ask("flush")
        assert watermark != "no"
        return watermark

    def until(self, expected, *words):
        wait_until(lambda: self.ask(*words).split()[0] == expected, what=f"{' '.join(words)} answers {expected}")

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(20)
        self.log.close()
        if status != 0:
            with open(self.log.name) as log:
                print(log.read()[-6000:])
        return status


@pytest.fixture(scope="session")
def stack():
    servers = Servers().start()
    yield servers
    servers.stop()


@pytest.fixture
def trial(stack):
    trial = Trial(stack)
    yield trial
    assert trial.end() == 0


@pytest.fixture(scope="session")
def trial_program():
    return TRIAL
