"""GET /documents/{id}/stats: counted from events, a moment behind the document, and only for its owner."""

import contextlib
import os
import signal
import uuid

import pytest

from client import problem
from servers.waiting import wait_until

PATH = "/documents/{}/stats"


def counted(api, document_id, version):
    """The statistics of that version, once they are there."""
    def answer():
        response = api.get(PATH.format(document_id))
        return response.status_code == 200 and response.json()["version"] == version and response.json()

    return wait_until(answer, 10, f"version {version} is counted")


def test_it_says_how_long_a_document_is(account):
    document = account.post("/documents", {"title": "t", "content": "One sentence. And another, of six words!\n" * 40}).json()
    assert counted(account, document["id"], 1) == {"document_id": document["id"], "version": 1, "characters": 40 * 41, "words": 40 * 7, "sentences": 80,
                                                   "reading_seconds": 71}


def test_it_follows_changes_and_removal(account):
    document = account.create("t", "one two")
    account.put(f"/documents/{document['id']}", {"title": "t", "content": "three words now"})
    assert counted(account, document["id"], 2)["words"] == 3
    account.delete(f"/documents/{document['id']}")
    wait_until(lambda: account.get(PATH.format(document["id"])).status_code == 404, 10, "it is forgotten")


def test_someone_elses_or_no_document_is_a_404(account, other, anyone):
    document = account.create()
    counted(account, document["id"], 1)
    problem(other.get(PATH.format(document["id"])), 404)
    problem(account.get(PATH.format(uuid.uuid4())), 404)
    problem(account.get(PATH.format("no-id")), 404)
    problem(anyone.get(PATH.format(document["id"])), 401)


def test_a_late_event_does_not_take_a_newer_count_back(stack, account, caller, contract):
    """Redelivery, and events that are told again, meet a row that is newer."""
    document = account.create("t", "one")
    account.put(f"/documents/{document['id']}", {"title": "t", "content": "now it is five words"})
    counted(account, document["id"], 2)
    stack.primary.query("UPDATE stats.documents SET version = 7, words = 70 WHERE document_id = %s", document["id"])
    event = contract.message("DocumentEvent")(sequence=1 << 60, kind=2, account_id=uuid.UUID(account.id).bytes,
                                              document_id=uuid.UUID(document["id"]).bytes, version=1, at=1, request_id=f"late-{account.id}")
    caller.send("quire.documents.events", event, {"x-request-id": f"late-{account.id}"}, key=event.document_id)
    wait_until(lambda: stack.extensions["stats"].log_contains(f"late-{account.id}"), 10, "the event is handled")
    assert account.get(PATH.format(document["id"])).json()["words"] == 70


def test_documents_from_before_are_told_again(stack, account):
    """A consumer that comes later than the topic reaches back hears of every document."""
    document = account.create("t", "four words it has")
    counted(account, document["id"], 1)
    stack.primary.query("DELETE FROM stats.documents WHERE document_id = %s", document["id"])
    problem(account.get(PATH.format(document["id"])), 404)
    before = uuid.UUID(int=uuid.UUID(document["id"]).int - 1)
    assert str(stack.primary.query("SELECT documents.tell_again(%s, 1)", before)[0][0]) == document["id"]
    assert counted(account, document["id"], 1)["words"] == 4


def test_what_cannot_be_read_is_put_aside_and_stops_nothing(stack, account, caller):
    stats = stack.extensions["stats"]
    before = stats.metrics().sum("quire_dead_letters_total", topic="quire.documents.events")
    for partition in range(12):
        caller.send("quire.documents.events", b"\xff not protobuf", {"x-request-id": "unreadable"}, partition=partition)
    document = account.create("t", "still counted")
    assert counted(account, document["id"], 1)["words"] == 2
    wait_until(lambda: stats.metrics().sum("quire_dead_letters_total", topic="quire.documents.events") == before + 12, 10, "all are put aside")


def test_its_role_reads_no_table_of_the_documents_service(stack):
    allowed = stack.primary.query("SELECT table_schema || '.' || table_name FROM information_schema.role_table_grants WHERE grantee = 'quire_stats' "
                                  "AND privilege_type = 'SELECT'")
    assert allowed == [("stats.documents",)]


@pytest.mark.destructive
def test_events_wait_while_the_primary_is_away(stack, account):
    document = account.create("before")
    counted(account, document["id"], 1)
    stack.extensions["stats"].kill()
    account.put(f"/documents/{document['id']}", {"title": "t", "content": "two words"})
    stack.extensions["stats"].start()
    assert counted(account, document["id"], 2)["words"] == 2
    stack.primary.pause()
    assert account.get(PATH.format(document["id"])).json()["version"] == 2  # from a replica
    stack.primary.resume()


@pytest.mark.destructive
def test_what_was_lost_before_it_was_flushed_is_counted_again(stack, account, caller, contract):
    """The primary dies between an event's commit and its flush, and who writes its log in the background hasn't come by: the effect is gone, the event must not be."""
    document = account.create("t", "four words it has")
    counted(account, document["id"], 1)
    stack.primary.query("DELETE FROM stats.documents WHERE document_id = %s", document["id"])
    writer = walwriter(stack.primary.pid)

    def is_counted():
        return stack.primary.query("SELECT words FROM stats.documents WHERE document_id = %s", document["id"]) == [(4,)]

    os.kill(writer, signal.SIGSTOP)
    try:
        event = contract.message("DocumentEvent")(sequence=1 << 60, kind=2, account_id=uuid.UUID(account.id).bytes, document_id=uuid.UUID(document["id"]).bytes,
                                                  version=1, at=1, request_id="none")
        caller.send("quire.documents.events", event, {"x-request-id": f"fault.pause-before-flush.{account.id}"}, key=event.document_id)
        wait_until(is_counted, 10, "it is committed")
        stack.primary.kill()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(writer, signal.SIGCONT)  # where the test failed before the end of its server
    stack.primary.start()
    wait_until(is_counted, 20, "it is counted once more")


def walwriter(postmaster):
    """The process of that server which flushes what nobody waits for, five times a second."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as stat, open(f"/proc/{pid}/cmdline") as command:
                if int(stat.read().rpartition(")")[2].split()[1]) == postmaster and "walwriter" in command.read():
                    return int(pid)
        except OSError:
            continue  # it has just ended
    raise AssertionError("the primary has no walwriter")
