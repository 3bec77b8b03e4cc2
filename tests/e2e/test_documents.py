"""One document: stored, read, replaced, deleted."""

import json
import uuid

import pytest

from client import TIME, UUID7, faults, problem, unknown_id

FIELDS = {"id", "title", "content", "tags", "metadata", "language", "version", "chunk_count", "created_at", "updated_at"}


def body(**more):
    return {"title": "A title", "content": "Some content.", **more}


def test_create_answers_with_the_document(account):
    response = account.post("/documents", body(tags=["b", "a"], metadata={"k": [1, {"x": None}]}, language="de"))
    assert response.status_code == 201
    document = response.json()
    assert document.keys() == FIELDS
    assert UUID7.fullmatch(document["id"])
    assert response.headers["Location"] == f"/documents/{document['id']}"
    assert response.headers["ETag"].startswith('"') and response.headers["ETag"].endswith('"')
    assert document["title"] == "A title" and document["content"] == "Some content."
    assert document["tags"] == ["b", "a"] and document["metadata"] == {"k": [1, {"x": None}]} and document["language"] == "de"
    assert document["version"] == 1 and document["chunk_count"] == 1
    assert TIME.fullmatch(document["created_at"]) and document["updated_at"] == document["created_at"]


@pytest.mark.gateway
def test_get_answers_what_create_did(account):
    created = account.post("/documents", body(tags=["x"], metadata={"n": 1}))
    got = account.get(created.headers["Location"])
    assert got.status_code == 200
    assert got.json() == created.json()
    assert got.headers["ETag"] == created.headers["ETag"]


def test_what_may_be_left_out_has_an_empty_value(account):
    document = account.create()
    assert document["tags"] == [] and document["metadata"] == {}


def test_language_is_detected_or_null(account):
    german = "Die Bundesregierung hat heute beschlossen, dass die neuen Regeln für den Verkehr auf den Straßen erst im nächsten Jahr gelten sollen."
    assert account.create("Verkehr", german)["language"] == "de"
    english = "The government has decided today that the new rules for traffic on the roads will not be in force before the next year."
    assert account.create("Traffic", english)["language"] == "en"
    assert account.create("0", "12345 67890")["language"] is None


@pytest.mark.parametrize("content", ["a", "line\nline\r\n\ttab", "Zürich – 北京 – 한국어 – עברית – 🙂", "\u2028\u0001\u007f", "quote \" backslash \\ slash /",
                                     "  spaces around  ", "x" * 70_000])
def test_content_comes_back_as_it_was(account, content):
    document = account.create(content=content)
    assert document["content"] == content
    assert account.read(document["id"])["content"] == content


def test_longer_content_has_more_chunks(account):
    text = "\n\n".join(f"Paragraph {number} tells of one thing. " * 12 for number in range(20))
    chunks = account.create(content=text)["chunk_count"]
    assert len(text) / 2000 < chunks < len(text) / 400


NUMBERS = '{"small":0.1,"big":9223372036854775807,"negative":-9223372036854775808,"unsigned":18446744073709551615,"exponent":1e10,"zero":-0.0}'


def test_numbers_in_metadata_come_back_exactly(account):
    response = account.post_bytes("/documents", b'{"title":"t","content":"c","metadata":' + NUMBERS.encode() + b"}")
    if response.status_code == 422:  # allowed for a number that can't be kept, never for the usual ones
        response = account.post_bytes("/documents", b'{"title":"t","content":"c","metadata":{"small":0.1,"big":9223372036854775807}}')
    assert response.status_code == 201
    raw = account.get(response.headers["Location"]).content
    parsed = json.loads(raw, parse_float=str, parse_int=str)["metadata"]
    assert parsed["big"] == "9223372036854775807" and float(parsed["small"]) == 0.1
    for name, value in {"negative": "-9223372036854775808", "unsigned": "18446744073709551615"}.items():
        assert parsed.get(name, value) == value


@pytest.mark.parametrize("number", ["1e999", "123456789012345678901234567890", "0.12345678901234567890123456789"])
def test_a_number_that_cannot_be_kept_is_422(account, number):
    response = account.post_bytes("/documents", b'{"title":"t","content":"c","metadata":{"n":' + number.encode() + b"}}")
    if response.status_code == 201:
        raw = account.get(response.headers["Location"]).text
        assert number in raw  # exactly, then
    else:
        assert faults(response)[0].startswith("metadata")


@pytest.mark.gateway
def test_put_replaces_and_clears_what_is_left_out(account):
    document = account.create(tags=["a"], metadata={"k": 1}, language="fr")
    response = account.put(f"/documents/{document['id']}", {"title": "New", "content": "Neuer Inhalt hier."})
    assert response.status_code == 200
    replaced = response.json()
    assert replaced.keys() == FIELDS
    assert replaced["title"] == "New" and replaced["tags"] == [] and replaced["metadata"] == {} and replaced["language"] != "fr"
    assert replaced["version"] == 2 and replaced["created_at"] == document["created_at"] and replaced["updated_at"] >= document["updated_at"]
    assert account.read(document["id"]) == replaced


def test_put_never_creates(account):
    missing = unknown_id()
    problem(account.put(f"/documents/{missing}", body()), 404)
    problem(account.get(f"/documents/{missing}"), 404)


def test_put_needs_all_that_post_needs(account):
    document = account.create()
    assert faults(account.put(f"/documents/{document['id']}", {"title": "only"})) == ["content"]
    assert account.read(document["id"]) == document


@pytest.mark.gateway
def test_delete_is_204_and_then_404(account):
    document = account.create()
    path = f"/documents/{document['id']}"
    response = account.delete(path)
    assert response.status_code == 204 and response.content == b""
    problem(account.get(path), 404)
    problem(account.delete(path), 404)
    problem(account.put(path, body()), 404)
    assert account.listed() == []


@pytest.mark.parametrize("segment", ["x", "1", "0190b6c1-0000-7000-8000-00000000000", "0190b6c1-0000-7000-8000-00000000000g", "%00", "null", "..%2f",
                                     "0190b6c1%2d0000-7000-8000-000000000000%20"])
def test_a_segment_that_is_no_id_is_404(account, segment):
    for method in ("GET", "DELETE"):
        problem(account.request(method, f"/documents/{segment}"), 404)
    problem(account.put(f"/documents/{segment}", body()), 404)


@pytest.mark.parametrize("fields, named", [
    ({"title": ""}, "title"), ({"title": "x" * 501}, "title"), ({"title": None}, "title"), ({"title": 1}, "title"), ({"content": ""}, "content"),
    ({"content": ["x"]}, "content"), ({"tags": "x"}, "tags"), ({"tags": ["x"] * 33}, "tags"), ({"tags": ["a", 1]}, "tags[1]"),
    ({"tags": ["a", "b", "x" * 65]}, "tags[2]"), ({"tags": [""]}, "tags[0]"), ({"metadata": []}, "metadata"), ({"metadata": "{}"}, "metadata"),
    ({"metadata": {"x": "y" * 16384}}, "metadata"), ({"language": "english"}, "language"), ({"language": "x"}, "language"),
    ({"language": 5}, "language"), ({"colour": "red"}, "colour"), ({"id": "x"}, "id"), ({"version": 1}, "version"), ({"faults": []}, "faults"),
])
def test_a_field_that_is_not_valid_is_named(account, fields, named):
    assert faults(account.post("/documents", body(**fields))) == [named]
    assert account.listed() == []


@pytest.mark.parametrize("fields", [{"title": "x"}, {"title": "ü" * 500}, {"title": "🙂" * 500}, {"tags": ["t" * 64] + [str(n) for n in range(31)]},
                                    {"tags": []}, {"tags": ["🙂" * 64]}, {"metadata": {"x": "y" * (16384 - 8)}}, {"language": "en"}])
def test_the_last_valid_value_is_accepted(account, fields):
    response = account.post("/documents", body(**fields))
    assert response.status_code == 201, response.text
    stored = account.get(response.headers["Location"]).json()
    assert {name: stored[name] for name in fields} == fields


def test_head_is_get_without_the_body(account):
    created = account.post("/documents", body())
    path = created.headers["Location"]
    got, head = account.get(path), account.request("HEAD", path)
    assert head.status_code == 200 and head.content == b""
    for name in ("Content-Length", "Content-Type", "ETag"):
        assert head.headers[name] == got.headers[name]
    missing = account.request("HEAD", f"/documents/{unknown_id()}")
    assert missing.status_code == 404 and missing.content == b""
    assert account.request("HEAD", path, headers={"If-None-Match": created.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("metadata", ["the-secret-word", '{"k": the-secret-word}', '["the-secret-word"]', '{"k": "the-secret-word"} x', ""])
def test_metadata_that_came_past_the_gateway_is_judged_before_the_database_sees_it(stack, caller, account, contract, metadata):
    """Else PostgreSQL's refusal would quote it in a log, after three attempts."""
    starts = {server: server.log_size() for server in (stack.primary, stack.documents)}
    for method, message in (("Create", "CreateDocumentRequest"), ("Put", "PutDocumentRequest")):
        fields = {"id": uuid.uuid4().bytes} if method == "Put" else {}
        request = contract.message(message)(title="t", content="c", metadata=metadata, **fields)
        reply = caller.call("quire.documents.write", f"quire.Documents/{method}", request, token=account.token)
        assert reply.headers["quire-status"] == b"422" and b"metadata" in reply.value
    assert not any(server.log_contains("the-secret-word", start) for server, start in starts.items())
    exact = '{"n": 1e999, "m": 123456789012345678901234567890}'  # what JSON allows and no number of C holds
    request = contract.message("CreateDocumentRequest")(title="t", content="c", metadata=exact)
    reply = caller.call("quire.documents.write", "quire.Documents/Create", request, token=account.token)
    assert "quire-status" not in reply.headers or reply.headers["quire-status"] == b"201"
