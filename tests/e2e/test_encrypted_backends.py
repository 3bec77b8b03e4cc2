"""With TLS and passwords on every way to Kafka, PostgreSQL and Redis the same calls work, and nobody gets in without them."""

import contextlib
import os
import subprocess

import psycopg
import pytest
import redis
from client import Account
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from servers.authority import Authority
from servers.stack import Stack
from servers.waiting import wait_until


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
        assert account.get("/health").json()["status"] == "healthy"
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


def test_half_of_the_settings_is_refused_at_start(encrypted):
    """All faults at once, by their names, and nothing of the password."""
    environment = {**encrypted.query.environment(), "QUIRE_KAFKA_USERNAME": "", "QUIRE_KAFKA_CERTIFICATE": "x", "QUIRE_KAFKA_SASL_MECHANISM": "scram"}
    ended = subprocess.run([encrypted.query.path], env=environment, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 2
    for name in ("QUIRE_KAFKA_PASSWORD", "QUIRE_KAFKA_KEY", "QUIRE_KAFKA_SASL_MECHANISM"):
        assert name in ended.stderr
    assert encrypted.kafka.password not in ended.stderr
