"""Apache Kafka, one KRaft node that is broker and controller."""

import json
import os
import re
import secrets
import subprocess
import sys

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from .ports import free_port
from .server import Server

_COMPOSE = os.path.join(os.path.dirname(__file__), "../../../compose/kafka")
_KAFKA = "/opt/kafka"
_JVM = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-XX:SharedArchiveFile={_KAFKA}/classes.jsa"]
_LOG4J = """
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


def _deployed_jvm():
    """The virtual machine's own options of the deployed broker: the tests' start sooner and run slower."""
    with open(os.path.join(_COMPOSE, "entrypoint.sh")) as file:
        return re.findall(r"-X\S+", file.read().partition("exec java")[2])


class Kafka(Server):
    def __init__(self, folder, authority=None, as_deployed=False):
        """With an authority only TLS and a name proved by SCRAM get in."""
        super().__init__("kafka", folder)
        self.authority = authority
        self._jvm = _deployed_jvm() if as_deployed else _JVM
        self.username, self.password = "quire", secrets.token_hex(16)
        self.port = free_port()
        self.controller_port = free_port()
        self.brokers = f"127.0.0.1:{self.port}"
        self._properties = os.path.join(folder, "server.properties")
        self._log4j = os.path.join(folder, "log4j2.properties")
        with open(self._log4j, "w") as file:
            file.write(_LOG4J)
        with open(self._properties, "w") as file:
            for name, value in self._settings().items():
                file.write(f"{name}={value}\n")
        self._formatted = False

    def _settings(self):
        """As compose/ deploys it, but for addresses, folders and what only a small machine asks for."""
        settings = {}
        with open(os.path.join(_COMPOSE, "server.properties")) as file:
            for line in file:
                if "=" in line and not line.startswith("#"):
                    name, _, value = line.strip().partition("=")
                    settings[name] = value
        settings.update({
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "log.dirs": os.path.join(self.folder, "logs"),
            # A killed broker may register again as soon as its session has lapsed.
            "broker.session.timeout.ms": 2000,
            "broker.heartbeat.interval.ms": 500,
            "log.index.size.max.bytes": 1024 * 1024,
        })
        if self.authority is not None:
            settings.update(self._encryption())
        return settings

    def _encryption(self):
        certificate, key = self.authority.issue("kafka")
        both = os.path.join(self.folder, "kafka.pem")
        with open(both, "w") as file:
            for path in (key, certificate):
                with open(path) as part:
                    file.write(part.read())
        login = f'org.apache.kafka.common.security.scram.ScramLoginModule required username="{self.username}" password="{self.password}";'
        return {
            "listeners": f"SASL_SSL://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"SASL_SSL://127.0.0.1:{self.port}",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "SASL_SSL",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": login,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": both,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.authority.certificate,
        }

    def client_settings(self):
        """What a client of librdkafka needs to get in."""
        settings = {"bootstrap.servers": self.brokers, "log_level": 2}
        if self.authority is not None:
            settings.update({"security.protocol": "sasl_ssl", "ssl.ca.location": self.authority.certificate, "sasl.mechanisms": "SCRAM-SHA-512",
                             "sasl.username": self.username, "sasl.password": self.password})
        return settings

    def _java(self, main, *arguments):
        return ["java", *self._jvm, f"-Dlog4j2.configurationFile={self._log4j}", f"@{_KAFKA}/classpath", main, *arguments]

    def prepare(self):
        if self._formatted:
            return
        with open(self.log_path, "ab") as log:
            subprocess.run(self._java("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAQQCqqqqqqqqqqg", "-c",
                                      self._properties, *self._users()), check=True, stdout=log, stderr=log)
        self._formatted = True

    def _users(self):
        return [] if self.authority is None else ["--add-scram", f"SCRAM-SHA-512=[name={self.username},password={self.password}]"]

    def command(self):
        return self._java("kafka.Kafka", self._properties)

    def admin(self):
        return AdminClient(self.client_settings())

    def ready(self):
        return bool(self.admin().list_topics(timeout=1).brokers)

    def create_topics(self, topics):
        """`topics`: dicts with name, partitions, config. One that exists is left as it is."""
        new = [NewTopic(topic["name"], num_partitions=topic["partitions"], replication_factor=1,
                        config={name: str(value) for name, value in topic["config"].items()}) for topic in topics]
        if not new:
            return
        admin = self.admin()  # kept: the futures fail when it is collected
        for name, future in admin.create_topics(new, operation_timeout=30).items():
            try:
                future.result(30)
            except KafkaException as error:
                if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                    raise RuntimeError(f"topic {name}: {error}") from error

    def topics(self):
        """Names of all topics but Kafka's own."""
        return sorted(name for name in self.admin().list_topics(timeout=10).topics if not name.startswith("__"))


def topics_of(proto_generate, *arguments):
    """The topics that the contract asks for: proto/generate.py --topics, one JSON object a line."""
    lines = subprocess.run([sys.executable, "-B", proto_generate, "--topics", *arguments], check=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in lines.splitlines() if line.strip()]
