"""The process' settings, named as in the C services. A secret may come from the file that <NAME>_FILE names."""

import os
import socket
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    kafka: dict[str, str]    # librdkafka's properties of how the brokers are reached
    postgres: str
    postgres_password: str | None
    redis: dict              # redis-py's arguments of how Redis is reached
    admin_address: str
    admin_port: int
    instance: str
    log_level: str
    log_request_sample: int
    limits: bool
    account_rate: int        # requests a second
    account_burst: int
    account_concurrent: int


def _secret(name: str) -> str | None:
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name) or None
    with open(path, encoding="utf-8") as file:
        return file.read().strip() or None


def _given(properties: dict) -> dict:
    return {name: value for name, value in properties.items() if value}


def _kafka() -> dict[str, str]:
    environment = os.environ.get
    protocol = environment("QUIRE_KAFKA_PROTOCOL", "plaintext")
    return {"bootstrap.servers": os.environ["QUIRE_KAFKA_BROKERS"], "security.protocol": protocol, **_given({
        "ssl.ca.pem": _secret("QUIRE_KAFKA_CA"), "ssl.certificate.pem": _secret("QUIRE_KAFKA_CERTIFICATE"), "ssl.key.pem": _secret("QUIRE_KAFKA_KEY"),
        "sasl.mechanism": environment("QUIRE_KAFKA_SASL_MECHANISM", "SCRAM-SHA-512") if protocol.startswith("sasl") else "",
        "sasl.username": environment("QUIRE_KAFKA_USERNAME"), "sasl.password": _secret("QUIRE_KAFKA_PASSWORD")})}


def _redis() -> dict:
    host, _, port = os.environ["QUIRE_REDIS"].rpartition(":")
    return {"host": host, "port": int(port), "ssl": os.environ.get("QUIRE_REDIS_TLS") == "on",
            **_given({"username": os.environ.get("QUIRE_REDIS_USERNAME"), "password": _secret("QUIRE_REDIS_PASSWORD"), "ssl_ca_data": _secret("QUIRE_REDIS_CA")})}


def load() -> Settings:
    """Ends the process, naming every setting that is missing."""
    missing = [name for name in ("QUIRE_KAFKA_BROKERS", "QUIRE_POSTGRES_PRIMARY", "QUIRE_REDIS") if not os.environ.get(name)]
    if missing:
        sys.exit(f"these settings are needed: {', '.join(missing)}")

    def number(name: str, fallback: int) -> int:
        text = os.environ.get(name, str(fallback))
        return int(text) if text.isascii() and text.isdigit() else sys.exit(f"{name} must be a whole number, not {text!r}")

    return Settings(
        kafka=_kafka(),
        postgres=os.environ["QUIRE_POSTGRES_PRIMARY"],
        postgres_password=_secret("QUIRE_POSTGRES_PASSWORD"),
        redis=_redis(),
        admin_address=os.environ.get("QUIRE_ADMIN_ADDRESS", "127.0.0.1"),
        admin_port=number("QUIRE_ADMIN_PORT", 0),
        instance=os.environ.get("QUIRE_INSTANCE") or socket.gethostname(),
        log_level=os.environ.get("QUIRE_LOG_LEVEL", "info"),
        log_request_sample=number("QUIRE_LOG_REQUEST_SAMPLE", 1),
        limits=os.environ.get("QUIRE_LIMITS", "on") != "off",
        account_rate=number("QUIRE_LIMIT_ACCOUNT_RATE", 200),
        account_burst=number("QUIRE_LIMIT_ACCOUNT_BURST", 400),
        account_concurrent=number("QUIRE_LIMIT_ACCOUNT_CONCURRENT", 32),
    )
