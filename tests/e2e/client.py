"""Quire's API as a client sees it. Every answer, whatever a test looks at, is held against what API.md says of every response."""

import itertools
import os
import re
import secrets
import uuid

import httpx

from servers.waiting import PATIENCE

PASSWORD = "correct horse battery staple"
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SECONDS = re.compile(r"\d+(\.\d+)?")
_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
# What would tell a caller how we are built.
_LEAKS = re.compile(r"postgres(?!_)|libpq|SQLSTATE|relation \"|violates|SELECT |rdkafka|hiredis|redis(?!\")|yyjson|llhttp|sodium|protobuf|haproxy|broker|errno|Traceback"
                    r"|/(src|build|usr|etc|tmp|home|proc)/|\.[ch]:\d+|0x[0-9a-f]{6}|\b\d+\.\d+\.\d+|127\.0\.0\.1|localhost|:\d{4,5}\b(?!\.)", re.I)
# Each client comes from an address of its own, so that one test's limits by address are not another's.
_addresses = itertools.count(int.from_bytes(os.urandom(2)) << 4)


def new_address():
    number = next(_addresses) % (200 * 250 * 250)
    return f"127.{10 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


def check_every_response(response):
    """API.md, "Every response"."""
    headers = response.headers
    assert _REQUEST_ID.fullmatch(headers["X-Request-ID"]), headers
    assert _SECONDS.fullmatch(headers["X-Process-Time"]), headers
    assert _DATE.fullmatch(headers["Date"]), headers
    assert not headers.keys() & {"transfer-encoding", "server", "via", "x-powered-by"}, headers
    if response.status_code in (204, 304):
        assert "Content-Length" not in headers or response.status_code == 304, headers
        assert response.status_code == 304 or "Content-Type" not in headers, headers
    else:
        assert headers["Content-Length"].isdigit() and headers["Content-Type"], headers
    if response.status_code in (429, 503):
        assert int(headers["Retry-After"]) >= 1, headers
    if response.status_code == 401:
        assert headers["WWW-Authenticate"].startswith("Bearer"), headers


def problem(response, status):
    """Asserts that the response is a problem of that status (RFC 9457) that tells nothing of our insides; returns its members."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["Content-Type"].split(";")[0] == "application/problem+json"
    members = response.json()
    assert isinstance(members["type"], str) and members["type"]
    assert isinstance(members["title"], str) and members["title"]
    assert members["status"] == status
    assert members["instance"] == response.headers["X-Request-ID"]
    assert isinstance(members["detail"], str) and members["detail"]
    assert not _LEAKS.search(response.text), response.text
    return members


def faults(response):
    """The fields that a 422 names."""
    errors = problem(response, 422)["errors"]
    assert errors and all(isinstance(error["message"], str) and error["message"] for error in errors)
    return [error["field"] for error in errors]


class Api:
    """One client: one address, kept-alive connections, perhaps a token."""

    def __init__(self, url, token=None, address=None, seconds=35):
        self.url = url
        self.token = token
        self.address = address or new_address()
        # Without verify=False each client would read all the authorities of TLS, which takes longer than its requests; these speak plain HTTP.
        self.http = httpx.Client(base_url=url, timeout=seconds * PATIENCE, trust_env=False,
                                 transport=httpx.HTTPTransport(verify=False, local_address=self.address, limits=httpx.Limits(max_connections=None)),
                                 event_hooks={"response": [check_every_response]})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.http.close()

    def at(self, gateway):
        """The same caller at another gateway."""
        return type(self)._copy(self, gateway.url)

    @classmethod
    def _copy(cls, api, url):
        return Api(url, api.token, api.address)

    def request(self, method, path, headers=None, key=None, **more):
        headers = dict(headers or {})
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.http.request(method, path, headers=headers, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, json=None, **more):
        return self.request("POST", path, **({} if json is None else {"json": json}), **more)

    def put(self, path, json=None, **more):
        return self.request("PUT", path, json=json, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def post_bytes(self, path, body, content_type="application/json", **more):
        headers = {"Content-Type": content_type, **more.pop("headers", {})}
        return self.request("POST", path, content=body, headers=headers, **more)

    # Calls by what they mean; each asserts that it succeeded.

    def register(self, email, password=PASSWORD):
        return self.post("/auth/register", {"email": email, "password": password})

    def log_in(self, email, password=PASSWORD, **more):
        return self.post("/auth/login", {"email": email, "password": password}, **more)

    def create(self, title="A title", content="Some content.", **more):
        key = more.pop("key", None)
        response = self.post("/documents", {"title": title, "content": content, **more}, key=key)
        assert response.status_code == 201, response.text
        return response.json()

    def read(self, document_id):
        response = self.get(f"/documents/{document_id}")
        assert response.status_code == 200, response.text
        return response.json()

    def listed(self, **parameters):
        """All documents that match, page by page."""
        items, cursor = [], None
        while True:
            response = self.get("/documents", params={**parameters, **({"cursor": cursor} if cursor else {})})
            assert response.status_code == 200, response.text
            items += response.json()["items"]
            cursor = response.json()["next_cursor"]
            if cursor is None:
                return items

    def search(self, query, **more):
        response = self.post("/query", {"query": query, **more})
        assert response.status_code == 200, response.text
        return response.json()["results"]

    def found(self, query, **more):
        """Ids of the documents found, best first."""
        return [result["document_id"] for result in self.search(query, **more)]


class Account(Api):
    """A registered person, logged in."""

    @classmethod
    def open(cls, url, password=PASSWORD, email=None):
        account = cls(url)
        account.email = email or new_email()
        account.password = password
        registered = account.register(account.email, password)
        assert registered.status_code == 201, registered.text
        account.id = registered.json()["id"]
        account.session = account.log_in(account.email, password).json()
        account.token = account.session["token"]
        return account

    def another_session(self):
        """The same person, logged in once more, elsewhere."""
        elsewhere = Api(self.url)
        response = elsewhere.log_in(self.email, self.password)
        assert response.status_code == 200, response.text
        elsewhere.token = response.json()["token"]
        return elsewhere


def new_email():
    return f"{secrets.token_hex(8)}@example.com"


def new_key():
    return str(uuid.uuid4())


def unknown_id():
    """A UUIDv7 that nobody has."""
    raw = bytearray(os.urandom(16))
    raw[0:6] = (1700000000000).to_bytes(6)
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(raw)))
