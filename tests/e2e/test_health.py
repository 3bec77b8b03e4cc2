"""/livez, /readyz, /health, /openapi.json, /docs."""

import os
import re
import time
from datetime import datetime, timedelta, timezone

import pytest

from servers.extension import extension_folders, extension_routes
from servers.waiting import PATIENCE, wait_until

CHECKS = {"gateway", "kafka", "session", "documents", "query", "postgres_primary", "postgres_replicas", "redis",
          *(os.path.basename(folder) for folder in extension_folders())}


def health(api):
    before = time.monotonic()
    response = api.get("/health")
    took = time.monotonic() - before
    assert took < 1.1 * PATIENCE, f"took {took:.2f} s"
    assert response.status_code in (200, 503)
    answer = response.json()
    assert {"status", "timestamp", "checks"} <= answer.keys()
    assert answer["status"] in ("healthy", "degraded", "unhealthy")
    assert abs(datetime.now(timezone.utc) - datetime.fromisoformat(answer["timestamp"])) < timedelta(seconds=10)
    assert answer["checks"].keys() == CHECKS
    for check in answer["checks"].values():
        assert check["status"] in ("healthy", "degraded", "unhealthy")
        assert {"status", "latency_ms"} <= check.keys() <= {"status", "latency_ms", "detail"}
        assert check["latency_ms"] is None or check["latency_ms"] >= 0
    assert (response.status_code == 503) == (answer["status"] == "unhealthy")
    assert not re.search(r"127\.0\.0\.1|password|SQLSTATE|\.c:", response.text)
    return answer


@pytest.mark.gateway
def test_all_is_well(stack, anyone):
    for gateway in stack.gateways:
        answer = wait_until(lambda gateway=gateway: (found := health(anyone.at(gateway)))["status"] == "healthy" and found, 10, "healthy")
        assert {check["status"] for check in answer["checks"].values()} == {"healthy"}


def test_livez_and_readyz(stack, anyone):
    for gateway in stack.gateways:
        assert anyone.at(gateway).get("/livez").status_code == 200
        assert anyone.at(gateway).get("/readyz").status_code == 200


@pytest.mark.destructive
@pytest.mark.parametrize("how", ["pause", "kill"])
@pytest.mark.parametrize("victim, check", [("redis", "redis"), ("primary", "postgres_primary"), ("documents", "documents"), ("query", "query"), ("session", "session")])
def test_what_is_broken_is_said_within_a_second(stack, anyone, victim, check, how):
    getattr(getattr(stack, victim), how)()

    def told():
        answer = health(anyone)
        return answer["checks"][check]["status"] != "healthy" and answer["status"] != "healthy"

    wait_until(told, 6, f"{check} is not healthy")
    for _ in range(3):
        assert told()
    assert anyone.get("/livez").status_code == 200


@pytest.mark.destructive
def test_one_replica_of_two_is_degraded_and_still_200(stack, anyone):
    stack.replicas[0].kill()
    answer = wait_until(lambda: (found := health(anyone))["checks"]["postgres_replicas"]["status"] != "healthy" and found, 6, "a replica is missed")
    assert answer["status"] == "degraded"


@pytest.mark.gateway
@pytest.mark.destructive
@pytest.mark.parametrize("how", ["pause", "kill"])
def test_without_kafka_it_is_unhealthy_and_not_ready(stack, anyone, how):
    getattr(stack.kafka, how)()
    wait_until(lambda: anyone.get("/readyz").status_code == 503, 10, "not ready without Kafka")
    answer = wait_until(lambda: (found := health(anyone))["status"] == "unhealthy" and found, 6, "unhealthy")
    assert answer["checks"]["kafka"]["status"] == "unhealthy"
    assert anyone.get("/livez").status_code == 200
    if how == "pause":
        stack.kafka.resume()
    else:
        stack.kafka.start()
    wait_until(lambda: anyone.get("/readyz").status_code == 200, 20, "ready again")


def test_openapi_says_what_is_there(anyone):
    response = anyone.get("/openapi.json")
    assert response.status_code == 200 and response.headers["Content-Type"].split(";")[0] == "application/json"
    document = response.json()
    assert document["openapi"].startswith("3.1") and document["info"]["title"] and document["info"]["version"]
    routes = {(path, method) for path, methods in document["paths"].items() for method in methods if method in ("get", "post", "put", "delete", "patch")}
    expected = {("/auth/register", "post"), ("/auth/login", "post"), ("/auth/me", "get"), ("/auth/logout", "post"), ("/auth/password", "post"), ("/auth/sessions", "get"),
                ("/auth/sessions/{id}", "delete"), ("/documents", "post"), ("/documents/batch", "post"), ("/documents", "get"), ("/documents/{id}", "get"),
                ("/documents/{id}", "put"), ("/documents/{id}", "delete"), ("/query", "post")}
    operations = {("/livez", "get"), ("/readyz", "get"), ("/health", "get"), ("/openapi.json", "get"), ("/docs", "get")}
    assert expected <= routes <= expected | operations | extension_routes()

    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in references(document):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]


def test_openapi_agrees_with_the_answers(account, anyone):
    document = anyone.get("/openapi.json").json()

    def resolved(schema):
        while "$ref" in schema:
            node = document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            schema = node
        return schema

    for path, method, status, answer in [("/auth/me", "get", "200", account.get("/auth/me").json()), ("/documents", "post", "201", account.create()),
                                         ("/documents", "get", "200", account.get("/documents").json())]:
        schema = resolved(document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"])
        assert answer.keys() <= schema["properties"].keys()
        assert set(schema.get("required", [])) <= answer.keys()


def test_docs_need_nothing_from_outside(anyone):
    response = anyone.get("/docs")
    assert response.status_code == 200 and response.headers["Content-Type"].startswith("text/html")
    assert not re.search(r"""(src|href|action)\s*=\s*["']?(https?:)?//|@import|url\(\s*["']?(https?:)?//""", response.text)
    assert "openapi.json" in response.text
