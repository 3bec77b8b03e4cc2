"""Opening an account, logging in, changing the password."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from client import PASSWORD, TIME, UUID7, Api, faults, new_email, problem, unknown_id


def moment(text):
    assert TIME.fullmatch(text), text
    return datetime.fromisoformat(text)


def test_register_answers_with_the_account(anyone):
    email = new_email()
    response = anyone.register(email)
    assert response.status_code == 201
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    account = response.json()
    assert account.keys() == {"id", "email", "created_at"}
    assert UUID7.fullmatch(account["id"]) and account["email"] == email
    assert abs(datetime.now(timezone.utc) - moment(account["created_at"])) < timedelta(seconds=30)


def test_an_email_is_taken_in_any_case(anyone):
    email = new_email()
    written = email.capitalize().replace("example", "Example")
    assert anyone.register(written).json()["email"] == written  # answered as registered
    problem(anyone.register(written), 409)
    problem(anyone.register(email.upper()), 409)
    logged_in = anyone.log_in(email.upper())
    assert logged_in.status_code == 200 and logged_in.json()["user"]["email"] == written


@pytest.mark.gateway
def test_of_many_registrations_at_once_one_wins(stack, anyone):
    email = new_email()

    def register(number):
        with Api(stack.gateways[number % 2].url) as api:
            return api.register(email, f"{PASSWORD} {number}").status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(register, range(6)))
    assert statuses == [201] + [409] * 5


@pytest.mark.parametrize("email", ["", "nobody", "@example.com", "a@", "a b@example.com", "a@b@example.com", "a" * 250 + "@b.de", "a@exa\nmple.com"])
def test_what_is_no_email_is_named(anyone, email):
    assert faults(anyone.register(email)) == ["email"]


@pytest.mark.parametrize("password, accepted", [("p" * 7, False), ("p" * 8, True), ("é" * 4, True), ("p" * 1024, True), ("p" * 1025, False),
                                                ("é" * 513, False)])
def test_a_password_has_8_to_1024_bytes(anyone, password, accepted):
    email = new_email()
    response = anyone.register(email, password)
    if accepted:
        assert response.status_code == 201
        assert anyone.log_in(email, password).status_code == 200
    else:
        assert faults(response) == ["password"]
        problem(anyone.log_in(email, PASSWORD), 401)


def test_every_fault_of_a_registration_is_told(anyone):
    assert sorted(faults(anyone.post("/auth/register", {"email": 7, "pass": "x"}))) == ["email", "pass", "password"]
    assert sorted(faults(anyone.post("/auth/register", {}))) == ["email", "password"]


@pytest.mark.gateway
def test_log_in_answers_with_a_token(stack, anyone):
    email = new_email()
    user = anyone.register(email).json()
    response = anyone.log_in(email)
    assert response.status_code == 200
    session = response.json()
    assert session.keys() == {"token", "token_type", "expires_at", "user"}
    assert session["token_type"] == "Bearer" and len(session["token"]) == 46
    assert session["user"] == user
    left = moment(session["expires_at"]) - datetime.now(timezone.utc)
    assert timedelta(days=29, hours=23) < left < timedelta(days=30, minutes=5)
    for gateway in stack.gateways:
        me = Api(gateway.url, session["token"]).get("/auth/me")
        assert me.status_code == 200 and me.json() == user


def test_a_repeated_log_in_is_a_new_session_whatever_its_key(account):
    first = account.post("/auth/login", {"email": account.email, "password": account.password}, key="same")
    second = account.post("/auth/login", {"email": account.email, "password": account.password}, key="same")
    assert first.status_code == second.status_code == 200
    assert first.json()["token"] != second.json()["token"]


def test_registering_again_with_the_same_key_is_a_conflict(anyone):
    email = new_email()
    assert anyone.post("/auth/register", {"email": email, "password": PASSWORD}, key="same").status_code == 201
    problem(anyone.post("/auth/register", {"email": email, "password": PASSWORD}, key="same"), 409)


def test_unknown_email_and_wrong_password_look_the_same(account, anyone):
    def refusal(email):
        before = time.monotonic()
        members = problem(anyone.log_in(email, "not the password"), 401)
        took = time.monotonic() - before
        del members["instance"]
        return members, took

    wrong, unknown = [], []
    for _ in range(4):  # in turns, so that a busy moment hits both
        wrong.append(refusal(account.email))
        unknown.append(refusal(new_email()))
    assert all(members == wrong[0][0] for members, _ in wrong + unknown)
    wrong_s, unknown_s = (statistics.median(took for _, took in times) for times in (wrong, unknown))
    # Without the work of a hash an unknown e-mail would be ten times quicker.
    assert 1 / 2.5 < wrong_s / unknown_s < 2.5, (wrong_s, unknown_s)


def test_me_is_the_account_of_the_token(account):
    response = account.get("/auth/me")
    assert response.status_code == 200
    assert response.json() == account.session["user"]


@pytest.mark.gateway
def test_a_new_password_ends_every_other_session(account, anyone):
    elsewhere, third = account.another_session(), account.another_session()
    response = account.post("/auth/password", {"current_password": account.password, "new_password": "another password"})
    assert response.status_code == 204 and response.content == b""
    assert account.get("/auth/me").status_code == 200
    problem(elsewhere.get("/auth/me"), 401)
    problem(third.get("/documents"), 401)
    problem(anyone.log_in(account.email, account.password), 401)
    assert anyone.log_in(account.email, "another password").status_code == 200


def test_a_wrong_current_password_changes_nothing(account, anyone):
    elsewhere = account.another_session()
    problem(account.post("/auth/password", {"current_password": "a wrong one", "new_password": "another password"}), 403)
    assert elsewhere.get("/auth/me").status_code == 200
    assert account.get("/auth/me").status_code == 200
    problem(anyone.log_in(account.email, "another password"), 401)
    assert anyone.log_in(account.email, account.password).status_code == 200


def test_a_new_password_must_be_one(account):
    assert faults(account.post("/auth/password", {"current_password": account.password, "new_password": "short"})) == ["new_password"]
    assert faults(account.post("/auth/password", {"new_password": "long enough"})) == ["current_password"]
    assert account.another_session()


def test_password_change_needs_a_session(anyone):
    problem(anyone.post("/auth/password", {"current_password": "x", "new_password": "long enough"}), 401)


def test_a_token_of_the_same_account_that_was_never_given_is_refused(account, stack):
    forged = account.token[:3] + ("A" if account.token[3] != "A" else "B") + account.token[4:]
    problem(Api(stack.gateway.url, forged).get("/auth/me"), 401)
    problem(account.delete(f"/auth/sessions/{unknown_id()}"), 404)
