"""What a newcomer does in the first ten minutes: import, ask, curl, follow one request through the logs."""

import json
import os
import re
import secrets
import socket
import ssl
from datetime import datetime

import httpx
import pytest

from conftest import ROOT, wait_until


def test_import_then_ask_finds_the_passage(stack):
    said = stack.quire("import", "docs", "README.md")
    added = int(re.search(r"(\d+) added", said).group(1))
    assert added >= 3, said
    again = stack.quire("import", "docs", "README.md")
    assert "0 added" in again and f"{added} unchanged" in again, again

    answer = json.loads(stack.quire("ask", "--json", "which process keeps what replicas have replayed, the watermark?"))
    assert any("watermark" in result["text"].lower() for result in answer["results"]), answer


def test_a_request_is_found_in_proxy_gateway_and_service(stack, account):
    request_id = "smoke-trace-0001"
    answer = account.send("POST", "/query", json={"query": "anything"}, headers={"X-Request-ID": request_id})
    assert answer.status_code == 200 and answer.headers["x-request-id"] == request_id

    def services():
        lines = [json.loads(line) for line in stack.quire("logs", "--request", request_id).splitlines()]
        found = {line["service"] for line in lines}
        return found if {"proxy", "gateway", "query"} <= found else None

    wait_until("the request stands in the logs of proxy, gateway and query", services)


def test_health_names_every_part(stack, account):
    answer = account.send("GET", "/health")
    assert answer.status_code == 200, answer.text
    checks = answer.json()["checks"]
    assert set(checks) >= {"gateway", "kafka", "session", "documents", "query", "stats", "tags", "postgres_primary", "postgres_replicas", "redis"}
    assert all(check["status"] == "healthy" for check in checks.values()), checks


def test_prometheus_scrapes_every_part(stack):
    def all_up():
        answer = json.loads(stack.exec("prometheus", "curl", "-s", "http://127.0.0.1:9090/api/v1/targets").stdout)
        targets = answer["data"]["activeTargets"]
        jobs = {target["labels"]["job"] for target in targets}
        services = {target["labels"].get("service") for target in targets}
        wanted = {"gateway", "session", "session-password", "documents", "query", "stats", "tags"}
        return jobs >= {"quire", "proxy", "kafka", "postgres", "redis"} and services >= wanted and all(target["health"] == "up" for target in targets)

    wait_until("every target is up", all_up, timeout_s=60, every_s=1)


def test_status_lists_the_parts_as_healthy(stack):
    said = stack.quire("status")
    for part in ("proxy", "gateway", "session", "documents", "query", "kafka", "primary", "replica-1", "replica-2", "redis", "prometheus"):
        assert re.search(rf"{part}.*healthy", said), said


def test_a_part_that_is_well_is_asked_seldom(stack):
    """Each check starts a process in its container, and there are two dozen of them."""
    container = stack.containers("prometheus")[0]

    def pause_s():
        checks = json.loads(stack.inspect(container, "{{json .State.Health.Log}}"))
        starts = [datetime.fromisoformat(check["Start"]) for check in checks if check["ExitCode"] == 0]
        return len(starts) > 1 and (starts[-1] - starts[-2]).total_seconds()

    wait_until("twelve seconds are between two good checks", lambda: pause_s() >= 12, timeout_s=60, every_s=1)


def test_what_is_not_http_is_refused_and_harms_nobody(stack):
    host, port = stack.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))  # to its end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert httpx.get(f"{stack.url}/livez", timeout=10, trust_env=False).status_code == 200


def test_no_gateway_is_a_503_that_says_nothing_was_sent(stack):
    stack.compose("stop", "gateway")
    try:
        answer = httpx.get(f"{stack.url}/auth/me", headers={"X-Request-ID": "smoke-503"}, timeout=10, trust_env=False)
    finally:
        stack.compose("up", "-d", "--no-build", "--no-recreate", "--wait", "gateway")
        wait_until("the proxy has found them", lambda: httpx.get(f"{stack.url}/livez", timeout=10, trust_env=False).status_code == 200)
    assert answer.status_code == 503 and answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["instance"] == "smoke-503" and int(answer.headers["retry-after"]) >= 1


def test_https_with_the_certificate_that_up_made(stack, account):
    """Only that certificate is believed, and the port of HTTPS speaks nothing else."""
    port, certificate = os.environ["QUIRE_HTTPS_PORT"], str(ROOT / "compose/secrets/tls_certificate")
    believed = ssl.create_default_context(cafile=certificate)
    answer = httpx.get(f"https://localhost:{port}/health", verify=believed, trust_env=False)
    assert answer.status_code == 200 and answer.json()["status"] == "healthy", answer.text
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"https://localhost:{port}/livez", trust_env=False)
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://localhost:{port}/livez", trust_env=False)

    session = {"QUIRE_URL": f"https://localhost:{port}", "QUIRE_TOKEN": account.http.headers["Authorization"].removeprefix("Bearer ")}
    assert json.loads(stack.quire("ask", "--json", "anything", **session, QUIRE_CA_FILE=certificate))["results"] == []
    with pytest.raises(AssertionError, match="CERTIFICATE_VERIFY_FAILED"):
        stack.quire("ask", "anything", **session)


def test_a_request_is_traced_through_proxy_gateway_and_the_server_that_answered_its_sql(stack, account):
    request_id = f"smoke-trace-{secrets.token_hex(6)}"
    answer = account.send("POST", "/query", json={"query": "anything"}, headers={"X-Request-ID": request_id})
    assert answer.status_code == 200

    def traced():
        said = stack.quire("trace", "--json", request_id, check=False)
        request, = json.loads(said) if said else [None]
        hops = {hop["name"]: hop for hop in request["hops"]} if request else {}
        return hops if {"proxy", "gateway", "topic", "consumer", "handler, SQL", "reply", "answer"} <= set(hops) else None

    hops = wait_until("proxy, gateway and query have their lines", traced)
    assert hops["proxy"]["where"] == "proxy-1" and re.fullmatch(r"gateway-\d", hops["gateway"]["where"]) and re.fullmatch(r"query-\d", hops["consumer"]["where"])
    assert hops["topic"]["note"].startswith("quire.query[") and re.match(r"(replica-[12]|primary): own ", hops["handler, SQL"]["note"])
    # One machine's clock: each part of the way lies within the one around it.
    assert hops["proxy"]["from_ms"] == 0 <= hops["gateway"]["from_ms"] <= hops["topic"]["from_ms"] <= hops["consumer"]["from_ms"]
    assert hops["consumer"]["ms"] < hops["gateway"]["ms"] < hops["proxy"]["ms"] + 1
    assert request_id in stack.quire("trace", request_id) and request_id in stack.quire("trace", "--slow", "--since", "1m", "--top", "1000")


def test_a_trace_id_finds_its_requests_and_an_unknown_id_is_told(stack, account):
    request_id, trace_id = f"smoke-trace-{secrets.token_hex(6)}", secrets.token_hex(16)
    account.send("GET", "/auth/me", headers={"X-Request-ID": request_id, "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"})
    wait_until("the trace id finds the request", lambda: request_id in stack.quire("trace", trace_id, check=False))
    assert stack.quire("trace", "nobody-asked-this", check=False) == ""
