"""Sessions: who is let in, where a token is dead, and since when."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from client import TIME, UUID7, Api, new_address, problem, unknown_id
from raw_http import exchange
from servers.waiting import wait_until


def sessions(api):
    response = api.get("/auth/sessions")
    assert response.status_code == 200
    return response.json()["items"]


def test_logged_out_is_dead_everywhere_at_once(account, stack):
    everywhere = [account.at(gateway) for gateway in stack.gateways]
    stays = account.another_session()
    assert all(api.get("/auth/me").status_code == 200 for api in everywhere)
    response = account.post("/auth/logout")
    assert response.status_code == 204 and response.content == b""
    for api in everywhere:
        for path in ("/auth/me", "/documents", f"/documents/{unknown_id()}", "/auth/sessions"):
            problem(api.get(path), 401)
        problem(api.post("/query", {"query": "x"}), 401)
        problem(api.post("/auth/logout"), 401)
    assert stays.get("/auth/me").status_code == 200


def test_sessions_are_listed(account, stack):
    elsewhere = account.another_session()
    listed = sessions(account)
    assert len(listed) == 2
    for session in listed:
        assert session.keys() == {"id", "created_at", "last_seen_at", "expires_at", "ip", "user_agent", "current"}
        assert UUID7.fullmatch(session["id"])
        assert all(TIME.fullmatch(session[field]) for field in ("created_at", "last_seen_at", "expires_at"))
        assert session["created_at"] <= session["last_seen_at"] < session["expires_at"]
        assert session["user_agent"].startswith("python-httpx")
    mine, = [session for session in listed if session["current"]]
    theirs, = [session for session in listed if not session["current"]]
    assert (mine["ip"], theirs["ip"]) == (account.address, elsewhere.address)
    current, = [session for session in sessions(elsewhere) if session["current"]]
    assert current["id"] == theirs["id"]


def test_a_session_without_user_agent_has_null(account, stack):
    body = f'{{"email": "{account.email}", "password": "{account.password}"}}'
    answer = exchange(stack.gateway, f"POST /auth/login HTTP/1.1\r\nHost: q\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    assert answer.status == 200
    assert sorted(session["user_agent"] is None for session in sessions(account)) == [False, True]


def test_one_session_is_ended_by_its_id(account):
    elsewhere = account.another_session()
    ended, = [session["id"] for session in sessions(account) if not session["current"]]
    response = account.delete(f"/auth/sessions/{ended}")
    assert response.status_code == 204 and response.content == b""
    problem(elsewhere.get("/auth/me"), 401)
    problem(account.delete(f"/auth/sessions/{ended}"), 404)
    assert [session["current"] for session in sessions(account)] == [True]


def test_ones_own_session_is_ended_by_its_id_too(account):
    mine, = sessions(account)
    assert account.delete(f"/auth/sessions/{mine['id']}").status_code == 204
    problem(account.get("/auth/me"), 401)


def test_ending_by_an_idle_id_is_404(account):
    problem(account.delete(f"/auth/sessions/{unknown_id()}"), 404)
    problem(account.delete("/auth/sessions/not-an-id"), 404)


def test_last_seen_moves(account):
    elsewhere = account.another_session()

    def seen():
        return next(session["last_seen_at"] for session in sessions(account) if not session["current"])

    first = seen()

    def moved():
        assert elsewhere.get("/auth/me").status_code == 200
        return seen() > first

    wait_until(moved, 5, "last_seen_at moves with use", every=0.2)


def test_expiry_is_the_absolute_end_and_stays(account):
    before = sessions(account)[0]["expires_at"]
    assert before == account.session["expires_at"]
    account.get("/auth/me")
    assert sessions(account)[0]["expires_at"] == before
    assert datetime.fromisoformat(before).tzinfo is not None


@pytest.fixture
def short_lived(stack):
    """Sessions that are opened from now on last so long."""
    def restart(**settings):
        stack.session_password.overrides.update({f"QUIRE_SESSION_{name.upper()}": value for name, value in settings.items()})
        stack.restart(stack.session_password)
        stack.session_password.wait_ready()
    return restart


@pytest.mark.destructive
def test_a_session_left_alone_ends_and_one_in_use_goes_on(account, short_lived, stack):
    short_lived(idle_s=3)
    used, left = account.another_session(), account.another_session()
    until = time.monotonic() + 5
    while time.monotonic() < until:
        assert used.get("/auth/me").status_code == 200
        time.sleep(0.2)
    for gateway in stack.gateways:
        for path in ("/auth/me", "/documents"):
            problem(left.at(gateway).get(path), 401)
    assert len(sessions(used)) == 2  # the account's first one, which is of the time before, is the other


@pytest.mark.destructive
def test_a_session_in_use_ends_at_its_absolute_end(account, short_lived):
    short_lived(absolute_s=4)
    opened = account.another_session()
    began = time.monotonic()

    def ended():
        status = opened.get("/auth/me").status_code
        assert status in (200, 401)
        return status == 401

    wait_until(ended, 10, "the session ends although it is in use", every=0.1)
    assert time.monotonic() - began > 2.5  # log-in and the first request may have taken a while
    problem(opened.get("/documents"), 401)
    assert account.get("/auth/me").status_code == 200


@pytest.mark.destructive
def test_an_account_has_so_many_sessions_and_the_least_used_end(account, other, short_lived, stack):
    """Else one account could fill Redis with sessions, and nobody would get an answer."""
    short_lived(live_max=4)
    first, second, third = (account.another_session() for _ in range(3))
    assert len(sessions(account)) == 4
    newest = account.another_session()
    assert [session["current"] for session in sessions(newest)].count(True) == 1 and len(sessions(newest)) == 4
    for gateway in stack.gateways:
        for path in ("/auth/me", "/documents"):
            problem(account.at(gateway).get(path), 401)  # the oldest: PostgreSQL has heard of no use of any of them yet
    assert all(api.get("/auth/me").status_code == 200 for api in (first, second, third, newest, other))
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: account.another_session(), range(6)))
    # Those that are opened at the same time don't see each other; the next one does.
    last = account.another_session()
    assert len(sessions(last)) == 4 and last.get("/auth/me").status_code == 200
    assert sum(api.get("/auth/me").status_code == 200 for api in (first, second, third, newest, *opened, last)) == 4
    [(live,)] = stack.primary.query("SELECT count(*) FROM session.sessions WHERE account_id = %s AND revoked_at IS NULL", account.id)
    assert live == 4


@pytest.mark.parametrize("authorization", [
    "Bearer", "Bearer x", "Basic dXNlcjpwYXNz", "Token abc", "", "Bearer " + "A" * 45, "Bearer " + "A" * 46, "Bearer " + "A" * 47,
    "Bearer " + "=" * 46, "Bearer " + "A" * 4000, "Bearer Bearer " + "A" * 46,
    "Bearer " + base64.b64encode(b"\xff" * 34).decode(),  # the other alphabet
])
def test_what_is_no_token_is_401(stack, authorization):
    with Api(stack.gateway.url) as api:
        problem(api.get("/auth/me", headers={"Authorization": authorization}), 401)


def test_no_authorization_is_401_on_every_route_with_a_session(anyone):
    some = unknown_id()
    for method, path in [("GET", "/auth/me"), ("POST", "/auth/logout"), ("GET", "/auth/sessions"), ("DELETE", f"/auth/sessions/{some}"),
                         ("GET", "/documents"), ("GET", f"/documents/{some}"), ("DELETE", f"/documents/{some}")]:
        problem(anyone.request(method, path), 401)
    for method, path, body in [("POST", "/documents", {"title": "t", "content": "c"}), ("PUT", f"/documents/{some}", {"title": "t", "content": "c"}),
                               ("POST", "/documents/batch", {"documents": [{"title": "t", "content": "c"}]}), ("POST", "/query", {"query": "x"})]:
        problem(anyone.request(method, path, json=body), 401)


def test_the_scheme_is_compared_without_regard_to_case(account):
    for scheme in ("bearer", "BEARER"):
        assert Api(account.url).get("/auth/me", headers={"Authorization": f"{scheme} {account.token}"}).status_code == 200


def test_two_authorizations_are_no_authorization(account, stack):
    answer = exchange(stack.gateway, f"GET /auth/me HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {account.token}\r\n"
                                     f"Authorization: Bearer {account.token}\r\n\r\n")
    assert answer.status in (400, 401)


def test_a_trusted_proxy_is_believed_about_the_client(account, stack):
    proxy = Api(stack.gateway.url, address="127.9.0.1")
    body = {"email": account.email, "password": account.password}
    assert proxy.post("/auth/login", body, headers={"X-Forwarded-For": "203.0.113.99, 198.51.100.7"}).status_code == 200
    assert "198.51.100.7" in {session["ip"] for session in sessions(account)}  # what the proxy added, not what the client claimed


def test_anybody_else_is_not_believed_about_the_client(account, stack):
    liar = Api(stack.gateway.url, address=new_address())
    assert liar.post("/auth/login", {"email": account.email, "password": account.password},
                     headers={"X-Forwarded-For": "198.51.100.7"}).status_code == 200
    assert {session["ip"] for session in sessions(account)} == {account.address, liar.address}
