"""Whose session is kept."""

import httpx
import pytest

from cli import client, login

ADDRESS = "http://quire"


@pytest.fixture
def goes_on(tmp_path, monkeypatch):
    """What the demo log-in makes of an answer about the session that Ada left; the fixture ends with hers still kept."""
    monkeypatch.setenv("QUIRE_SESSION_FILE", str(tmp_path / "session"))
    client.keep_session(ADDRESS, "token", "ada@example.org")

    def asked(status):
        return login.goes_on(httpx.Client(base_url=ADDRESS, transport=httpx.MockTransport(lambda request: httpx.Response(status, json={"title": "words"}))), ADDRESS)

    yield asked
    assert client.kept_session(ADDRESS)["email"] == "ada@example.org"


def test_the_demo_account_takes_the_place_of_nobody_who_is_logged_in(goes_on):
    assert goes_on(200) and not goes_on(401)


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_who_can_not_be_asked_about_may_be_logged_in(goes_on, status, capsys):
    """Else a server that is busy for a moment costs somebody their session."""
    with pytest.raises(SystemExit) as ended:
        goes_on(status)
    assert ended.value.code == 1 and f"{status}: words" in capsys.readouterr().err
