"""One client: a person with an account who writes, reads and searches, one request after the other, and knows what the answers must be."""

import hashlib
import http.client
import itertools
import json
import random
import time

from journal import Request

PASSWORD = "correct horse battery staple"
# Answers that say "not now": the caller may ask again.
_LATER = (503, 504)
# A client that waits this much beyond the deadline has no answer at all.
_PATIENCE_S = 8.0
_DOCUMENTS_MAX = 30
DEADLINE_S = 5.0  # the default
_SHORT_DEADLINE_S = 2.5
_RETRY_PAUSE_S = 0.25
# A write without an answer and without a key may still happen for so long: its deadline, and the time in which everything stood still.
_OPEN_MAX_S = 20.0
_WEIGHTS = {"me": 14, "get": 22, "list": 6, "query": 14, "create": 16, "update": 14, "delete": 7, "again": 4, "login": 1, "logout": 1, "probe": 4, "newcomer": 1}


def marker_of(write_name):
    """The word that a write leaves behind."""
    return f"m{hashlib.sha256(write_name.encode()).hexdigest()[:16]}"


def text_of(marker):
    """The content that belongs to a marker: any part of another one shows."""
    return " ".join([marker] * 40)


class Document:
    """What its owner knows of it. `version` and `marker` are those of the last acknowledged write; `open` are writes without an answer,
    which may have happened or may yet."""

    def __init__(self, document_id, version, marker):
        self.id, self.version, self.marker = document_id, version, marker
        self.open = {}  # marker -> write; "deleted" for a deletion
        self.deleted = False


class Write:
    """A change that is asked for until it is answered, when it has a key."""

    def __init__(self, name, kind, key, document=None):
        self.name, self.kind, self.key, self.document = name, kind, key, document
        self.marker = marker_of(name)
        self.not_before = self.opened_at = 0.0
        self.first_answer = None


class Person:
    def __init__(self, number, port, journal, seed):
        self.number, self.port, self.journal = number, port, journal
        self.seed, self.random = seed, random.Random(f"{seed}-{number}")
        self.count = itertools.count(1)
        self.connection = None
        self.email = f"chaos-{seed}-{number}@example.org"
        self.token = self.account_id = None
        self.registered = False
        self.newcomer = None  # an e-mail whose registration has no answer yet
        self.documents = {}
        self.waiting = []  # keyed writes without an answer
        self.answered = []  # keyed writes with one, to be asked again
        self.dead_tokens = []

    # One request.

    def _connect(self, deadline_s):
        if self.connection is None:
            address = f"127.{20 + self.number}.{self.random.randrange(250)}.{1 + self.random.randrange(250)}"
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, source_address=(address, 0))
        self.connection.timeout = deadline_s + _PATIENCE_S
        if self.connection.sock is not None:
            self.connection.sock.settimeout(deadline_s + _PATIENCE_S)

    def ask(self, kind, method, path, body=None, write=None, token=None, email=None):
        """(request, parsed body). Not yet in the journal as ended: the caller says what was wrong, then calls done()."""
        deadline_s = DEADLINE_S if self.random.random() < 0.7 else _SHORT_DEADLINE_S
        request = Request(id=f"{self.seed}-{self.number}-{next(self.count)}", client=self.number, kind=kind, account=email or self.email, deadline_s=deadline_s,
                          sent_at=time.monotonic(), write=write.name if write else None, key=write.key if write else None,
                          document=write.document.id if write and write.document else None)
        headers = {"X-Request-ID": request.id}
        if deadline_s != DEADLINE_S:
            headers["Request-Timeout"] = str(deadline_s)
        if token or self.token:
            headers["Authorization"] = f"Bearer {token or self.token}"
        if write is not None and write.key is not None:
            headers["Idempotency-Key"] = write.key
        payload = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            payload = json.dumps(body).encode()
        self.journal.sent(request)
        parsed = None
        try:
            self._connect(deadline_s)
            self.connection.request(method, path, payload, headers)
            response = self.connection.getresponse()
            raw = response.read()
            request.status = response.status
            if response.getheader("Connection", "").lower() == "close":
                self._drop()
            if raw and "json" in response.getheader("Content-Type", ""):
                parsed = json.loads(raw)
            if response.getheader("X-Request-ID") != request.id:
                request.wrong = f"the answer is for {response.getheader('X-Request-ID')}"
            if response.status == 503 and response.getheader("Retry-After") is None:
                request.wrong = "a 503 without Retry-After"
        except (OSError, http.client.HTTPException) as error:
            request.status, request.error = None, type(error).__name__
            self._drop()
        except ValueError as error:
            request.wrong = f"the body is no JSON: {error}"
        request.ended_at = time.monotonic()
        return request, parsed

    def _drop(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def done(self, request, wrong=None):
        request.wrong = request.wrong or wrong
        self.journal.ended(request)

    # One step: what is due.

    def step(self):
        """One request, or two."""
        if not self.registered:
            return self._register()
        if self.token is None:
            return self._log_in()
        now = time.monotonic()
        due = [write for write in self.waiting if write.not_before <= now]
        if due and self.random.random() < 0.5:
            return self._send(due[0])
        kind, = self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        return getattr(self, f"_{kind}")()

    # Accounts.

    def _register(self):
        self.registered = self._sign_up(self.email)

    def _newcomer(self):
        """Somebody else registers, from another address, and asks again when there is no answer."""
        self._drop()
        email = self.newcomer or f"newcomer-{self.random.getrandbits(64):x}@example.org"
        self.newcomer = None if self._sign_up(email) else email

    def _sign_up(self, email):
        """True when the account is there, by this request or by an earlier one that was not answered."""
        request, body = self.ask("register", "POST", "/auth/register", {"email": email, "password": PASSWORD}, Write(email, "register", None), email=email)
        wrong = None
        if request.status == 201:
            wrong = None if body["email"] == email else f"registered {body['email']}"
        elif request.status not in (409, *_LATER, None):
            wrong = f"unexpected: {body}"
        self.done(request, wrong)
        return request.status in (201, 409)

    def _open_session(self):
        """A fresh token, or None."""
        request, body = self.ask("login", "POST", "/auth/login", {"email": self.email, "password": PASSWORD})
        wrong = token = None
        if request.status == 200:
            wrong = None if body["user"]["email"] == self.email else f"logged in as {body['user']['email']}"
            token, self.account_id = body["token"], self.account_id or body["user"]["id"]
            if body["user"]["id"] != self.account_id:
                wrong = "logged in as somebody else"
        elif request.status not in (*_LATER, None):
            wrong = f"unexpected: {body}"
        self.done(request, wrong)
        return token

    def _log_in(self):
        self.token = self._open_session()

    def _login(self):
        """One more session, which is used from now on; the one before stays open."""
        self.token = self._open_session() or self.token

    def _logout(self):
        token = self._open_session()
        if token is None:
            return
        request, body = self.ask("logout", "POST", "/auth/logout", token=token)
        if request.status == 204:
            self.dead_tokens = [*self.dead_tokens[-4:], token]
        self.done(request, None if request.status in (204, *_LATER, None) else f"unexpected: {body}")

    def _probe(self):
        """A token that was logged out must never be let in again."""
        if not self.dead_tokens:
            return self._me()
        request, _ = self.ask("probe", "GET", "/auth/me", token=self.random.choice(self.dead_tokens))
        self.done(request, None if request.status in (401, *_LATER, None) else "a logged-out token was let in")

    def _me(self):
        request, body = self.ask("me", "GET", "/auth/me")
        wrong = None
        if request.status == 200:
            wrong = None if (body["id"], body["email"]) == (self.account_id, self.email) else f"another's account: {body}"
        elif request.status not in (*_LATER, None):
            wrong = f"unexpected: {body}"
        self.done(request, wrong)

    # Reading.

    def _some(self):
        return self.random.choice(list(self.documents.values())) if self.documents else None

    def _get(self):
        document = self._some()
        if document is None:
            return self._create()
        request, body = self.ask("get", "GET", f"/documents/{document.id}")
        request.document = document.id
        wrong = None
        if request.status == 200:
            wrong = self._judge(document, body)
            self._close_old(document, request.sent_at)
        elif request.status == 404:
            wrong = None if document.deleted or "deleted" in document.open else "an acknowledged document is not there"
            if "deleted" in document.open:
                document.deleted = True
        elif request.status not in (*_LATER, None):
            wrong = f"unexpected: {body}"
        self.done(request, wrong)

    def _judge(self, document, body):
        """What is wrong about a document as it was read, or None; takes in what it tells of open writes."""
        marker = body["title"]
        if body["id"] != document.id or body["content"] != text_of(marker):
            return "half written, or another's"
        if document.deleted:
            return "a deleted document is there"
        if marker in document.open and body["version"] > document.version:
            document.version, document.marker = body["version"], marker
            del document.open[marker]
            return None
        if (marker, body["version"]) != (document.marker, document.version):
            return f"stale: version {body['version']} {marker} instead of {document.version} {document.marker}"
        return None

    def _close_old(self, document, looked_at):
        """What nobody asks for any more, and a look after its time didn't show, has not happened."""
        for name, write in list(document.open.items()):
            if write.opened_at + _OPEN_MAX_S < looked_at and write not in self.waiting:
                del document.open[name]

    def _list(self):
        request, body = self.ask("list", "GET", "/documents?limit=100")
        wrong = None
        if request.status == 200:
            listed = {item["id"] for item in body["items"]}
            certain = {document.id for document in self.documents.values() if not document.deleted and "deleted" not in document.open}
            gone = {document.id for document in self.documents.values() if document.deleted}
            missing = certain - listed if body["next_cursor"] is None else set()
            if missing or gone & listed:
                wrong = f"the list misses {sorted(missing)} and has the deleted {sorted(gone & listed)}"
        elif request.status not in (*_LATER, None):
            wrong = f"unexpected: {body}"
        self.done(request, wrong)

    def _query(self):
        document = self._some()
        if document is None:
            return self._create()
        request, body = self.ask("query", "POST", "/query", {"query": document.marker, "mode": "text"})
        request.document = document.id
        wrong = None
        if request.status == 200:
            found = {result["document_id"] for result in body["results"]}
            settled = not document.open
            if settled and document.deleted and document.id in found:
                wrong = "a deleted document is found"
            elif settled and not document.deleted and document.id not in found:
                wrong = "a document is not found by its word"
            elif settled and any(document.marker not in result["text"] for result in body["results"] if result["document_id"] == document.id):
                wrong = "found by a word that it hasn't"
        elif request.status not in (*_LATER, None):
            wrong = f"unexpected: {body}"
        self.done(request, wrong)

    # Writing.

    def _new_write(self, kind, document=None):
        name = f"{self.seed}-{self.number}-w{next(self.count)}"
        key = f"key-{name}" if self.random.random() < 0.6 else None
        return Write(name, kind, key, document)

    def _create(self):
        if len(self.documents) >= _DOCUMENTS_MAX:
            return self._delete()
        return self._send(self._new_write("create"))

    def _writable(self):
        """A document whose state is known and that nothing is open for."""
        asked_again = {write.document for write in self.waiting}
        ready = [document for document in self.documents.values() if not document.deleted and not document.open and document not in asked_again]
        return self.random.choice(ready) if ready else None

    def _update(self):
        document = self._writable()
        if document is None:
            return self._create()
        return self._send(self._new_write("update", document))

    def _delete(self):
        document = self._writable()
        if document is None:
            return self._me()
        return self._send(self._new_write("delete", document))

    def _again(self):
        """The same key and body after the answer: the same answer."""
        if not self.answered:
            return self._create()
        write = self.random.choice(self.answered)
        request, body = self._ask_for(write)
        if request.status in (*_LATER, None):
            return self.done(request)
        answer = self._fingerprint(request.status, body)
        self.done(request, None if answer == write.first_answer else f"another answer to the same key: {answer} after {write.first_answer}")

    def _ask_for(self, write):
        body = None if write.kind == "delete" else {"title": write.marker, "content": text_of(write.marker), "tags": ["chaos"]}
        method, path = {"create": ("POST", "/documents"), "update": ("PUT", f"/documents/{write.document.id}" if write.document else ""),
                        "delete": ("DELETE", f"/documents/{write.document.id}" if write.document else "")}[write.kind]
        return self.ask(write.kind, method, path, body, write)

    @staticmethod
    def _fingerprint(status, body):
        return f"{status} {hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]}"

    def _send(self, write):
        """Asks for a change. Without an answer its outcome is open; with a key it is asked for again."""
        request, body = self._ask_for(write)
        if request.status in (*_LATER, None):
            self._left_open(write)
            return self.done(request)
        if write in self.waiting:
            self.waiting.remove(write)
        wrong = getattr(self, f"_took_{write.kind}")(write, request, body)
        if write.key is not None and request.acknowledged:
            write.first_answer = self._fingerprint(request.status, body)
            self.answered = [*self.answered[-9:], write]
        self.done(request, wrong)

    def _left_open(self, write):
        write.opened_at = time.monotonic()
        if write.document is not None:
            write.document.open["deleted" if write.kind == "delete" else write.marker] = write
        if write.key is not None:
            write.not_before = time.monotonic() + _RETRY_PAUSE_S
            if write not in self.waiting:
                self.waiting.append(write)

    def _took_create(self, write, request, body):
        if request.status != 201:
            return f"unexpected: {body}"
        request.answer = {"id": body["id"], "version": body["version"]}
        if body["id"] in self.documents or body["title"] != write.marker or body["version"] != 1:
            return f"another document was created: {body['id']} {body['title']} version {body['version']}"
        request.document = body["id"]
        self.documents[body["id"]] = Document(body["id"], body["version"], write.marker)
        return None

    def _took_update(self, write, request, body):
        document = write.document
        document.open.pop(write.marker, None)
        if request.status != 200:
            return f"unexpected: {body}"
        request.answer = {"id": body["id"], "version": body["version"]}
        if body["title"] != write.marker or body["id"] != document.id or body["version"] not in (document.version, document.version + 1):
            return f"another update: {body['title']} version {body['version']} after {document.version}"
        document.version, document.marker = body["version"], write.marker
        return None

    def _took_delete(self, write, request, body):
        document = write.document
        document.open.pop("deleted", None)
        if request.status != 204:
            return f"unexpected: {body}"
        document.deleted = True
        if len([each for each in self.documents.values() if each.deleted]) > 5:
            oldest = next(each for each in self.documents.values() if each.deleted)
            del self.documents[oldest.id]
        return None
