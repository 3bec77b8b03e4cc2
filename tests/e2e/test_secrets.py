"""No password and no token in clear: on no topic, in no log, in no table, in no file of Redis."""

import base64
import os
import secrets

import pytest

from client import Api, new_email, problem
from topics import read_all


@pytest.fixture(scope="module")
def spoken(stack):
    """A conversation full of secrets; returns them, and the request ids by which it can be found."""
    marks = {name: f"{name}-{secrets.token_hex(12)}" for name in ("first", "second", "mistaken", "misplaced", "malformed")}
    ids = [f"secret-{secrets.token_hex(8)}" for _ in range(8)]
    email, tokens = new_email(), []

    def say(api, number, path, body, status, **more):
        response = api.post(path, body, headers={"X-Request-ID": ids[number], **more})
        assert response.status_code == status, response.text
        return response

    with Api(stack.gateway.url) as api:
        say(api, 0, "/auth/register", {"email": email, "password": marks["first"]}, 201)
        tokens.append(say(api, 1, "/auth/login", {"email": email, "password": marks["first"]}, 200).json()["token"])
        api.token = tokens[0]
        say(api, 2, "/auth/password", {"current_password": marks["first"], "new_password": marks["second"]}, 204)
        say(api, 3, "/auth/login", {"email": email, "password": marks["mistaken"]}, 401)
        say(api, 4, "/auth/register", {"email": email, "password": marks["mistaken"]}, 409)
        tokens.append(say(api, 5, "/auth/login", {"email": email, "password": marks["second"]}, 200).json()["token"])
        say(api, 6, "/auth/login", {"email": email, "password": marks["misplaced"], "surplus": marks["misplaced"], marks["misplaced"]: 1}, 422)
        problem(api.post_bytes("/auth/login", f'{{"email": "{email}", "password": "{marks["malformed"]}", }}'.encode(),
                               headers={"X-Request-ID": ids[7]}), 400)
        assert api.get("/auth/me").status_code == 200
        assert api.get("/documents", headers={"Authorization": f"Bearer {tokens[0]}x"}).status_code == 401
        api.token = tokens[1]
        api.create()
        api.post("/auth/logout")
    forms = {}
    for name, secret in [*marks.items(), *((f"token {number}", token) for number, token in enumerate(tokens))]:
        forms[name] = secret.encode()
        forms[f"{name} in hexadecimal"] = secret.encode().hex().encode()
        forms[f"{name} in base64"] = base64.b64encode(secret.encode())[:-4]
    for number, token in enumerate(tokens):
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        forms[f"token {number} raw"] = raw[2:]
        forms[f"token {number} raw in hexadecimal"] = raw[2:].hex().encode()
    return forms, ids


def clean(spoken, where, content):
    found = [name for name, form in spoken[0].items() if form in content]
    assert not found, f"{where} holds: {', '.join(found)}"


def test_no_topic_holds_one(stack, spoken):
    messages = read_all(stack.kafka.brokers, stack.kafka.topics())
    seen, contents = set(), {}
    for message in messages:
        headers = message.headers() or []
        contents.setdefault(message.topic(), []).extend((message.key() or b"", message.value() or b"", *(value or b"" for _, value in headers)))
        seen.update(value for name, value in headers if name == "x-request-id")
    for topic, parts in contents.items():
        clean(spoken, f"topic {topic}", b"\n".join(parts))
    assert {request_id.encode() for request_id in spoken[1][:6]} <= seen  # or we have looked in the wrong place


def test_no_log_holds_one(stack, spoken):
    gathered = b""
    for server in stack.servers:
        log = server.log_bytes()
        clean(spoken, f"the log of {server.name}", log)
        gathered += log
    assert all(request_id.encode() in gathered for request_id in spoken[1])


def test_no_table_holds_one(stack, spoken):
    tables = stack.primary.query("SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')".replace("%%", "%"))
    assert len(tables) >= 5
    for (table,) in tables:
        for (rows,) in stack.primary.query(f"SELECT string_agg(t::text, ' ') FROM {table} t GROUP BY (ctid::text::point)[0]::bigint / 100"):
            clean(spoken, f"table {table}", rows.encode())


def test_no_key_or_value_of_redis_holds_one(stack, spoken):
    for folder, _, files in os.walk(stack.redis.files):
        for file in files:
            with open(os.path.join(folder, file), "rb") as content:
                clean(spoken, f"Redis' file {file}", content.read())
    with stack.redis.connect() as redis:
        keys = list(redis.scan_iter(count=1000))
        assert keys
        for key in keys:
            clean(spoken, "a key of Redis", key)


def test_no_metric_holds_one(stack, spoken):
    for server in stack.ours:
        clean(spoken, f"the metrics of {server.name}", server.admin("/metrics")[1])


def test_a_dump_of_everything_lets_no_one_in(stack, spoken, account):
    """What is stored of a token (its hash) is no token."""
    with stack.redis.connect() as redis:
        hashes = [key.decode().rpartition(":")[2] for key in redis.scan_iter("quire:*:session:*")]
    assert hashes
    for stored in hashes[:20]:
        raw = bytes.fromhex(stored)
        for guess in (stored[:46], base64.urlsafe_b64encode(b"\0\0" + raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")):
            problem(Api(stack.gateway.url, guess).get("/auth/me"), 401)
