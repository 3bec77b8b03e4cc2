"""Everything that Quire is, as real processes on loopback."""

import os
import secrets
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor

from nacl.public import PrivateKey

from .authority import Authority
from .binary import SOURCE
from .extension import Extension, extension_folders
from .gateway import Gateway
from .kafka import Kafka, topics_of
from .postgres import Primary, Replica
from .redis import Redis
from .service import Service
from .waiting import wait_until

# Clients that connect from here are believed about X-Forwarded-For.
TRUSTED_PROXIES = "127.9.0.0/16"
PROXY_ADDRESS = "127.9.0.1"
_ROLES = ("quire_owner", "quire_session", "quire_documents", "quire_query", *(f"quire_{os.path.basename(folder)}" for folder in extension_folders()))


class Stack:
    """`start()` brings all up; the parts are attributes, and `servers` lists them in the order in which they start."""

    def __init__(self, folder=None, settings=None, gateways=2, encrypted=False, as_deployed=False):
        """`encrypted`: every way to Kafka, PostgreSQL and Redis is TLS, and each asks for a name and a password. `as_deployed`: durable and sized as
        compose/ has it, and without the examples, for measuring; the tests' own servers start sooner and flush nothing."""
        self._own_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="quire-e2e-")
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o755)  # the account of PostgreSQL passes through
        self.settings = settings or {}
        self.extension_folders = [folder for folder in extension_folders() if not as_deployed or folder.startswith("extensions/")]
        self.authority = Authority(os.path.join(self.folder, "authority")) if encrypted else None
        self._make_secrets()
        self._make_infrastructure(as_deployed)
        self._make_services(gateways)
        self.marks = {}
        self.canary = None  # called until it is true whenever something was mended

    def _make_secrets(self):
        self.secrets = os.path.join(self.folder, "secrets")
        os.makedirs(self.secrets, exist_ok=True)
        self.passwords = {role: secrets.token_hex(16) for role in (*_ROLES, "postgres", "redis")}
        for role, password in self.passwords.items():
            self._secret(f"{role}.password", password)
        self._secret("owner.pgpass", f"127.0.0.1:*:*:quire_owner:{self.passwords['quire_owner']}\n")
        self.seal_keys = []
        self.add_seal_key()

    def add_seal_key(self):
        """Puts a new sealing key before the ones there are; processes read the files at their next start."""
        key = PrivateKey.generate()
        self.seal_keys.insert(0, (len(self.seal_keys) + 1, bytes(key.public_key).hex(), bytes(key).hex()))
        del self.seal_keys[2:]
        self._secret("seal.public", "".join(f"{number} {public}\n" for number, public, _ in self.seal_keys))
        self._secret("seal.secret", "".join(f"{number} {public} {secret}\n" for number, public, secret in self.seal_keys))

    def _secret(self, name, text):
        path = os.path.join(self.secrets, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o600)

    def secret_path(self, name):
        return os.path.join(self.secrets, name)

    def _make_infrastructure(self, as_deployed):
        part = lambda name: os.path.join(self.folder, name)  # noqa: E731
        self.kafka = Kafka(part("kafka"), self.authority, as_deployed)
        self.primary = Primary(part("primary"), self.passwords["postgres"], {role: self.passwords[role] for role in _ROLES}, self.authority,
                               as_deployed)
        self.replicas = [Replica(f"replica-{number}", part(f"replica-{number}"), self.primary) for number in (1, 2)]
        self.redis = Redis(part("redis"), self.passwords["redis"], self.authority)
        self.infrastructure = [self.kafka, self.primary, *self.replicas, self.redis]

    def kafka_settings(self):
        if self.authority is None:
            return {"QUIRE_KAFKA_BROKERS": self.kafka.brokers}
        self._secret("kafka.password", self.kafka.password)
        return {"QUIRE_KAFKA_BROKERS": self.kafka.brokers, "QUIRE_KAFKA_PROTOCOL": "sasl_ssl", "QUIRE_KAFKA_CA_FILE": self.authority.certificate,
                "QUIRE_KAFKA_USERNAME": self.kafka.username, "QUIRE_KAFKA_PASSWORD_FILE": self.secret_path("kafka.password")}

    def service_settings(self, role):
        """The settings of a topic consumer that is `role` to PostgreSQL."""
        return {
            **self.kafka_settings(),
            "QUIRE_POSTGRES_PRIMARY": self.primary.conninfo(role),
            "QUIRE_POSTGRES_REPLICAS": ";".join(replica.conninfo(role) for replica in self.replicas),
            "QUIRE_POSTGRES_PASSWORD_FILE": self.secret_path(f"{role}.password"),
            "QUIRE_REDIS": self.redis.address,
            "QUIRE_REDIS_PASSWORD_FILE": self.secret_path("redis.password"),
            **({} if self.authority is None else {"QUIRE_REDIS_TLS": "on", "QUIRE_REDIS_CA_FILE": self.authority.certificate,
                                                  "QUIRE_REDIS_USERNAME": self.redis.username}),
            **({"QUIRE_SEAL_KEYS_FILE": self.secret_path("seal.secret")} if role == "quire_session" else {}),
            **self.settings,
        }

    def migrate_settings(self):
        owner = self.primary.conninfo("quire_owner", passfile=self.secret_path("owner.pgpass"))
        return {"QUIRE_POSTGRES_MIGRATE": owner, "QUIRE_POSTGRES_PASSWORD_FILE": self.secret_path("quire_owner.password")}

    def gateway_settings(self):
        return {**self.kafka_settings(), "QUIRE_SEAL_KEYS_FILE": self.secret_path("seal.public"),
                "QUIRE_TRUSTED_PROXIES": TRUSTED_PROXIES, "QUIRE_GATEWAY_DRAIN_MS": "500",
                # A broker that starts takes long on a busy machine, and nobody starts a gateway again here.
                "QUIRE_GATEWAY_STUCK_MS": "120000", **self.settings}

    def _service(self, name, room, **settings):
        return Service(name, os.path.join(self.folder, name), room,
                       {**self.service_settings(f"quire_{room}"), **settings}, self.migrate_settings())

    def _extension(self, source):
        name = os.path.basename(source)
        return Extension(source, os.path.join(self.folder, name), self.service_settings(f"quire_{name}"), self.migrate_settings())

    def _make_services(self, gateways):
        self.session = self._service("session", "session", QUIRE_LANES="session")
        self.session_password = self._service("session-password", "session", QUIRE_LANES="password")
        self.documents = self._service("documents", "documents")
        self.query = self._service("query", "query")
        self.services = [self.session, self.session_password, self.documents, self.query]
        self.extensions = {os.path.basename(source): self._extension(source) for source in self.extension_folders}
        self.gateways = [Gateway(f"gateway-{number}", os.path.join(self.folder, f"gateway-{number}"), self.gateway_settings())
                         for number in range(1, gateways + 1)]
        self.gateway = self.gateways[0]
        self.ours = [*self.services, *self.extensions.values(), *self.gateways]

    @property
    def servers(self):
        return [*self.infrastructure, *self.ours]

    def add(self, server):
        """Watches and heals one more server, that a test has made, until remove()."""
        self.infrastructure.append(server)
        self.marks[server] = server.log_size()

    def remove(self, server):
        self.infrastructure.remove(server)

    # Up and down.

    def start(self):
        self.start_infrastructure()
        self.migrate()
        self.start_ours()
        return self

    def start_infrastructure(self):
        def database():
            self.primary.start()
            self.primary.create_database()
            _all(lambda replica: replica.start(), self.replicas)

        def broker():
            self.kafka.start()
            paths = [option for folder in self.extension_folders for option in ("--proto-path", os.path.join(SOURCE, folder))]
            self.kafka.create_topics(topics_of(os.path.join(SOURCE, "proto/generate.py"), *paths))

        _all(lambda begin: begin(), [broker, database, self.redis.start])

    def migrate(self):
        def migrate(service):
            assert service.migrate() == 0, f"{service.name} migrate:\n{service.log_tail()}"

        # In this order: a later service's migrations may ask for an earlier one's tables.
        for service in (self.session, self.documents, self.query, *self.extensions.values()):
            migrate(service)

    def start_ours(self):
        for server in self.ours:
            server.spawn()
        for server in self.ours:
            server.wait_ready()

    def stop(self):
        """Ends our programs as an operator would, the rest at once. Raises when one of ours ended uncleanly."""
        faults = []
        for server in self.ours:
            server.ask_to_stop()
        for server in self.ours:
            try:
                server.stop()
                if server.process is not None and server.process.returncode not in (0, -9):
                    faults.append(f"{server.name} ended with status {server.process.returncode}\n{server.log_tail()}")
            except AssertionError as fault:
                faults.append(str(fault))
            report = server.sanitizer_report(self.marks.get(server, 0))
            if report:
                faults.append(f"{server.name}:\n{report}")
        for server in self.infrastructure:
            server.kill()
        if self._own_folder and not faults and not os.environ.get("QUIRE_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        assert not faults, "\n\n".join(faults)

    def stop_together(self, servers):
        """Asks all to end at the same time, and waits for each."""
        for server in servers:
            server.ask_to_stop()
        for server in servers:
            server.stop()

    def restart(self, *servers):
        """Ends and starts several of ours at the same time; each is ready at the end."""
        self.stop_together(servers)
        for server in servers:
            server.spawn()
        for server in servers:
            server.wait_ready()

    # Between tests.

    def mark(self):
        """Remembers the end of each log: what comes after belongs to the next test."""
        self.marks = {server: server.log_size() for server in self.servers}
        for server in self.servers:
            server.touched = False

    def faults(self):
        """What went wrong by itself since mark(): servers that died, reports of sanitizers."""
        faults = [f"{server.name} died by itself (status {server.process.returncode})" for server in self.servers if server.died]
        for server in self.ours:
            report = server.sanitizer_report(self.marks.get(server, 0))
            if report:
                faults.append(f"{server.name}:\n{report}")
        return faults

    def heal(self):
        """Everything runs again, with its own settings, and is ready."""
        woken = [server for server in self.servers if server.paused and server.alive]
        for server in woken:
            server.resume()  # before others are asked to end: they would wait for its answers
        mended = woken + [server for server in self.infrastructure if server.heal()]
        changed = [server for server in self.ours if server.overridden and server.alive]
        self.stop_together(changed)
        mended += changed
        mended += [server for server in self.ours if server.process is not None and server.heal(wait=False) and server not in mended]
        if any(server.touched for server in self.servers):
            self.wait_ready()
        return mended

    def wait_ready(self):
        """Every one of ours is ready, and every worker of every lane answers again: each has breakers of its own that open one by one."""
        for server in self.ours:
            if server.process is not None:
                server.wait_ready()
        if self.canary is not None:
            wait_until(self.canary, 30, "every worker answers again", every=0.1)


def _all(function, items):
    """Runs function on every item at once; raises the first failure."""
    with ThreadPoolExecutor(len(items)) as pool:
        for future in [pool.submit(function, item) for item in items]:
            future.result()
