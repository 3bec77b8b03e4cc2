"""docs/OPERATING.md, "Back up and restore": its commands, on the servers of the tests."""

import os
import tempfile

import pytest

from client import problem
from servers.waiting import wait_until

pytestmark = pytest.mark.destructive


@pytest.fixture
def dump(stack):
    """The path of a dump, which PostgreSQL's account may write."""
    with tempfile.TemporaryDirectory() as folder:
        stack.primary.own(folder)
        yield os.path.join(folder, "quire.dump")


def test_a_dump_brings_back_what_was_and_nothing_else(stack, account, dump):
    kept = account.create("before", "albatross")
    stack.primary.tool("pg_dump", "-d", stack.primary.conninfo("postgres"), "-Fc", "-f", dump)
    account.delete(f"/documents/{kept['id']}")
    lost = account.create("after", "cormorant")
    later = account.another_session()

    stack.stop_together(stack.ours)
    stack.primary.tool("pg_restore", "-d", stack.primary.conninfo("postgres"), "--clean", "--if-exists", "--single-transaction", dump)
    with stack.redis.connect() as redis:
        redis.flushall()
    stack.start_ours()
    stack.wait_ready()

    wait_until(lambda: account.get("/auth/me").status_code == 200, 20, "the session from before the dump is let in")
    assert account.read(kept["id"]) == kept
    assert account.found("albatross") == [kept["id"]] and account.found("cormorant") == []
    problem(account.get(f"/documents/{lost['id']}"), 404)
    problem(later.get("/auth/me"), 401)
    new = account.create("again", "gannet")  # and writes go on, read at once
    assert account.read(new["id"]) == new and account.found("gannet") == [new["id"]]
