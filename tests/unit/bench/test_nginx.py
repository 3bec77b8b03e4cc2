"""The reverse proxy's upstream answers with the very bytes that the gateway answered with, whatever stands in them."""

import httpx
import nginx
import pytest

BODY = '{"id":"019c","note":"it\'s a \\\\ \\"word\\""}'


@pytest.fixture
def forwarding(tmp_path):
    answer = httpx.Response(200, text=BODY, headers={"X-Request-ID": "abc;def", "X-Process-Time": "0.001", "Content-Type": "application/json"})
    with nginx.Forwarding(str(tmp_path), answer) as running:
        yield running


@pytest.mark.parametrize("kind", [nginx.Forwarding.LOGGED, nginx.Forwarding.SILENT])
def test_the_answer_comes_through_as_it_was(forwarding, kind):
    response = httpx.get(f"http://127.0.0.1:{forwarding.ports[kind]}/auth/me")
    assert (response.status_code, response.text) == (200, BODY)
    assert (response.headers["X-Request-ID"], response.headers["X-Process-Time"]) == ("abc;def", "0.001")


def test_only_one_of_the_two_logs(forwarding, tmp_path):
    before = (tmp_path / "access.log").read_text()
    httpx.get(f"http://127.0.0.1:{forwarding.ports[nginx.Forwarding.SILENT]}/silent")
    httpx.get(f"http://127.0.0.1:{forwarding.ports[nginx.Forwarding.LOGGED]}/logged")
    told = (tmp_path / "access.log").read_text()[len(before):]
    assert "/logged" in told and "/silent" not in told
