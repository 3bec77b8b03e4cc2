"""What a caller writes stays what it is: in SQL a value, in a log a text, in a path a segment, and never a header of a message. Whatever it breaks, the
answer tells nothing of what is behind."""

import json
import re
import uuid

import pytest

from client import Account, faults, problem
from raw_http import RawConnection
from servers.waiting import wait_until

# Ends of literals, comments, casts, placeholders, arrays, patterns and JSON paths, as PostgreSQL has them.
METACHARACTERS = ["'; DROP TABLE documents.documents CASCADE; --", "' OR '1'='1", "\\'; SELECT pg_sleep(60); --", "$1", "$$;SELECT 1;$$", "/* */ -- ", "NULL", "{NULL}",
                  '{"a","b"}', '"},{"', "%", "_", "%' ESCAPE '", "E'\\x27'", "U&'\\0027'", "::uuid", "\\", "\\\\", '"', "''", "`", ";", "(", "*", "a & b | !c <-> d:*", "\u2019; --",
                  "\x01\x02\x1b[31m\x7f", "{{7*7}}", "${7*7}", "\u202e"]
FORGERIES = ['"}\n{"event":"forged"}', "\r\n{\"event\":\"forged\"}", "\x1b[31mred", "\x1b]0;title\x07", "\x9b31m", "\u2028{\"event\":\"forged\"}", "%n%s%p", "\x00"]


def failed_statements(stack):
    return [line for service in stack.services for line in service.log_lines("database.statement_failed", stack.marks[service])]


@pytest.mark.parametrize("text", METACHARACTERS)
def test_metacharacters_are_values_in_every_field(account, stack, text):
    """They come back as they were, find what has them and nothing else, and no statement fails."""
    key = "key-" + "".join(character for character in text if "!" <= character <= "~")
    written = {"title": text, "content": f"{text} lamp", "tags": [text], "metadata": {text: [text, {text: text}]}}
    decoy = account.create("decoy", "decoy content", tags=["decoy"])
    document = account.create(**written, key=key)
    replaced = account.put(f"/documents/{document['id']}", {**written, "content": f"{text} dusk"}, headers={"If-Match": '"1"'})
    assert replaced.status_code == 200 and replaced.json()["content"] == f"{text} dusk"
    read = account.read(document["id"])
    assert (read["title"], read["tags"], read["metadata"]) == (text, [text], written["metadata"])
    assert [item["id"] for item in account.listed(tag=text)] == [document["id"]]
    assert [item["id"] for item in account.listed(q=f"dusk {text}")] in ([document["id"]], [])
    found = account.post("/query", {"query": f"{text} dusk", "tags": [text]})
    assert found.status_code == 200 and {result["document_id"] for result in found.json()["results"]} == {document["id"]}
    assert faults(account.get("/documents", params={"cursor": text})) == ["cursor"]
    assert faults(account.post("/query", {"query": "dusk", "document_ids": [text]})) == ["document_ids[0]"]
    assert faults(account.post("/documents", {"title": "t", "content": "c", "language": text})) == ["language"]
    assert account.read(decoy["id"])["title"] == "decoy"
    assert failed_statements(stack) == []


@pytest.mark.parametrize("text", [text for text in METACHARACTERS if text.isprintable()])
def test_metacharacters_in_what_opens_an_account_and_a_session(anyone, stack, text):
    """As much of the text as an address may have; all that the gateway takes for one reaches the statement of a log-in."""
    whole = "".join(character for character in text if character not in "@ ")
    local = "".join(character for character in whole if character.isalnum() or character in "!#$%&'*+-/=?^_`{|}~’") + uuid.uuid4().hex[:8]
    email, password = f"{local}@example.com", f"{text} password"
    assert anyone.register(email, password).status_code == 201
    assert anyone.log_in(f"{whole}{uuid.uuid4().hex[:8]}@example.com", password).status_code == 401
    assert anyone.log_in(email, password + "'").status_code == 401
    logged_in = anyone.post("/auth/login", {"email": email, "password": password}, headers={"User-Agent": text.strip().encode()})
    assert logged_in.status_code == 200 and logged_in.json()["user"]["email"] == email
    anyone.token = logged_in.json()["token"]
    listed = anyone.get("/auth/sessions").json()["items"]
    assert [session["user_agent"] for session in listed] == [text.strip()]
    assert failed_statements(stack) == []


def test_no_text_of_a_caller_ends_a_line_of_a_log_or_reaches_a_terminal(account, stack):
    """In request line, any header, path, query, title and e-mail, as bytes: what HTTP refuses is logged as well."""
    for text in FORGERIES:
        raw = text.encode()
        for request in (b"GET /%s HTTP/1.1\r\nHost: q\r\n\r\n" % raw, b"%s / HTTP/1.1\r\nHost: q\r\n\r\n" % raw, b"GET /documents?q=%s HTTP/1.1\r\nHost: q\r\n\r\n" % raw,
                        *(b"GET /auth/me HTTP/1.1\r\nHost: q\r\n%s: %s\r\n\r\n" % (name, raw)
                          for name in (b"X-Request-ID", b"User-Agent", b"traceparent", b"X-Forwarded-For", b"Authorization", b"Idempotency-Key", b"Accept"))):
            with RawConnection(stack.gateway) as connection:
                connection.send(request).answer()
        account.post("/documents", {"title": text, "content": text, "tags": [text]}, headers={"User-Agent": raw.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")})
        account.post("/query", {"query": text})
        account.post("/auth/login", {"email": f"{text}@example.com", "password": text})
    last = f"last-{uuid.uuid4()}"
    assert account.get("/auth/me", headers={"X-Request-ID": last}).status_code == 200
    for server in (stack.gateway, stack.session):
        wait_until(lambda: server.log_contains(last), what="the last request is logged")
    for server in stack.ours:
        log = server.log_bytes(stack.marks[server])
        assert re.findall(rb".{,80}(?:[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]).{,20}", log) == []
        for line in filter(None, log.decode("utf-8").split("\n")):
            assert json.loads(line)["event"] != "forged"


def test_a_caller_s_headers_become_no_headers_of_its_message(account, other, stack):
    """Who calls, who is answered and by when is the gateway's to say."""
    theirs = other.get("/auth/me").json()["id"]
    forged = {"quire-session": "A" * 34, "quire-client": "203.0.113.9", "quire-method": "quire.Documents/List", "quire-deadline": "00000000", "kafka_correlationId": "x" * 28,
              "kafka_replyTopic": "quire.session", "kafka_replyPartition": "0000", "x-request-id": "mine", "quire-fingerprint": "f" * 32, "quire-fault": "crash",
              "X-User-ID": theirs, "X-Account-ID": theirs, "X-Forwarded-User": other.email, "Remote-User": other.email}
    assert account.get("/auth/me", headers=forged).json()["id"] == account.get("/auth/me").json()["id"] != theirs
    account.token = None
    problem(account.get("/auth/me", headers=forged), 401)


# A character of a path that is good as it stands, spelled in ways that some server somewhere takes for it, or for a separator or the end.
SPELLINGS = {"%2e%2e/": 404, "%2e%2e%2f": 404, "..%2f": 404, "%252e%252e%252f": 404, "..;/": 404, "%c0%ae%c0%ae/": 404, "%e0%80%ae%e0%80%ae/": 404, "%c0%af": 404, "..%5c": 404,
             "%00": 404, "%0d%0aX-Injected:%201": 404, "%u002e": 400, "%": 400, "%2": 400, "%zz": 400, "%ff": 404, "%ed%a0%80": 404, "%20": 404, "./": 404, "%2f": 404}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("template", ["/%sdocuments", "/documents/%s", "/documents/%s{id}", "/documents/{id}%s", "/auth/%sme"])
def test_a_path_has_one_spelling(account, template, spelling, stack):
    identifier = account.create()["id"]
    target = template.replace("%s", spelling, 1).replace("{id}", identifier)
    with RawConnection(stack.gateway) as connection:
        answer = connection.send(f"GET {target} HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\n\r\n").answer()
    assert answer.status in (SPELLINGS[spelling], 404) and json.loads(answer.body)["status"] == answer.status, (target, answer)  # "%2" and "d" is a "-"
    assert answer.header("X-Injected") is None


@pytest.mark.parametrize("value, status", [("%c0%ae", 400), ("%ff", 400), ("%ed%a0%80", 400), ("%", 400), ("%2", 400), ("%zz", 400), ("%u0041", 400), ("%00", 422), ("%2527", 200), ("%27", 200), ("+", 200)])
def test_a_query_is_decoded_once_and_must_be_utf8(account, stack, value, status):
    with RawConnection(stack.gateway) as connection:
        answer = connection.send(f"GET /documents?tag={value} HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\n\r\n").answer()
    assert answer.status == status, answer


def each_route(stack, account):
    """A well-formed request to every operation of the contract, with the account's token."""
    identifier = str(uuid.uuid4())
    bodies = {"/documents": {"title": "t", "content": "c"}, "/documents/batch": {"documents": [{"title": "t", "content": "c"}]}, "/documents/{id}": {"title": "t", "content": "c"},
              "/query": {"query": "q"}, "/auth/register": {"email": f"{uuid.uuid4()}@example.com", "password": "12345678"},
              "/auth/login": {"email": account.email, "password": "12345678"}, "/auth/password": {"current_password": "12345678", "new_password": "123456789"}}
    for path, operations in account.get("/openapi.json").json()["paths"].items():
        for method in operations.keys() - {"parameters"}:
            if "x-own" not in operations[method] and path not in ("/livez", "/readyz", "/health", "/openapi.json", "/docs"):
                body = bodies.get(path) if method in ("post", "put") else None
                yield method.upper(), path.replace("{id}", identifier).replace("{document_id}", identifier), body


@pytest.mark.destructive
@pytest.mark.parametrize("layer", ["primary", "replicas", "redis", "kafka", "documents"])
def test_what_fails_behind_tells_nothing_of_itself(stack, layer):
    """Each route while a part is gone; `problem` looks for what would tell (client.py)."""
    account = Account.open(stack.gateway.url)
    routes = list(each_route(stack, account))
    assert len(routes) >= 14
    gone = getattr(stack, layer)
    for server in gone if isinstance(gone, list) else [gone]:
        server.kill()
    seen = set()
    for method, path, body in routes:
        if path == "/auth/logout":
            continue  # would end what the others need
        response = account.request(method, path, **({} if body is None else {"json": body}), headers={"Request-Timeout": "2"})
        seen.add(response.status_code)
        if response.status_code >= 400:
            problem(response, response.status_code)
    assert layer == "replicas" or seen & {503, 504}, seen
