"""Someone else's resource doesn't exist: each route against it is a 404, and changes nothing."""

import pytest

from client import Api, new_key, problem
from topics import read_all

BODY = {"title": "taken over", "content": "by somebody else"}

DOCUMENT_ROUTES = [
    ("GET", None, {}), ("HEAD", None, {}), ("GET", None, {"If-None-Match": "*"}), ("GET", None, {"If-None-Match": '"{etag}"'}), ("PUT", BODY, {}),
    ("PUT", BODY, {"If-Match": "*"}), ("PUT", BODY, {"If-Match": '"{etag}"'}), ("PUT", BODY, {"If-Match": '"wrong"'}), ("PUT", BODY, {"Idempotency-Key": "{key}"}),
    ("PUT", BODY, {"If-None-Match": "*"}), ("DELETE", None, {"If-None-Match": '"{etag}"'}),
    ("DELETE", None, {}), ("DELETE", None, {"If-Match": "*"}), ("DELETE", None, {"If-Match": '"{etag}"'}), ("DELETE", None, {"Idempotency-Key": "{key}"}),
]


@pytest.fixture
def theirs(other):
    """Somebody else's document; at the end it must be as it was."""
    key = new_key()
    response = other.post("/documents", {"title": "Theirs", "content": "private melon", "tags": ["t"]}, key=key)
    document = response.json()
    document["etag"] = response.headers["ETag"].strip('"')
    document["key"] = key
    yield document
    after = other.get(f"/documents/{document['id']}")
    assert after.json() == response.json() and after.headers["ETag"] == response.headers["ETag"]
    assert [item["id"] for item in other.listed()] == [document["id"]]
    assert other.found("melon") == [document["id"]]


@pytest.mark.parametrize("method, body, headers", DOCUMENT_ROUTES, ids=lambda value: str(value)[:40])
def test_a_document_of_somebody_else(account, theirs, method, body, headers):
    headers = {name: value.format(**theirs) for name, value in headers.items()}
    response = account.request(method, f"/documents/{theirs['id']}", headers=headers, **({"json": body} if body else {}))
    if method == "HEAD":
        assert response.status_code == 404
    else:
        foreign = problem(response, 404)
        missing = problem(account.request(method, f"/documents/{theirs['id'][:-4]}0000", headers={**headers, **({"Idempotency-Key": new_key()} if "Idempotency-Key" in headers else {})},
                                          **({"json": body} if body else {})), 404)
        assert {**foreign, "instance": None} == {**missing, "instance": None}  # nothing tells the two apart


def test_it_is_in_no_list_and_no_answer(account, theirs):
    mine = account.create("Mine", "my own melon", tags=["t"])
    assert [item["id"] for item in account.listed()] == [mine["id"]]
    assert [item["id"] for item in account.listed(tag="t")] == [mine["id"]]
    assert [item["id"] for item in account.listed(q="melon")] == [mine["id"]]
    assert account.found("private melon", top_k=100) == [mine["id"]]
    assert account.found("melon", document_ids=[theirs["id"], mine["id"]]) == [mine["id"]]
    assert account.found("melon", document_ids=[theirs["id"]]) == []


def test_their_key_gives_nothing_away(account, theirs):
    response = account.post("/documents", {"title": "Theirs", "content": "private melon", "tags": ["t"]}, key=theirs["key"])
    assert response.status_code == 201 and response.json()["id"] != theirs["id"]


def test_a_session_of_somebody_else(account, other):
    session, = other.get("/auth/sessions").json()["items"]
    problem(account.delete(f"/auth/sessions/{session['id']}"), 404)
    assert other.get("/auth/me").status_code == 200
    assert session["id"] not in {item["id"] for item in account.get("/auth/sessions").json()["items"]}


@pytest.mark.parametrize("name", ["X-User-ID", "X-User", "X-Account-ID", "Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Auth-Request-Email", "From",
                                  "Forwarded", "X-Real-IP", "quire-session", "quire-client", "kafka_replyTopic"])
def test_headers_that_name_somebody_else_are_not_read(account, other, anyone, proxy, stack, name):
    """Nor passed on: a message's headers are those of docs/WIRE.md, each made by the gateway."""
    for value in (other.id, other.email, other.token):
        for url in (stack.gateway.url, proxy.url):
            with Api(url, account.token) as api:
                assert api.get("/auth/me", headers={name: value}).json()["id"] == account.id
            with Api(url) as api:
                problem(api.get("/auth/me", headers={name: value}), 401)
    mark = "somebody-else-entirely"
    sent = account.post("/query", {"query": "x"}, headers={name: mark, "X-Request-ID": f"names-{account.id}"})
    assert sent.status_code == 200
    message, = [found for found in read_all(stack.kafka.brokers, ["quire.query"]) if ("x-request-id", f"names-{account.id}".encode()) in found.headers()]
    assert all(mark.encode() not in (value or b"") for _, value in message.headers()) and mark.encode() not in (message.value() or b"")


def test_a_password_change_ends_only_ones_own_sessions(account, other):
    assert account.post("/auth/password", {"current_password": account.password, "new_password": "another password"}).status_code == 204
    assert other.get("/auth/me").status_code == 200
    assert account.log_in(other.email, other.password).status_code == 200


def test_answers_of_many_at_once_never_cross(new_account, stack):
    from concurrent.futures import ThreadPoolExecutor
    accounts = [new_account() for _ in range(6)]
    documents = [api.create(f"of {number}", f"private {number}") for number, api in enumerate(accounts)]

    def reads(number):
        api = accounts[number].at(stack.gateways[number % 2])
        for _ in range(40):
            assert api.get("/auth/me").json()["id"] == accounts[number].id
            assert api.read(documents[number]["id"]) == documents[number]
            assert api.found("private") == [documents[number]["id"]]

    with ThreadPoolExecutor(len(accounts)) as pool:
        list(pool.map(reads, range(len(accounts))))
