"""Redis 8 with an append-only file."""

import os
import shutil

import redis

from .ports import free_port
from .server import Server

_CONFIG = os.path.join(os.path.dirname(__file__), "../../../compose/redis/redis.conf")


class Redis(Server):
    def __init__(self, folder, password):
        super().__init__("redis", folder)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.password = password
        self.files = os.path.join(folder, "redis")
        os.makedirs(self.files, exist_ok=True)
        self._config = os.path.join(folder, "redis.conf")
        with open(_CONFIG) as deployed, open(self._config, "w") as file:
            file.writelines(line for line in deployed if not line.startswith(("bind", "port", "dir", "include")))
            file.write(f"bind 127.0.0.1\nport {self.port}\ndir {self.files}\nrequirepass {password}\nenable-debug-command local\n")

    def command(self):
        return ["redis-server", self._config]

    def connect(self):
        return redis.Redis(host="127.0.0.1", port=self.port, password=self.password, socket_timeout=5)

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
