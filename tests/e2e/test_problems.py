"""Every status of API.md's table, and that each says what it must."""

import json

import pytest

from client import UUID7, Api, new_key, problem, unknown_id
from raw_http import exchange


def test_400_malformed_json(account):
    members = problem(account.post_bytes("/documents", b'{"title": '), 400)
    assert members["detail"].endswith("at byte 10")


def test_401_names_the_scheme(anyone):
    response = anyone.get("/auth/me")
    problem(response, 401)
    assert response.headers["WWW-Authenticate"].split()[0] == "Bearer"


def test_422_has_a_body_however_long_its_faults_are_in_json(account):
    """A hundred names, each of characters that take six there."""
    names = {"\x01" * 125 + str(number): 1 for number in range(100, 200)}
    members = problem(account.post("/documents", {"title": "t", "content": "c", **names}), 422)
    assert all(error["field"] in names for error in members.get("errors", []))


@pytest.mark.parametrize("path", ["/nothing", "/documents/", "/Documents", "/auth", "/auth/me/more", "//documents", "/metrics"])
def test_404_unknown_paths(account, path):
    problem(account.get(path), 404)


@pytest.mark.parametrize("path", ["/documents/../auth/me", "/./auth/me", "/auth/me?", "/auth%2fme"])
def test_a_path_is_taken_as_it_stands(account, stack, path):
    """No dots are resolved and no escaped slash becomes a segment: what a proxy in front has checked is what is served."""
    answer = exchange(stack.gateway, f"GET {path} HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\n\r\n")
    assert answer.status == (200 if path.endswith("?") else 404)


@pytest.mark.parametrize("method, path, allowed", [
    ("PATCH", "/documents", {"GET", "HEAD", "POST", "OPTIONS"}), ("DELETE", "/documents", {"GET", "HEAD", "POST", "OPTIONS"}),
    ("POST", "/documents/0190b6c1-0000-7000-8000-000000000000", {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}), ("GET", "/query", {"POST", "OPTIONS"}),
    ("PUT", "/auth/me", {"GET", "HEAD", "OPTIONS"}), ("TRACE", "/documents", {"GET", "HEAD", "POST", "OPTIONS"}),
    ("POST", "/health", {"GET", "HEAD", "OPTIONS"}), ("DELETE", "/livez", {"GET", "HEAD", "OPTIONS"}),
])
@pytest.mark.gateway
def test_405_says_what_is_allowed(account, method, path, allowed):
    response = account.request(method, path)
    problem(response, 405)
    assert {name.strip() for name in response.headers["Allow"].split(",")} == allowed


@pytest.mark.parametrize("path, allowed", [("/documents", {"GET", "HEAD", "POST", "OPTIONS"}), ("/query", {"POST", "OPTIONS"}),
                                           ("/auth/login", {"POST", "OPTIONS"}), ("/livez", {"GET", "HEAD", "OPTIONS"})])
def test_options_is_204_with_allow(anyone, path, allowed):
    response = anyone.request("OPTIONS", path)
    assert response.status_code == 204
    assert {name.strip() for name in response.headers["Allow"].split(",")} == allowed


def test_406_when_the_client_takes_no_json(account):
    problem(account.get("/auth/me", headers={"Accept": "application/xml"}), 406)
    problem(account.get("/auth/me", headers={"Accept": "application/json;q=0"}), 406)
    for accepted in ("application/json", "*/*", "application/*", "text/html, application/json;q=0.1", "application/json; charset=utf-8", ""):
        assert account.get("/auth/me", headers={"Accept": accepted}).status_code == 200, accepted


def test_409_email_taken(account, anyone):
    problem(anyone.register(account.email), 409)


def test_409_key_reused_with_another_body(account):
    key = new_key()
    account.create("one", "x", key=key)
    problem(account.post("/documents", {"title": "two", "content": "x"}, key=key), 409)


def test_411_a_body_without_framing(account, stack):
    answer = exchange(stack.gateway, f"POST /documents HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\n"
                                     "Content-Type: application/json\r\n\r\n")
    assert answer.status == 411
    assert answer.header("Content-Type").split(";")[0] == "application/problem+json"


def test_412(account):
    created = account.post("/documents", {"title": "t", "content": "c"})
    problem(account.delete(created.headers["Location"], headers={"If-Match": '"old"'}), 412)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data; boundary=x", "json", "",
                                          "application/jsonx"])
def test_415_what_is_no_json(account, content_type):
    problem(account.post_bytes("/documents", b'{"title":"t","content":"c"}', content_type), 415)
    assert account.listed() == []


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'])
def test_json_by_any_spelling(account, content_type):
    assert account.post_bytes("/documents", b'{"title":"t","content":"c"}', content_type).status_code == 201


def test_415_another_charset_or_encoding(account):
    """The answer says which of the two was the fault, by what would be taken (RFC 9110 15.5.16)."""
    refused = account.post_bytes("/documents", b'{"title":"t","content":"c"}', "application/json; charset=latin-1")
    problem(refused, 415)
    assert refused.headers["Accept"] == "application/json" and "Accept-Encoding" not in refused.headers
    refused = account.post_bytes("/documents", b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    problem(refused, 415)
    assert refused.headers["Accept-Encoding"] == "identity" and "Accept" not in refused.headers


def test_417_an_unknown_expectation(account):
    problem(account.get("/auth/me", headers={"Expect": "the-spanish-inquisition"}), 417)


def test_421_a_request_for_another_scheme(stack):
    assert exchange(stack.gateway, "GET ftp://quire.example/livez HTTP/1.1\r\nHost: quire.example\r\n\r\n").status == 421


@pytest.mark.destructive
def test_421_a_request_for_another_host(stack):
    gateway = stack.gateways[1]
    gateway.overrides["QUIRE_HTTP_HOSTS"] = "quire.example,127.0.0.1"
    gateway.restart()
    for host, status in [("quire.example", 200), ("QUIRE.example:8080", 200), ("other.example", 421), ("quire.example.other", 421)]:
        assert exchange(gateway, f"GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n").status == status, host


def test_422_names_the_field(account):
    errors = problem(account.post("/query", {"query": "x", "top_k": "five"}), 422)["errors"]
    assert [error["field"] for error in errors] == ["top_k"]


def test_501_a_method_that_http_does_not_know(account):
    problem(account.request("BREW", "/documents"), 501)


def test_403_is_never_someone_elses(account, other):
    theirs = other.create()["id"]
    assert account.get(f"/documents/{theirs}").status_code == 404


# X-Request-ID: on every response, good or bad.

@pytest.mark.parametrize("request_id", ["a", "x" * 128, "Az09._:-", "01a1fe71-4599-748e-b78a-290e72a70e3f"])
def test_the_callers_request_id_comes_back(account, request_id):
    for path in ("/auth/me", "/nothing", f"/documents/{unknown_id()}", "/livez"):
        assert account.get(path, headers={"X-Request-ID": request_id}).headers["X-Request-ID"] == request_id


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a b", "a/b", "ü".encode(), "<script>", "a\tb", "a,b"])
def test_a_bad_request_id_is_replaced(account, request_id):
    for path in ("/auth/me", "/nothing"):
        assert UUID7.fullmatch(account.get(path, headers={"X-Request-ID": request_id}).headers["X-Request-ID"])


def test_two_request_ids_are_none(stack):
    answer = exchange(stack.gateway, "GET /livez HTTP/1.1\r\nHost: q\r\nX-Request-ID: a\r\nX-Request-ID: b\r\n\r\n")
    assert answer.header("X-Request-ID") != "b" or answer.status == 400


@pytest.mark.gateway
def test_each_request_gets_an_id_of_its_own(anyone):
    assert len({anyone.get("/livez").headers["X-Request-ID"] for _ in range(50)}) == 50


def test_a_problem_is_json_of_exactly_its_length(stack):
    answer = exchange(stack.gateway, "GET /nothing HTTP/1.1\r\nHost: q\r\n\r\n")
    assert len(answer.body) == int(answer.header("Content-Length"))
    assert json.loads(answer.body)["status"] == 404


@pytest.mark.parametrize("text", ["\"><script>", "%0d%0aSet-Cookie:x", "%00", "{id}", "%ff%fe"])
def test_what_a_caller_wrote_does_no_harm_in_a_problem(account, text):
    response = account.get(f"/nothing/{text}")
    assert response.status_code in (400, 404)
    problem(response, response.status_code)
    assert "Set-Cookie" not in response.headers


def test_process_time_is_seconds(account):
    taken = float(account.get("/auth/me").headers["X-Process-Time"])
    assert 0 < taken < 5


@pytest.mark.gateway
def test_problems_leave_the_connection_usable(stack):
    with Api(stack.gateway.url) as api:
        for _ in range(20):
            problem(api.get("/nothing"), 404)
            assert api.get("/livez").status_code == 200
