"""Redis 8 with an append-only file."""

import os
import shutil

import redis

from .ports import free_port
from .server import Server

_CONFIG = os.path.join(os.path.dirname(__file__), "../../../compose/redis/redis.conf")


class Redis(Server):
    def __init__(self, folder, password, authority=None):
        """With an authority only TLS gets in, and only by a name of its own that can do no more than a service needs."""
        super().__init__("redis", folder)
        self.authority = authority
        self.username = None if authority is None else "quire"
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.password = password
        self.files = os.path.join(folder, "redis")
        os.makedirs(self.files, exist_ok=True)
        self._config = os.path.join(folder, "redis.conf")
        with open(_CONFIG) as deployed, open(self._config, "w") as file:
            file.writelines(line for line in deployed if not line.startswith(("bind", "port", "dir", "include")))
            file.write(f"bind 127.0.0.1\ndir {self.files}\nenable-debug-command local\n")
            file.writelines(f"{line}\n" for line in self._entry())

    def _entry(self):
        if self.authority is None:
            return [f"port {self.port}", f"requirepass {self.password}"]
        certificate, key = self.authority.issue(self.name)
        return ["port 0", f"tls-port {self.port}", f"tls-cert-file {certificate}", f"tls-key-file {key}", "tls-auth-clients no",
                f"tls-ca-cert-file {self.authority.certificate}", "user default off",
                f"user {self.username} on >{self.password} ~* &* +@read +@write +@connection +@scripting +time +info -@dangerous +info +flushdb"]

    def command(self):
        return ["redis-server", self._config]

    def connect(self):
        tls = {} if self.authority is None else {"ssl": True, "ssl_ca_certs": self.authority.certificate, "username": self.username}
        return redis.Redis(host="127.0.0.1", port=self.port, password=self.password, socket_timeout=5, **tls)

    def ready(self):
        with self.connect() as connection:
            return connection.ping()

    def keep_files(self, folder):
        """Copies the files as they are now, with everything written that there is."""
        with self.connect() as connection:
            connection.config_set("appendfsync", "always")
            connection.set("quire-test:kept", "1")
            connection.delete("quire-test:kept")
            connection.config_set("appendfsync", "everysec")
        shutil.copytree(self.files, folder)

    def put_files(self, folder):
        """Replaces the files of a server that is down."""
        assert not self.alive
        shutil.rmtree(self.files)
        shutil.copytree(folder, self.files)
