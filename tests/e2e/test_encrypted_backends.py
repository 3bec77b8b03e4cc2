"""With TLS and passwords on every way to Kafka, PostgreSQL and Redis the same calls work, and nobody gets in without them."""

import contextlib
import json
import os
import secrets
import subprocess
import sys

import psycopg
import pytest
import redis
from client import Account
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from servers.authority import Authority
from servers.binary import SOURCE
from servers.kafka import topics_of
from servers.stack import Stack
from servers.waiting import wait_until

TOOLS = os.path.join(SOURCE, "compose/kafka")


@pytest.fixture(scope="module")
def encrypted(stack):
    """A stack beside the usual one, which only waits meanwhile."""
    encrypted = Stack(encrypted=True, gateways=1)
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(encrypted.stop)
        yield encrypted.start()


def test_a_conversation_over_encrypted_ways(encrypted):
    opened = wait_until(lambda: Account.open(encrypted.gateway.url), 30, "an account can be opened", every=0.2)
    with opened as account:
        document = account.post("/documents", {"title": "Lighthouse", "content": "The keeper trims the lamp at dusk."})
        assert document.status_code == 201
        assert account.get(f"/documents/{document.json()['id']}").json()["title"] == "Lighthouse"
        found = account.post("/query", {"query": "who trims the lamp?"}).json()["results"]
        assert [result["document_id"] for result in found] == [document.json()["id"]]
        wait_until(lambda: account.get("/health").json()["status"] == "healthy", 20, "each part answers in its second")
        last_seen = lambda: account.get("/auth/sessions").json()["items"][0]["last_seen_at"]  # noqa: E731
        first = last_seen()
        wait_until(lambda: last_seen() > first, 5, "last_seen_at comes from Redis, by TLS", every=0.2)
        assert account.post("/auth/logout").status_code == 204
        assert account.get("/auth/me").status_code == 401


def test_replicas_are_read_and_verified(encrypted):
    """The connections that the services hold are encrypted on the server's own word."""
    for server in (encrypted.primary, *encrypted.replicas):
        rows = server.query("SELECT a.usename, s.ssl FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE a.usename LIKE 'quire%%'")
        assert rows and all(ssl for _, ssl in rows), f"{server.name}: {rows}"
    [(followers,)] = encrypted.primary.query("SELECT count(*) FROM pg_stat_replication r JOIN pg_stat_ssl s USING (pid) WHERE s.ssl")
    assert followers == len(encrypted.replicas)


def test_nobody_gets_in_without(encrypted):
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": encrypted.kafka.brokers, "log_level": 0}).list_topics(timeout=1)
    with pytest.raises(KafkaException):
        AdminClient({**encrypted.kafka.client_settings(), "log_level": 0, "sasl.password": "wrong"}).list_topics(timeout=1)
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(encrypted.primary.conninfo("quire_session", sslmode="disable", password=encrypted.passwords["quire_session"]))
    with pytest.raises(redis.exceptions.RedisError), redis.Redis(port=encrypted.redis.port, password=encrypted.redis.password, socket_timeout=2) as plain:
        plain.ping()


def test_a_service_of_redis_name_can_only_do_its_work(encrypted):
    with encrypted.redis.connect() as connection:
        for command in (("CONFIG", "GET", "*"), ("FLUSHALL",), ("KEYS", "*"), ("ACL", "LIST")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                connection.execute_command(*command)


@pytest.mark.parametrize("setting", ["QUIRE_REDIS_CA_FILE", "QUIRE_KAFKA_CA_FILE"])
def test_a_stranger_s_certificate_is_not_believed(encrypted, setting, tmp_path):
    """A service that trusts another authority reaches nobody, says why, and is never ready."""
    stranger = Authority(os.path.join(tmp_path, "stranger"))
    query = encrypted.query
    before = query.log_size()
    query.stop()
    try:
        query.overrides = {setting: stranger.certificate}
        query.spawn()
        wait_until(lambda: any("certificate" in line and "verif" in line for line in query.log_lines('"level":"warn"', before)),
                   what="the certificate is told to be the cause")
        assert query.admin("/readyz")[0] == 503
    finally:
        query.stop()
        query.overrides = {}
        query.start()


def tool(encrypted, name, *words, **changed):
    """Runs a tool of compose/kafka with the settings that a service has."""
    environment = {**os.environ, **encrypted.kafka_settings(), **changed}
    return subprocess.run([sys.executable, os.path.join(TOOLS, name), *words], env=environment, capture_output=True, text=True, timeout=60)


def test_the_tools_get_in_as_the_services_do(encrypted, tmp_path):
    """What makes the topics, and what an operator looks at dead letters with."""
    name = f"quire.encrypted.{secrets.token_hex(4)}"
    topic = {"name": f"{name}-dlt", "partitions": 1, "config": {}}
    wanted = tmp_path / "topics.jsonl"
    wanted.write_text("".join(f"{json.dumps(each)}\n" for each in [*topics_of(os.path.join(SOURCE, "proto/generate.py")), topic]))
    made = tool(encrypted, "create_topics.py", str(wanted))
    assert made.returncode == 0 and json.loads(made.stdout)["created"] == 1, made
    wait_until(lambda: topic["name"] in encrypted.kafka.topics(), what="the topic is known")
    letter = Producer(encrypted.kafka.client_settings())
    letter.produce(topic["name"], b"unreadable", headers={"quire-dlt-reason": b"bad-payload", "x-request-id": b"by-tls"})
    assert letter.flush(20) == 0
    listed = tool(encrypted, "dead_letters.py", "list")
    assert listed.returncode == 0 and f"{name}@0" in listed.stdout and "by-tls" in listed.stdout, listed
    assert tool(encrypted, "dead_letters.py", "drop", f"{name}@0").returncode == 0
    assert "no dead letters" in tool(encrypted, "dead_letters.py", "list").stdout


@pytest.mark.parametrize("changed, named", [
    ({"QUIRE_KAFKA_USERNAME": "", "QUIRE_KAFKA_CERTIFICATE": "x", "QUIRE_KAFKA_SASL_MECHANISM": "scram"},
     {"QUIRE_KAFKA_PASSWORD", "QUIRE_KAFKA_KEY", "QUIRE_KAFKA_SASL_MECHANISM"}),
    ({"QUIRE_KAFKA_PROTOCOL": "plaintext"}, {"QUIRE_KAFKA_CA", "QUIRE_KAFKA_USERNAME"}),
    ({"QUIRE_KAFKA_PROTOCOL": "tls"}, {"QUIRE_KAFKA_PROTOCOL"}),
    ({"QUIRE_KAFKA_PASSWORD": "x"}, {"QUIRE_KAFKA_PASSWORD"}),
    ({"QUIRE_KAFKA_BROKERS": ""}, {"QUIRE_KAFKA_BROKERS"}),
    ({"QUIRE_KAFKA_CA_FILE": "/nowhere"}, {"QUIRE_KAFKA_CA"}),
])
def test_half_of_the_settings_is_refused_at_start(encrypted, changed, named):
    """All faults at once, by their names, and nothing of the password; a tool says of the settings what a service says."""
    service = subprocess.run([encrypted.query.path], env={**encrypted.query.environment(), **changed}, capture_output=True, text=True, timeout=20)
    assert service.returncode == 2
    for ended in (service, tool(encrypted, "dead_letters.py", "list", **changed)):
        assert ended.returncode != 0 and ended.stdout == ""
        assert all(name in ended.stderr for name in named), ended.stderr
        assert encrypted.kafka.password not in ended.stderr
