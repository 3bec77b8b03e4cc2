"""What is there in the end, asked from outside: events from their topic, documents through the API, accounts from their table."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from client import Api
from person import PASSWORD, text_of
from servers.waiting import wait_until
from topics import Contract, read_all

_TOPIC = "quire.documents.events"
_SETTLED_S = 30
_RELAYS = """SELECT a.pid, a.client_port, a.state, a.state_change, a.wait_event, a.query FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted"""


@dataclass
class Change:
    """An event, with ids as text."""

    sequence: int
    kind: int
    document_id: str
    version: int
    request_id: str


def events(stack):
    """All that were published, in the order of their partitions, once nothing waits to be."""
    try:
        wait_until(lambda: stack.primary.query("SELECT count(*) FROM documents.outbox")[0][0] == 0, _SETTLED_S, "the outbox is empty")
    except AssertionError as error:
        raise AssertionError(f"{error}; who relays events: {stack.primary.query(_RELAYS)}; documents said last:\n{stack.documents.log_tail()}") from error
    kind = Contract().message("DocumentEvent")
    found = (kind.FromString(message.value()) for message in read_all(stack.kafka.brokers, [_TOPIC]))
    return [Change(event.sequence, event.kind, str(uuid.UUID(bytes=event.document_id)), event.version, event.request_id) for event in found]


def registered(stack):
    """E-mail -> number of accounts that have it."""
    return dict(stack.primary.query("SELECT email, count(*) FROM session.accounts GROUP BY email"))


def documents(stack, requests):
    """E-mail -> {id: (version, title)}: all documents of all clients, each read whole and found by its word."""
    emails = sorted({request.account for request in requests if request.kind != "register"})
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(emails, pool.map(lambda email: _documents_of(stack.proxy.url, email), emails)))


def _documents_of(url, email):
    found = {}
    with Api(url) as api:
        api.token = api.log_in(email, PASSWORD).json()["token"]
        for item in api.listed(limit=100):
            document = api.read(item["id"])
            assert document["content"] == text_of(document["title"]), f"{document['id']} is half written"
            assert document["id"] in api.found(document["title"], mode="text"), f"{document['id']} is not found by its word"
            found[document["id"]] = (document["version"], document["title"])
    return found
