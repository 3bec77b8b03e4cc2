"""Document events: each change at least once, in order for a document, and only what was committed."""

import uuid

import pytest

from client import problem
from servers.waiting import wait_until
from topics import read_all

CREATED, UPDATED, DELETED = 1, 2, 3


@pytest.fixture
def events(stack, contract):
    event_class = contract.message("DocumentEvent")

    def of(account):
        found, seen = [], set()
        for message in read_all(stack.kafka.brokers, ["quire.documents.events"]):
            if message.key() is None:
                continue  # a test's own, and no event
            event = event_class.FromString(message.value())
            assert message.key() in (event.document_id, str(uuid.UUID(bytes=event.document_id)).encode())
            if event.account_id == uuid.UUID(account.id).bytes and event.sequence not in seen:
                seen.add(event.sequence)
                found.append(event)
        return found

    return of


def of_document(events, document_id):
    return [(event.kind, event.version) for event in events if event.document_id == uuid.UUID(document_id).bytes]


def test_each_change_in_order(account, events):
    documents = [account.create(str(number)) for number in range(3)]
    for document in documents:
        for version in range(4):
            account.put(f"/documents/{document['id']}", {"title": str(version), "content": "c"})
    account.delete(f"/documents/{documents[0]['id']}")
    changes = [(CREATED, 1), *((UPDATED, version) for version in range(2, 6))]
    wait_until(lambda: len(events(account)) >= 16, 10, "all events")
    found = events(account)
    assert [event[0] for event in of_document(found, documents[0]["id"])] == [CREATED, UPDATED, UPDATED, UPDATED, UPDATED, DELETED]
    assert of_document(found, documents[1]["id"]) == of_document(found, documents[2]["id"]) == changes
    assert len(found) == 16


def test_an_event_tells_the_request_that_made_it(account, events):
    document = account.post("/documents", {"title": "t", "content": "c"}, headers={"X-Request-ID": f"event-of-{account.id}"}).json()
    event, = wait_until(lambda: events(account), 10, "the event")
    assert event.request_id == f"event-of-{account.id}"
    assert (event.document_id, event.version) == (uuid.UUID(document["id"]).bytes, 1)
    assert event.at > 1_700_000_000_000


def test_a_batch_is_an_event_for_each_document(account, events):
    account.post("/documents/batch", {"documents": [{"title": str(n), "content": "c"} for n in range(5)] + [{"title": ""}]})
    wait_until(lambda: len(events(account)) >= 5, 10, "five events")
    assert [event.kind for event in events(account)] == [CREATED] * 5


def test_an_event_tells_what_its_document_says_of_itself(account, events):
    """So that a consumer of tags or titles needs nothing but the topic; never the state of another version."""
    document = account.post("/documents", {"title": "Zoé", "content": "c", "tags": ["a", "b"], "language": "fr"}).json()
    wait_until(lambda: events(account), 10, "the event")
    account.put(f"/documents/{document['id']}", {"title": "second", "content": "c"})
    account.delete(f"/documents/{document['id']}")
    wait_until(lambda: len(events(account)) == 3, 10, "the events")
    created, updated, deleted = events(account)
    assert (created.state.title, list(created.state.tags), created.state.language) == ("Zoé", ["a", "b"], "fr")
    assert not deleted.HasField("state")
    assert not updated.HasField("state") or (updated.state.title, list(updated.state.tags)) == ("second", [])  # gone before it left, or not


def test_what_was_refused_leaves_no_event(account, other, events):
    document = account.create()
    problem(account.put(f"/documents/{document['id']}", {"title": "t", "content": "c"}, headers={"If-Match": '"old"'}), 412)
    problem(other.delete(f"/documents/{document['id']}"), 404)
    problem(account.post("/documents", {"title": ""}), 422)
    account.delete(f"/documents/{document['id']}", key="k")
    account.delete(f"/documents/{document['id']}", key="k")
    last = account.create("last")
    wait_until(lambda: len(events(account)) >= 3, 10, "the three events")  # of two documents: no order among these
    found = events(account)
    assert [kind for kind, _ in of_document(found, document["id"])] == [CREATED, DELETED]
    assert [kind for kind, _ in of_document(found, last["id"])] == [CREATED] and len(found) == 3 and events(other) == []


def test_the_outbox_is_emptied(stack, account, events):
    document = account.create()
    wait_until(lambda: of_document(events(account), document["id"]), 10)
    wait_until(lambda: stack.primary.query("SELECT count(*) FROM documents.outbox")[0][0] == 0, 10, "rows are deleted after publication")


@pytest.mark.destructive
def test_events_outlive_the_process_that_owes_them(stack, account, events):
    """Committed, then killed at once: the event comes from its successor."""
    documents = [account.create(str(number)) for number in range(5)]
    stack.documents.kill()
    stack.documents.start()
    wait_until(lambda: {event.document_id for event in events(account)} == {uuid.UUID(document["id"]).bytes for document in documents}, 15, "all five events")


@pytest.mark.destructive
def test_events_wait_for_a_broker_that_is_away(stack, account, events):
    document = account.create("before")
    stack.kafka.pause()
    account.http.timeout = 3
    response = account.post("/documents", {"title": "meanwhile", "content": "c"}, key="meanwhile", headers={"Request-Timeout": "0.5"})
    assert response.status_code in (503, 504)
    stack.kafka.resume()
    again = wait_until(lambda: (found := account.post("/documents", {"title": "meanwhile", "content": "c"}, key="meanwhile")).status_code == 201 and found, 20)
    for made in (document, again.json()):
        wait_until(lambda made=made: of_document(events(account), made["id"]) == [(CREATED, 1)], 10)
